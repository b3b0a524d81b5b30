/**
 * What the tests of the direct backend share: directories of their own, appliances, hypervisors, and who is left
 * running.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type BootLimits, usualLimits } from '../../src/appliance/machine/boot-options.js';
import { applianceStarter } from '../../src/appliance/machine/launch.js';
import { Guestfs, type GuestfsOptions } from '../../src/guestfs/index.js';
import { testing } from '../../src/guestfs/testing.js';
import { needsAppliance } from '../support/appliance.js';
import { needs } from '../support/tools.js';

/** The machines on which the direct backend runs at all. */
export const onLinux =
  process.platform === 'linux' && process.arch === 'x64' ? {} : { skip: 'not Linux on x86-64' };

/** What a real launch takes. */
export const real = ((appliance) => ('skip' in appliance ? appliance : needs('guestfish', 'qemu-img')))(
  needsAppliance(),
);

/** What a launch may take with everything at once on a small machine, in milliseconds. */
export const launchTimeout = { timeout: 120_000 };

/** A directory of a test's own, `tmp` and `cache` in it. What is left in them at the end fails the test. */
export interface Place {
  readonly directory: string;
  readonly tmp: string;
  readonly cache: string;
}

export function place(t: TestContext): Place {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-test-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const [tmp, cache] = [join(directory, 'tmp'), join(directory, 'cache')];
  for (const path of [tmp, cache]) mkdirSync(path);
  return { directory, tmp, cache };
}

/** Processes whose command line or environment has a text, as `PID command line`; never this one. */
export function processesWith(text: string): string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    if (Number(pid) === process.pid) continue;
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      const environment = readFileSync(`/proc/${pid}/environ`, 'latin1');
      // A zombie has neither.
      if (command.includes(text) || environment.includes(text))
        found.push(`${pid} ${command.replaceAll('\0', ' ')}`);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      assert.ok(code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES', String(thrown)); // gone meanwhile
    }
  }
  return found;
}

/** What may stay in a user's cache directory. */
const kept = /^(?:appliance\.d|lock|start\.lock|no-kvm-[0-9a-f]{16}\.json|start-[0-9a-f]{16})$/;

/** Files that launches in a place have left and nobody will use again. */
function leftFiles({ tmp, cache }: Place): string[] {
  const caches = readdirSync(cache).map((name) => join(cache, name));
  return [
    ...readdirSync(tmp),
    ...caches.flatMap((path) =>
      /\.guestfs-[0-9]+$/.test(path) && statSync(path).isDirectory()
        ? readdirSync(path).filter((name) => !kept.test(name))
        : [path],
    ),
  ];
}

/** Fails unless nothing is left of launches in a place, or nothing soon. */
export async function assertNothingLeft(where: Place, withinInMs = 3000): Promise<void> {
  const left = (): string[] => [...processesWith(where.directory), ...leftFiles(where)];
  const end = performance.now() + withinInMs;
  while (left().length > 0 && performance.now() < end) await delay(20);
  assert.deepEqual(left(), []);
}

/** The same, for what has ended in good order: only the guard may need a moment to hear of it. */
export async function assertAllGone(where: Place): Promise<void> {
  const running = processesWith(where.directory).filter((line) => !line.includes('guestfs-guard'));
  assert.deepEqual([...running, ...leftFiles(where)], []);
  await assertNothingLeft(where);
}

/** The start of a kernel's image for this machine's processor, and nothing behind it. */
export function kernelHead(): Buffer {
  const head = Buffer.alloc(0x400);
  head.write('HdrS', 0x202, 'latin1');
  head.writeUInt16LE(0x100, 0x20e);
  head.write('6.1.0-test (who@where) #1\0', 0x300, 'latin1');
  return head;
}

/** The first 2 KiB of an ext2 filesystem, as far as its UUID goes. */
export function extHead(): Buffer {
  const head = Buffer.alloc(2048);
  head.writeUInt16LE(0xef53, 1024 + 0x38);
  Buffer.from('00112233445566778899aabbccddeeff', 'hex').copy(head, 1024 + 0x68);
  return head;
}

/** A fixed appliance that no machine could boot, but whose files say of themselves what they should. */
export function fixedAppliance(
  { directory }: Place,
  files: Readonly<Record<string, Buffer | string | undefined>> = {},
): string {
  const path = mkdtempSync(join(directory, 'appliance-'));
  const all = { 'README.fixed': 'fixed', kernel: kernelHead(), initrd: 'initrd', root: extHead(), ...files };
  for (const [name, content] of Object.entries(all))
    if (content !== undefined) writeFileSync(join(path, name), content);
  return path;
}

