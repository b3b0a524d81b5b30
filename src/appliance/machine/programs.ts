/** Programs of the host: finding them, and running one to its end. */
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { AbortError, asGuestfsError, GuestfsError, hostError } from '../../base/index.js';
import { makePrivateDirectory, privatePath, removeDirectory } from './private-directory.js';
import { spawnWatched, Watchdog, type Watched } from './watchdog.js';

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there, or not ours to run: either way no program
  }
}

/** A program by its path, or by its name in the search path and in the directories of system programs. */
export function findProgram(name: string): string | undefined {
  if (name.includes('/')) return isProgram(name) ? name : undefined;
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/usr/sbin', '/sbin'];
  return (
    directories
      // Nothing is ever started from a relative directory or an empty one, which is the present directory.
      .filter(isAbsolute)
      .map((directory) => join(directory, name))
      .find(isProgram)
  );
}

export interface Run {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of its output, from both streams. */
  readonly output: string;
}

interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /** The program is killed after this many milliseconds. */
  readonly timeoutInMs?: number;
  /** The parent of its directory for temporary files, which is removed afterwards. */
  readonly tmpdir?: string;
  /** Its output, which is removed if the program leaves it unfinished. */
  readonly build?: Watched['build'];
}

/** How much of a program's output is kept, in characters. */
const keptOutput = 64 * 1024;

/**
 * Runs a program to its end. `signal`, and the death of this process, kill it with all its children. Rejects with
 * GuestfsError: why it cannot be started, ECANCELED, ETIMEDOUT.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Run> {
  const { signal, environment, timeoutInMs, tmpdir, build } = options;
  signal?.throwIfAborted();
  const scratch = tmpdir === undefined ? undefined : privatePath(tmpdir);
  const watchdog = new Watchdog({
    directories: scratch === undefined ? [] : [scratch],
    ...(build === undefined ? {} : { build }),
  });
  let child: ChildProcess;
  try {
    if (scratch !== undefined) makePrivateDirectory(scratch);
    child = spawnWatched(watchdog, path, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        LC_ALL: 'C',
        ...(scratch === undefined ? {} : { TMPDIR: scratch }),
        ...environment,
      },
    });
  } catch (thrown) {
    if (scratch !== undefined) removeDirectory(scratch);
    watchdog.dismiss();
    throw hostError(path, thrown);
  }
  let failure: GuestfsError | undefined;
  let killed: Promise<void> | undefined;
  const kill = (): void => {
    killed ??= watchdog.strike();
    if (watchdog.pipe === undefined && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  };
  const cancel = (): void => {
    failure = new AbortError(`${path} was stopped`, { cause: signal?.reason });
    kill();
  };
  const timer =
    timeoutInMs === undefined
      ? undefined
      : setTimeout(() => {
          failure = new GuestfsError('ETIMEDOUT', `${path} did not end within ${timeoutInMs / 1000} seconds`);
          kill();
        }, timeoutInMs);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        output = (output + text).slice(-keptOutput);
      });
    const run = await new Promise<Run>((resolve, reject) => {
      child.once('error', (error) =>
        reject(new GuestfsError(asGuestfsError(error).code, `${path}: ${error.message}`, { cause: error })),
      );
      child.once('close', (exitCode, ended) => resolve({ exitCode, signal: ended, output }));
    });
    if (build !== undefined && run.exitCode !== 0) killed ??= watchdog.strike({ dead: true });
    await killed;
    if (failure !== undefined) throw failure;
    return run;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
    if (scratch !== undefined) removeDirectory(scratch);
    if (killed === undefined) watchdog.dismiss();
  }
}
