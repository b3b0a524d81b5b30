/**
 * A process that outlives the caller and cleans up after it. It holds one end of a pipe. When the other end closes,
 * however the caller died, it kills a process group and removes that group's files. It is a shell, so it costs a
 * megabyte and a millisecond. A caller that cleans up by itself dismisses it first.
 *
 * It runs in a session of its own, so that Ctrl-C or the end of a terminal does not end it together with the caller.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Reads lines. `group N` names the process group to kill; an empty N means none. `done` means that all is over. The
 * machine's number cannot belong to another process: it becomes free only after the caller, its parent, has seen its
 * end, and `done` is the caller's next step.
 *
 * Arguments: a lock and the output of a build, or two empty ones; then directories. Beside its output, a build makes
 * directories with random names, and only while it holds the lock. The directories are listed first, and then the
 * lock is examined: if no other build holds it, the listed directories are leftovers. A stopped process group can
 * neither make more directories nor release the lock.
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
 * Registers the program with the watchdog before the shell becomes that program. So at no moment does the program
 * run, unknown to the watchdog, while the caller may die. The program does not inherit the pipe.
 */
const announced = (pipe: number): string => `echo "group $$" >&${pipe} && exec ${pipe}>&- && exec "$0" "$@"`;

export interface Watched {
  /** Directories to remove. */
  readonly directories: readonly string[];
  /** A program that builds `output` under a lock; unfinished output is removed. Absolute paths. */
  readonly build?: { readonly lock: string; readonly output: string };
}

interface WatchedSpawnOptions {
  /** At most nine, because a shell names descriptors by one digit. A number is a file descriptor of this process. */
  readonly stdio: readonly ('ignore' | 'pipe' | number)[];
  readonly env: NodeJS.ProcessEnv;
}

/** Starts a program as the leader of a new process group, registered with the watchdog if there is one. */
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
      // Without a shell there is no watchdog, but the machine can still run.
      this.#process.once('error', () => resolve());
    });
    this.#process.stdin?.on('error', () => {});
    this.#process.unref();
    (this.#process.stdin as Socket | null)?.unref();
  }

  /** The watchdog's end of the pipe; undefined if no shell could be started. */
  get pipe(): Socket | undefined {
    return this.#process.pid === undefined
      ? undefined
      : ((this.#process.stdin as Socket | null) ?? undefined);
  }

  /** Everything that it watches over is gone. */
  dismiss(): void {
    this.#process.stdin?.end('done\n');
  }

  /**
   * Does now what it would do at the caller's death. With `dead` it skips the killing, because the group has ended
   * already. Resolves when done.
   */
  async strike({ dead = false }: { dead?: boolean } = {}): Promise<void> {
    this.#process.ref();
    this.#process.stdin?.end(dead ? 'group\n' : undefined);
    await this.#exited;
  }
}
