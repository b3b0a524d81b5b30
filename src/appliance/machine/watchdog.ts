/**
 * A process that outlives the caller to clean up after it. It holds one end of a pipe; when the other end closes, by
 * whatever death, it kills a process group and removes what that leaves in the file system. That it is a shell makes it
 * cost a megabyte and a millisecond. A caller that cleans up by itself tells it so first.
 *
 * It runs in a session of its own, so that neither Ctrl-C nor the end of a terminal takes it away with the caller.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Reads lines: `group N` names a process group to kill, or none any more; `done` says that all is over. The machine cannot
 * have been replaced by another process of its number: the number is free only after the caller, its parent, has heard of its
 * end, and then `done` is the next thing that the caller does.
 *
 * Arguments: a lock and the output of a build, or two empty ones; then directories. Beside its output a build has
 * directories with random names, and only while it holds the lock. So those that were listed before a look at the lock shows
 * that no other build holds it are remains. A group that is stopped neither makes more nor lets go of the lock.
 */
const script = `
trap '' INT TERM HUP PIPE
group=
while read -r word value; do
  case $word in
    group) group=$value ;;
    done) exit 0 ;;
  esac
done
lock=$1 output=$2
shift 2
if [ -n "$group" ]; then kill -s STOP -- "-$group"; fi
leftovers() {
  if [ -z "$lock" ] || ! inode=$(ls -di -- "$lock"); then return; fi
  inode=\${inode%% /*} inode=\${inode##* } holder=
  while read -r _ kind _ _ owner place _; do
    case $kind/$place in POSIX/*:$inode) holder=$owner ;; esac
  done < /proc/locks || return
  if [ -z "$holder" ] || [ "$holder" = "$group" ]; then remove=yes; fi
}
sweep() {
  remove=
  leftovers
  if [ -n "$group" ]; then kill -s KILL -- "-$group"; fi
  if [ -n "$remove" ]; then rm -rf -- "$@"; fi
}
sweep "$output".*
rm -rf -- "$@"
`;

/**
 * Tells the guard of itself before it becomes the program: so there is no moment in which the program runs, the caller
 * may die, and the guard does not know. The pipe does not stay open in the program.
 */
const announced = (pipe: number): string => `echo "group $$" >&${pipe} && exec ${pipe}>&- && exec "$0" "$@"`;

export interface Watched {
  /** Directories to remove. */
  readonly directories: readonly string[];
  /** A program that builds `output` under a lock: what it has not finished is to be removed. Absolute paths. */
  readonly build?: { readonly lock: string; readonly output: string };
}

export interface WatchedSpawnOptions {
  /** At most nine, so that a shell can name the next. A number is a file descriptor of this process. */
  readonly stdio: readonly ('ignore' | 'pipe' | number)[];
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a program as the leader of a process group of its own, watched over where there is a guard. */
export function spawnWatched(
  watchdog: Watchdog | undefined,
  program: string,
  args: readonly string[],
  { stdio, env }: WatchedSpawnOptions,
): ChildProcess {
  const pipe = watchdog?.pipe;
  if (pipe === undefined) return spawn(program, args, { stdio: [...stdio], env, detached: true });
  return spawn('/bin/sh', ['-c', announced(stdio.length), program, ...args], {
    stdio: [...stdio, pipe] as StdioOptions,
    env,
    detached: true,
  });
}

export class Watchdog {
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;

  constructor({ directories, build }: Watched) {
    const what = [build?.lock ?? '', build?.output ?? '', ...directories];
    this.#process = spawn('/bin/sh', ['-c', script, 'guestfs-guard', ...what], {
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', () => resolve());
      // Without a shell there is no guard, which is no reason to do without a machine.
      this.#process.once('error', () => resolve());
    });
    this.#process.stdin?.on('error', () => {});
    this.#process.unref();
    (this.#process.stdin as Socket | null)?.unref();
  }

  /** The guard's ear; undefined where there is no shell to be one. */
  get pipe(): Socket | undefined {
    return this.#process.pid === undefined
      ? undefined
      : ((this.#process.stdin as Socket | null) ?? undefined);
  }

  /** All that it guards is gone. */
  dismiss(): void {
    this.#process.stdin?.end('done\n');
  }

  /**
   * Does at once what it would do at the caller's death; `dead` spares it the killing, of what has ended already. Resolves
   * when that is done.
   */
  async strike({ dead = false }: { dead?: boolean } = {}): Promise<void> {
    this.#process.ref();
    this.#process.stdin?.end(dead ? 'group\n' : undefined);
    await this.#exited;
  }
}
