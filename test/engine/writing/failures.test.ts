/**
 * A handle that writes, whose process is killed or whose host fails: what was synced is whole, the error is the caller's,
 * and nothing is written behind it.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { openExt } from '../../fs/ext/fixture.js';
import { replayedByE2fsck } from '../../fs/ext/write/images.js';
import { kernelFolder, mountByKernel } from '../../golden/user-kernel.js';
import { qemuImg } from '../../image/qcow2-writing.js';
import { scratchDirectory } from '../../support/scratch.js';
import { find, sha256 } from '../../support/tell.js';
import { needs, toolEnvironment } from '../../support/tools.js';

const directory = scratchDirectory();
const child = join(import.meta.dirname, 'host-child.js');
const formats = ['raw', 'qcow2'] as const;
type Format = (typeof formats)[number];
const campaign = Number(process.env.GUESTFS_TEST_CRASHES ?? 0);
const synced = 'this was synced\n'.repeat(3000);

/** A new filesystem with a file in it, in an image whose tables grow soon. */
function makeOriginal(format: Format): string {
  const [path, contents] = [join(directory, `original.${format}`), join(directory, 'contents')];
  const raw = join(directory, 'original.raw');
  mkdirSync(contents, { recursive: true });
  writeFileSync(join(contents, 'old'), 'old\n'.repeat(50_000));
  rmSync(raw, { force: true });
  const words = ['-q', '-t', 'ext4', '-b', '1024', '-J', 'size=1', '-d', contents, raw, '24M'];
  const { status, stderr } = spawnSync('mke2fs', words, { encoding: 'utf8', env: toolEnvironment });
  assert.equal(status, 0, stderr);
  if (format === 'qcow2')
    qemuImg('convert', '-O', 'qcow2', '-o', 'cluster_size=4096,refcount_bits=64', raw, path);
  return path;
}

/** The filesystem in an image that nothing uses any more: there are leaks at worst, and the log is replayed. */
function recovered(path: string, format: Format): FileSystem {
  let raw = path;
  if (format === 'qcow2') {
    const { status, stdout } = spawnSync('qemu-img', ['check', '-f', 'qcow2', path], { encoding: 'utf8' });
    assert.ok(status === 0 || status === 3, stdout); // 3: leaks alone
    raw = `${path}.raw`;
    qemuImg('convert', '-f', 'qcow2', '-O', 'raw', path, raw);
  }
  const bytes = new Uint8Array(readFileSync(raw));
  return openExt(replayedByE2fsck(new MemoryDisk(bytes, { writable: true })));
}

function textOf(fs: FileSystem, path: string): string {
  const data = fs.data(find(fs, path));
  const bytes = new Uint8Array(data.size);
  data.read(bytes, 0);
  return Buffer.from(bytes).toString('latin1');
}

interface Failed {
  readonly at: number;
  readonly code: string;
  readonly call?: string;
  readonly told?: string;
  readonly after?: readonly (string | null)[];
}

for (const format of formats)
  test(
    `${format}: a host that fails at any write is told of, and nothing is half done`,
    needs('mke2fs', 'e2fsck', 'qemu-img'),
    (t) => {
      const original = makeOriginal(format);
      const path = join(directory, `failing.${format}`);
      const control = join(directory, `control-${format}`);
      writeFileSync(control, JSON.stringify({ id: -1 }));
      const places = campaign > 0 ? Array.from({ length: 120 }, (_, at) => at) : [0, 4, 9, 15, 22, 31];
      const cases = places.map((at) => `${at}:${at % 2 === 0 ? 'ENOSPC' : 'EIO'}`);
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [child, 'failing', format, original, path, ...cases],
        {
          encoding: 'utf8',
          env: {
            ...process.env,
            FAILING_WRITES: control,
            NODE_OPTIONS: `--import=${new URL('failing-writes.js', import.meta.url).href}`,
          },
        },
      );
      assert.equal(status, 0, stderr);
      const results = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Failed);
      let failures = 0;
      for (const [index, { at, code, call, told, after: later }] of results.entries()) {
        const title = `${code} at ${at}, in ${call}`;
        const fs = recovered(`${path}.${index}`, format);
        const isOld = call === 'write' || (call === 'sync' && fs.lookup(fs.root, 'synced') === undefined);
        if (!isOld) {
          const where = fs.lookup(fs.root, 'synced') === undefined ? '/directory/renamed' : '/synced';
          assert.ok(textOf(fs, where) === synced, `${title}: what was synced`);
        }
        fs.close();
        if (call === undefined) continue;
        failures++;
        assert.equal(told, code, title);
        // What could not be unmounted cleanly is unmounted.
        if (call === 'umountAll') continue;
        const [change, sync, list] = later ?? [];
        assert.equal(list, null, `${title}: what is there can be read`);
        // Where data alone could not be stored, others can.
        if (sync !== null)
          assert.deepEqual([change, sync], [code, code], `${title}: nothing is written any more`);
      }
      t.diagnostic(
        `${failures} failures: ${results.map(({ call, after: later }) => `${call} ${later}`).join('; ')}`,
      );
      assert.ok(failures > 3, stdout);
    },
  );

