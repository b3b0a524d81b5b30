/**
 * Builds the appliance with supermin from the distribution's package files into the user's cache directory: once, and
 * again after packages have changed. The place and the options are those of libguestfs, so both share one appliance.
 */
import { accessSync, constants, readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { GuestfsError } from '../../base/index.js';
import { LaunchLock } from './launch-lock.js';
import { checkOwnDirectory } from './private-directory.js';
import { findProgram, type Run, runProgram } from './programs.js';

interface SuperminOptions {
  /** The directory `supermin.d`. */
  readonly source: string;
  /** The user's directory in the cache. */
  readonly cache: string;
  /** The processor's name, as qemu has it. */
  readonly architecture: string;
  readonly signal?: AbortSignal | undefined;
  /** Called with a few words on what the launch waits for. */
  readonly log?: (message: string) => void;
  /** The program. */
  readonly supermin?: string;
  /** The directory of the distribution's kernels, for error messages. */
  readonly boot?: string;
}

/** How long a build may take, including the wait for another build, in milliseconds. A build takes some seconds. */
const buildPatienceInMs = 600_000;

/**
 * Builds the appliance unless it exists, and resolves to its directory. Rejects with GuestfsError, with the remedy.
 */
export async function buildAppliance(options: SuperminOptions): Promise<string> {
  const { cache, signal, log } = options;
  const supermin = findProgram(options.supermin ?? 'supermin');
  if (supermin === undefined)
    throw new GuestfsError(
      'ENOENT',
      `the program supermin, which builds the appliance, is missing: install it (Debian: the package supermin)`,
    );
  const output = join(cache, 'appliance.d');
  const lock = join(cache, 'lock');
  // supermin locks the same file too, in another way. But its check after taking its lock cannot see that another
  // process has just built: until the files are touched, the kernel has the date of its package. So building and
  // touching happen under one lock.
  const mine = await LaunchLock.take(lock, {
    signal,
    patienceInMs: buildPatienceInMs,
    waiting: () => log?.('another launch builds the appliance: waiting for it'),
  });
  try {
    return await build(supermin, output, lock, options);
  } finally {
    await mine?.release();
  }
}

async function build(
  supermin: string,
  output: string,
  lock: string,
  options: SuperminOptions,
): Promise<string> {
  const { source, cache, architecture, signal } = options;
  const args = ['--build', '--if-newer', '--lock', lock, '--copy-kernel', '-f', 'ext2'];
  const run = await runProgram(supermin, [...args, '--host-cpu', architecture, source, '-o', output], {
    signal,
    timeoutInMs: buildPatienceInMs,
    tmpdir: cache,
    build: { lock, output },
  });
  if (run.exitCode !== 0) throw buildFailure(run, options);
  checkOwnDirectory(output, process.geteuid?.() ?? 0);
  touch(output);
  return output;
}

/**
 * Sets the date of the files to now. supermin rebuilds if any file is older than the packages, and gives the kernel
 * the date of its package; programs that clean temporary directories remove old files.
 */
function touch(directory: string): void {
  const now = new Date();
  for (const name of ['kernel', 'initrd', 'root']) utimesSync(join(directory, name), now, now);
}

/** Kernels of the distribution, and those that this user cannot read. */
export function listKernels(boot = '/boot'): { all: string[]; unreadable: string[] } {
  let names: string[];
  try {
    names = readdirSync(boot);
  } catch {
    return { all: [], unreadable: [] }; // no such directory: no kernels
  }
  const all = names.filter((name) => /^vmlinu[xz]-/.test(name)).map((name) => join(boot, name));
  const unreadable = all.filter((path) => {
    try {
      accessSync(path, constants.R_OK);
      return false;
    } catch {
      return true;
    }
  });
  return { all, unreadable };
}

/** One sentence from supermin's output. */
function buildFailure(
  { output, signal }: Run,
  { boot = '/boot', cache, architecture }: SuperminOptions,
): GuestfsError {
  const cause = new Error(output.trim());
  const fail = (code: GuestfsError['code'], message: string): GuestfsError =>
    new GuestfsError(code, message, { cause });
  const { all, unreadable } = listKernels(boot);
  if (/failed to find a suitable kernel/.test(output) || all.length === 0)
    return fail(
      'ENOENT',
      `there is no kernel for the appliance in ${boot}: install one for ${architecture} (Debian: linux-image-cloud-amd64 or linux-image-amd64)`,
    );
  const [path] = unreadable;
  if (path !== undefined && /[Pp]ermission denied|not public readable|cannot open/.test(output))
    return fail(
      'EACCES',
      `the kernel ${path}, of which the appliance is made, may not be read by this user: let it be with \`sudo chmod +r ${path}\` (for good: \`dpkg-statoverride --add root root 0644 ${path}\`)`,
    );
  if (/No space left on device/.test(output))
    return fail(
      'ENOSPC',
      `there is no room to build the appliance in ${cache}: choose another with LIBGUESTFS_CACHEDIR`,
    );
  const last = output.trim().split('\n').at(-1) ?? '';
  const said = signal === null ? 'it does not say why' : `it was ended by ${signal}`;
  return fail(
    'EIO',
    `supermin could not build the appliance: ${last === '' ? said : last}; what it needs is in the distribution's packages of libguestfs (Debian: libguestfs0): install them again, or name a fixed appliance with LIBGUESTFS_PATH`,
  );
}
