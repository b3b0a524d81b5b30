/**
 * A Linux that is a process of this machine, for tests: mounts filesystems that lie in files, replays their logs, and
 * tells what it shows of them.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { toolEnvironment } from '../support/tools.js';

const root = resolve(import.meta.dirname, '../../..');

/** What that kernel tells of one filesystem. */
export interface KernelTree {
  /** What was said where it could not be mounted. */
  readonly refused: string | undefined;
  /** What the kernel complained of while it was mounted. */
  readonly complaints: string;
  /** Of each path: mode, links, owner, group, size in bytes. */
  readonly facts: ReadonlyMap<string, string>;
  /** Of each file the SHA-256. */
  readonly sums: ReadonlyMap<string, string>;
}

/** A folder that is not below the one for temporary files, where that kernel has its own. */
export function kernelFolder(): { readonly folder: string; remove(): void } {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache/kernel-'));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

const script = `
export LC_ALL=C
for name in loop; do find /usr/lib/uml/modules -name "$name.ko" -exec insmod {} \\;; done
mkdir -p /tmp/at
for file; do
  dmesg -C
  if ! mount -t ext4 -o loop,noatime "$file" /tmp/at; then dmesg | tail -5 >"$file.refused"; continue; fi
  cd /tmp/at
  find . -print0 | xargs -0 stat --printf='%f %h %u %g %s %n\\0' >"$file.facts"
  find . -type f -print0 | xargs -0 -r sha256sum -z >"$file.sums"
  cd /
  umount /tmp/at
  dmesg | grep -E 'EXT4-fs (error|warning)|JBD2:.*(error|bad|corrupt)|Buffer I/O' >"$file.complaints"
done
sync
`;

/** Has the kernel mount each of the files for writing, one after the other, and unmount it again. */
export function mountByKernel(folder: string, files: readonly string[]): Map<string, KernelTree> {
  const told = join(folder, 'told');
  mkdirSync(told, { recursive: true });
  const words = files.map((file) => `'${join(folder, file)}'`).join(' ');
  writeFileSync(join(told, 'script'), `set -- ${words}\n${script}`);
  const run = `here=$0; . '${join(root, 'scripts/lib/host-image.sh')}'; user_kernel '${told}'`;
  const { status, stderr } = spawnSync('bash', ['-c', run, join(root, 'scripts/images/x')], {
    encoding: 'utf8',
    env: toolEnvironment,
  });
  const said = existsSync(join(told, 'said')) ? readFileSync(join(told, 'said'), 'utf8').slice(-2000) : '';
  assert.equal(status, 0, `${stderr}${said}`);
  return new Map(files.map((file) => [file, readTold(join(folder, file))]));
}

function readTold(path: string): KernelTree {
  const read = (ending: string): string | undefined =>
    existsSync(`${path}.${ending}`) ? readFileSync(`${path}.${ending}`, 'latin1') : undefined;
  const lines = (ending: string): string[] => read(ending)?.split('\0').filter(Boolean) ?? [];
  const pathOf = (name: string): string => name.replace(/^\.\/?/, '/');
  return {
    refused: read('refused'),
    complaints: read('complaints') ?? '',
    facts: new Map(
      lines('facts').map((line) => {
        const [, facts = '', name = ''] = /^((?:\S+ ){5})(.*)$/s.exec(line) ?? [];
        return [pathOf(name), facts.trimEnd()];
      }),
    ),
    sums: new Map(lines('sums').map((line) => [pathOf(line.slice(66)), line.slice(0, 64)])),
  };
}