test(
  'an image that may not grow: EFBIG, and what was synced is there',
  needs('mke2fs', 'e2fsck', 'qemu-img', 'prlimit'),
  () => {
    const original = makeOriginal('qcow2');
    const path = join(directory, 'limited.qcow2');
    copyFileSync(original, path);
    const words = ['--fsize=6000000', process.execPath, child, 'filling', 'qcow2', path];
    const { status, stdout, stderr } = spawnSync('prlimit', words, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const { told, listed, again } = JSON.parse(stdout) as {
      told: string;
      listed: number;
      again: string | undefined;
    };
    assert.equal(told, 'EFBIG');
    assert.ok(listed > 3);
    if (again !== undefined) assert.equal(again, 'EFBIG');
    const fs = recovered(path, 'qcow2');
    assert.ok(textOf(fs, '/synced') === synced);
    fs.close();
  },
);

describe(
  'a process that is killed while it writes',
  needs('mke2fs', 'e2fsck', 'qemu-img', 'linux.uml'),
  () => {
    const { folder, remove } = kernelFolder();
    after(remove);

    test('leaves what it synced, to e2fsck and to Linux', async () => {
      const last = new Map<string, number>();
      for (const format of formats) {
        const original = makeOriginal(format);
        for (const turns of campaign > 0 ? [1, 2, 3, 4, 5, 7, 9, 12] : [1, 4]) {
          const path = join(directory, `killed-${turns}.${format}`);
          copyFileSync(original, path);
          const going = spawn(process.execPath, [child, 'going', format, path], {
            stdio: ['ignore', 'pipe', 'inherit'],
          });
          let turn = 0;
          for await (const chunk of going.stdout) {
            turn = Number(String(chunk).trim().split('\n').at(-1));
            if (turn >= turns) going.kill('SIGKILL');
          }
          assert.ok(turn >= turns, `${turn}`);
          const file = `${turns}-${format}.img`;
          if (format === 'qcow2') qemuImg('convert', '-f', 'qcow2', '-O', 'raw', path, join(folder, file));
          else copyFileSync(path, join(folder, file));
          last.set(file, turn);
          const fs = recovered(path, format);
          checkTurn(turn, (name) => sha256(Buffer.from(textOf(fs, name), 'latin1')));
          fs.close();
        }
      }
      for (const [file, tree] of mountByKernel(folder, [...last.keys()])) {
        assert.deepEqual([tree.refused, tree.complaints], [undefined, ''], file);
        checkTurn(last.get(file) ?? assert.fail(), (name) => tree.sums.get(name));
      }
    });
  },
);

/** All of the turn that was synced last, of which the next may have taken nothing away. */
function checkTurn(turn: number, sumOf: (path: string) => string | undefined): void {
  for (let file = 0; file < 20; file++) {
    const expected = sha256(Buffer.from(`${turn} `.repeat(1 + file * 700)));
    assert.equal(sumOf(`/turn ${turn}/file ${file}`), expected, `turn ${turn}, file ${file}`);
  }
}