/** Writes a program in a place. */
export function program({ directory }: Place, name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const built = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export interface StandIn {
  readonly path: string;
  /** With which accelerator the system has started it, each time. */
  accelerators(): string[];
  /** The processes and their arguments, of the starts that came so far as to say so. */
  starts(): { readonly pid: number; readonly args: readonly string[] }[];
}

/** A hypervisor that behaves as stand-in.ts says of a word. */
export function standIn(where: Place, behaviour: string): StandIn {
  const log = join(where.directory, `starts-${Math.random().toString(36).slice(2)}`);
  const words = [process.execPath, built('./stand-in.js'), behaviour, log].map(quoted).join(' ');
  const name = `hypervisor-${Math.random().toString(36).slice(2)}`;
  const accelerators = quoted(`${log}-accelerators`);
  const path = program(
    where,
    name,
    `#!/bin/sh\ncase $* in *' kvm '*) echo kvm ;; *) echo tcg ;; esac >> ${accelerators}\nexec ${words} "$@"\n`,
  );
  return {
    path,
    accelerators: () =>
      existsSync(`${log}-accelerators`)
        ? readFileSync(`${log}-accelerators`, 'utf8').split('\n').filter(Boolean)
        : [],
    starts: () =>
      existsSync(log)
        ? readFileSync(log, 'utf8')
            .split('\n')
            .filter(Boolean)
            .map((line) => JSON.parse(line) as { pid: number; args: string[] })
        : [],
  };
}

/** What a test changes of a handle. */
export interface HandleChanges {
  readonly hv?: string;
  readonly path?: string;
  /** Default: KVM is not tried. */
  readonly settings?: readonly string[];
  readonly limits?: Partial<BootLimits>;
  /** A file that stands for the host's KVM device: where it can be opened, KVM seems to be there. */
  readonly kvm?: string;
  readonly options?: GuestfsOptions;
}

/** A handle of the direct backend whose files are all in a place, with one scratch drive, and what it tells. */
export interface Told {
  readonly warnings: string[];
  readonly quits: string[];
  readonly library: string[];
}

export function handle(
  t: TestContext,
  where: Place,
  { hv, path, settings = ['force_tcg'], limits, kvm, options }: HandleChanges = {},
): { g: Guestfs; told: Told; beAsPatientAsUsual: () => void } {
  const current = { ...usualLimits, ...limits };
  const startBackend = limits === undefined && kvm === undefined ? undefined : applianceStarter(current, kvm);
  const g = new Guestfs({
    environment: false,
    backend: 'direct',
    stderr: null,
    ...options,
    ...(startBackend === undefined ? {} : { [testing]: { startBackend } }),
  });
  // Whether it closes well is the test's to say.
  t.after(() => g.close().catch(() => {}));
  g.setTmpdir(where.tmp);
  g.setCachedir(where.cache);
  if (hv !== undefined) g.setHv(hv);
  if (path !== undefined) g.setPath(path);
  // A stand-in has no state that could be kept.
  g.setBackendSettings([...settings, ...(hv === undefined ? [] : ['no_snapshot_start'])]);
  g.addDriveScratch(2 ** 20);
  const told: Told = { warnings: [], quits: [], library: [] };
  g.on('warning', (message) => told.warnings.push(message));
  g.on('library', (message) => told.library.push(message));
  g.on('subprocessQuit', () => told.quits.push(g.state));
  return { g, told, beAsPatientAsUsual: () => void Object.assign(current, usualLimits) };
}

/** A program of its own, whose lines are read as they come. */
export class Program {
  readonly lines: string[] = [];
  readonly #child: ReturnType<typeof spawn>;
  readonly #ended: Promise<unknown>;
  errors = '';

  /** `code` has `Guestfs`, and `handle(changes)`, a handle with its settings from `settings`. */
  constructor(
    t: TestContext,
    where: Place,
    settings: { readonly hv?: string; readonly path?: string },
    code: string,
    wrapper: readonly string[] = [],
  ) {
    const prelude = `
      import { writeSync } from 'node:fs';
      import { Guestfs } from ${JSON.stringify(new URL('../../src/guestfs/index.js', import.meta.url).href)};
      const say = (text) => writeSync(1, text + '\\n');
      const handle = () => {
        const { hv, path, tmp, cache } = ${JSON.stringify({ ...settings, tmp: where.tmp, cache: where.cache })};
        const g = new Guestfs({ environment: false, backend: 'direct' });
        g.setTmpdir(tmp);
        g.setCachedir(cache);
        if (hv !== undefined) g.setHv(hv);
        if (path !== undefined) g.setPath(path);
        g.setBackendSettings(hv === undefined ? ['force_tcg'] : ['force_tcg', 'no_snapshot_start']);
        g.addDriveScratch(2 ** 20);
        return g;
      };
    `;
    const words = [...wrapper, process.execPath, '--input-type=module', '-e', prelude + code];
    const child = spawn(words[0] as string, words.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      // What it leaves is found by this.
      env: { ...process.env, GUESTFS_TEST_PLACE: where.directory },
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
    });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.lines.push(...lines);
    });
    this.#ended = once(child, 'close');
    t.after(() => child.kill('SIGKILL'));
  }

  get pid(): number {
    assert.ok(this.#child.pid !== undefined);
    return this.#child.pid;
  }

  /** Resolves when it has said a line. */
  async said(line: string, withinInMs = 60_000): Promise<void> {
    const end = performance.now() + withinInMs;
    while (!this.lines.includes(line)) {
      const { exitCode, signalCode } = this.#child;
      assert.ok(
        exitCode === null && signalCode === null && performance.now() < end,
        `'${line}' was not said; it said ${JSON.stringify(this.lines)} and ${this.errors}`,
      );
      await delay(10);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it has ended. */
  async ended(): Promise<{ exitCode: number | null; signal: NodeJS.Signals | null }> {
    await this.#ended;
    return { exitCode: this.#child.exitCode, signal: this.#child.signalCode };
  }
}
