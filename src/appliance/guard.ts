/**
 * A process that outlives the caller to clean up after it. It holds one end of a pipe; when the other end closes, by
 * whatever death, it kills the machine's process group and removes the directories. That it is a shell makes it cost a
 * megabyte and a millisecond. A caller that cleans up by itself tells it so first.
 *
 * It runs in a session of its own, so that neither Ctrl-C nor the end of a terminal takes it away with the caller.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Reads lines: `group N` names a process group to kill, `done` says that all is over. Its arguments are directories. The
 * machine cannot have been replaced by another process of its number: the number is free only after the caller, its
 * parent, has heard of its end, and then `done` is the next thing that the caller does.
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
if [ -n "$group" ]; then kill -s KILL -- "-$group"; fi
rm -rf -- "$@"
`;

export class Guard {
  readonly #process: ChildProcess;

  /** Guards directories of the host. */
  constructor(directories: readonly string[]) {
    this.#process = spawn('/bin/sh', ['-c', script, 'guestfs-guard', ...directories], {
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    // Without a shell there is no guard, which is no reason to do without a machine.
    this.#process.on('error', () => {});
    this.#process.stdin?.on('error', () => {});
    this.#process.unref();
    (this.#process.stdin as Socket | null)?.unref();
  }

  /** A process group to kill, by its number. */
  watch(group: number): void {
    this.#process.stdin?.write(`group ${group}\n`);
  }

  /** All that it guards is gone. */
  dismiss(): void {
    this.#process.stdin?.end('done\n');
  }
}
