/** The settings of a handle: their values, defaults and rules. The handle decides when one may be changed. */
import { tmpdir as systemTmpdir } from 'node:os';
import { basename } from 'node:path';
import { GuestfsError } from '../base/index.js';
import { resolveHostDirectory } from '../engine/index.js';

/** The backend of a handle. `auto` begins with the embedded engine, and goes over to the appliance of `direct`. */
export type BackendName = 'embedded' | 'direct' | 'auto';

/** The smallest memory in which the appliance still boots, in megabytes. */
const leastMemsize = 256;
const mostSmp = 255;

/** The processors' names in Debian's directories and in qemu's program names, if they differ from Node's. */
const machines: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64', ia32: 'i386' };
const machine = machines[process.arch] ?? process.arch;

/** The directories in which distributions put the appliance's parts. */
const defaultPath = `/usr/lib/${machine}-linux-gnu/guestfs:/usr/lib64/guestfs:/usr/lib/guestfs`;
const defaultHv = `/usr/bin/qemu-system-${machine}`;
const onWindows = process.platform === 'win32';

const invalid = (problem: string): GuestfsError => new GuestfsError('EINVAL', problem);

/** qemu parameters that the library sets itself, or that would open a window. */
const ownParameters = new Set([
  '-kernel',
  '-initrd',
  '-nodefaults',
  '-nographic',
  '-display',
  '-vnc',
  '-full-screen',
  '-std-vga',
]);

/** Throws GuestfsError (EINVAL) for an unknown backend. libguestfs's other backends are known names. */
function checkBackendName(name: string): void {
  if (['embedded', 'auto', 'direct', 'appliance', 'libvirt'].includes(name) || name.startsWith('libvirt:'))
    return;
  throw invalid(`no such backend: '${name}'; there are auto, embedded and direct`);
}

/** Settings of the form `NAME=VALUE`; `NAME` alone means `NAME=1`. */
function namePart(setting: string): string {
  return setting.split('=', 1)[0] as string; // safe: a split has at least one part
}

export class Settings {
  verbose = false;
  trace = false;
  autosync = true;
  network = false;
  pgroup = false;
  recoveryProc = true;
  direct = false;
  selinux = false;
  program = basename(process.argv[1] ?? process.execPath);
  identifier = '';
  append: string | null = null;
  #path: string | null = null;
  #hv: string | null = null;
  #memsize = 1280;
  #smp = 1;
  #backend = 'auto';
  #backendSettings: readonly string[] = [];
  #hvParams: readonly (readonly [string, string | null])[] = [];
  #tmpdir: string | undefined;
  #cachedir: string | undefined;
  /** From `TMPDIR`; the two settings above have precedence. */
  #environmentTmpdir: string | undefined;
  /** From `XDG_RUNTIME_DIR`. */
  #runtimeDir: string | undefined;
  /** Kinds of credentials that the caller can give to libvirt. */
  libvirtCredentials: readonly string[] = [];

  /** Takes over every setting of another handle, as it is now. */
  takeOver(from: Settings): void {
    Object.assign(this, from);
    this.#path = from.#path;
    this.#hv = from.#hv;
    this.#memsize = from.#memsize;
    this.#smp = from.#smp;
    this.#backend = from.#backend;
    this.#backendSettings = from.#backendSettings;
    this.#hvParams = from.#hvParams;
    this.#tmpdir = from.#tmpdir;
    this.#cachedir = from.#cachedir;
    this.#environmentTmpdir = from.#environmentTmpdir;
    this.#runtimeDir = from.#runtimeDir;
  }

  get path(): string {
    return this.#path ?? defaultPath;
  }
  setPath(path: string | null): void {
    this.#path = path;
  }

  get hv(): string {
    return this.#hv ?? defaultHv;
  }
  setHv(hv: string | null): void {
    this.#hv = hv;
  }

  /** Megabytes. */
  get memsize(): number {
    return this.#memsize;
  }
  setMemsize(memsize: number): void {
    if (memsize < leastMemsize)
      throw invalid(`${memsize} megabytes are too little: it must be at least ${leastMemsize}`);
    this.#memsize = memsize;
  }

  get smp(): number {
    return this.#smp;
  }
  setSmp(smp: number): void {
    if (smp < 1 || smp > mostSmp)
      throw invalid(`there cannot be ${smp} processors: it must be from 1 to ${mostSmp}`);
    this.#smp = smp;
  }

  /** `appliance` is an old name of `direct`. */
  get backend(): string {
    return this.#backend;
  }
  setBackend(backend: string): void {
    checkBackendName(backend);
    this.#backend = backend === 'appliance' ? 'direct' : backend;
  }

  get backendSettings(): readonly string[] {
    return this.#backendSettings;
  }
  setBackendSettings(settings: readonly string[]): void {
    this.#backendSettings = [...settings];
  }
  /** The value of the first setting of this name; undefined without one. */
  findBackendSetting(name: string): string | undefined {
    const setting = this.#backendSettings.find((candidate) => namePart(candidate) === name);
    if (setting === undefined) return undefined;
    return setting === name ? '1' : setting.slice(name.length + 1);
  }
  setBackendSetting(name: string, value: string): void {
    this.clearBackendSetting(name);
    this.#backendSettings = [...this.#backendSettings, `${name}=${value}`];
  }
  /** Removes the settings of this name and returns how many there were. */
  clearBackendSetting(name: string): number {
    const kept = this.#backendSettings.filter((setting) => namePart(setting) !== name);
    const removed = this.#backendSettings.length - kept.length;
    this.#backendSettings = kept;
    return removed;
  }

  get hvParams(): readonly (readonly [string, string | null])[] {
    return this.#hvParams;
  }
  addHvParam(parameter: string, value: string | null): void {
    if (ownParameters.has(parameter)) throw invalid(`the parameter '${parameter}' is not allowed`);
    this.#hvParams = [...this.#hvParams, [parameter, value]];
  }

  get tmpdir(): string {
    return this.#tmpdir ?? this.#environmentTmpdir ?? (onWindows ? systemTmpdir() : '/tmp');
  }
  /** An existing directory of the host, or null for the default. Throws GuestfsError (ENOENT, ENOTDIR, …). */
  setTmpdir(tmpdir: string | null): void {
    this.#tmpdir = tmpdir === null ? undefined : resolveHostDirectory(tmpdir);
  }

  /**
   * For files that later handles may use again and that may be large, so a directory on disk: /tmp often is in
   * memory.
   */
  get cachedir(): string {
    return this.#cachedir ?? this.#environmentTmpdir ?? (onWindows ? systemTmpdir() : '/var/tmp');
  }
  setCachedir(cachedir: string | null): void {
    this.#cachedir = cachedir === null ? undefined : resolveHostDirectory(cachedir);
  }

  setEnvironmentTmpdir(tmpdir: string): void {
    this.#environmentTmpdir = resolveHostDirectory(tmpdir);
  }

  /** For sockets. Root has no runtime directory of its session that a qemu of another user could reach. */
  get sockdir(): string {
    const isRoot = process.getuid?.() === 0;
    return (isRoot ? undefined : this.#runtimeDir) ?? (onWindows ? systemTmpdir() : '/tmp');
  }
  setRuntimeDir(directory: string): void {
    this.#runtimeDir = resolveHostDirectory(directory);
  }
}
