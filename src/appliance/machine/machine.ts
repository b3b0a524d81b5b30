/**
 * A running qemu: its process, its three sockets, its private directory, and every way in which it ends.
 *
 * qemu leads a process group of its own. So Ctrl-C reaches only the caller, and a wrapper script given as the
 * hypervisor is ended together with its children.
 */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { GuestfsError, isErrnoName } from '../../base/index.js';
import { LineLog } from './console.js';
import { makePrivateDirectory, privatePath, removeDirectory } from './private-directory.js';
import { qemuDescriptors } from './qemu.js';
import { Qmp } from './qmp.js';
import { spawnWatched, Watchdog } from './watchdog.js';

/** How long qemu may take to quit after a request, in milliseconds. */
const quitPatienceInMs = 5000;

interface MachineOptions {
  /** The program. */
  readonly hv: string;
  /** Its arguments. Files that end with the machine are put into `directory`. */
  readonly arguments: (directory: string) => readonly string[];
  /** Where the private directory is made. */
  readonly tmpdir: string;
  /** Whether a watchdog process ends this machine when the caller dies. */
  readonly watched: boolean;
  /** The descriptor of the file with the machine's memory. */
  readonly memory?: number;
  /** Extra environment variables for qemu. */
  readonly environment?: Readonly<Record<string, string>>;
  /** A directory that is removed if the machine ends before the directory got another name. */
  readonly unfinished?: string;
  /** A line of the guest's console. */
  readonly onConsole: (line: string) => void;
  /** A line of qemu's own messages. */
  readonly onMessage: (line: string) => void;
}

/** How a machine ended. */
export interface MachineEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Whether it was ended from here. */
  readonly expected: boolean;
}

export class Machine {
  /** For files that end with the machine. Mode 0700. */
  readonly directory: string;
  readonly console: LineLog;
  /** qemu's own messages, from standard error and output. */
  readonly messages: LineLog;
  readonly qmp: Qmp;
  /** The guest's end of this is guestfsd's. */
  readonly channel: Socket;
  /** Resolves when the process and the directory are gone. Never rejects. */
  readonly ended: Promise<MachineEnd>;
  readonly #process: ChildProcess;
  readonly #watchdog: Watchdog | undefined;
  readonly #sockets: readonly Socket[];
  #isRunning = true;
  #ending = false;

  private constructor(
    directory: string,
    child: ChildProcess,
    watchdog: Watchdog | undefined,
    options: Pick<MachineOptions, 'onConsole' | 'onMessage'>,
  ) {
    this.directory = directory;
    this.#process = child;
    this.#watchdog = watchdog;
    // safe: all of them were asked for as pipes, which are sockets
    const sockets = child.stdio as unknown as readonly Socket[];
    this.channel = sockets[qemuDescriptors.channel] as Socket;
    const monitor = sockets[qemuDescriptors.monitor] as Socket;
    const console = sockets[qemuDescriptors.console] as Socket;
    this.#sockets = [monitor, this.channel, console, child.stdout as Socket, child.stderr as Socket];
    this.console = new LineLog(console, options.onConsole);
    this.messages = new LineLog(child.stderr as Readable, options.onMessage);
    new LineLog(child.stdout as Readable, options.onMessage);
    this.qmp = new Qmp(monitor);
    this.ended = new Promise((resolve) => {
      // Not `exit`: only at `close` have all of qemu's messages arrived.
      child.once('close', (exitCode, signal) => {
        this.#isRunning = false;
        this.#cleanUp();
        resolve({ exitCode, signal, expected: this.#ending });
      });
    });
    // Child processes may hold the pipes open for ever.
    child.once('exit', () => {
      this.#killGroup();
      setTimeout(() => {
        for (const socket of this.#sockets) socket.destroy();
      }, 200).unref();
    });
  }

  /** Starts qemu. Rejects with GuestfsError (ENOENT, EACCES, …), and leaves nothing behind. */
  static async start(options: MachineOptions): Promise<Machine> {
    const directory = privatePath(options.tmpdir);
    const { watched, unfinished, memory, environment } = options;
    const directories = unfinished === undefined ? [directory] : [directory, unfinished];
    const watchdog = watched ? new Watchdog({ directories }) : undefined;
    try {
      makePrivateDirectory(directory);
      const child = spawnWatched(watchdog, options.hv, options.arguments(directory), {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe', ...(memory === undefined ? [] : [memory])],
        env: { ...process.env, ...environment, LC_ALL: 'C', TMPDIR: directory },
      });
      if (child.pid === undefined) {
        const error = await new Promise<NodeJS.ErrnoException>((resolve) => child.once('error', resolve));
        const code = isErrnoName(error.code) ? error.code : 'EIO';
        throw new GuestfsError(code, `${options.hv} cannot be started: ${error.message}`, { cause: error });
      }
      return new Machine(directory, child, watchdog, options);
    } catch (thrown) {
      removeDirectory(directory);
      watchdog?.dismiss();
      throw thrown;
    }
  }

  get pid(): number {
    return this.#process.pid as number; // safe: start saw to it
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Sets whether the machine keeps this process alive. At first it does. */
  set keepsAlive(keeps: boolean) {
    const refer = (object: { ref(): unknown; unref(): unknown }): unknown =>
      keeps ? object.ref() : object.unref();
    refer(this.#process);
    for (const socket of this.#sockets) refer(socket);
  }

  /** Quits qemu in good order, so that cached writes reach the drives. Resolves when everything is gone. */
  async quit(): Promise<void> {
    if (!this.#isRunning) return;
    this.#ending = true;
    this.keepsAlive = true;
    const timer = setTimeout(() => this.kill(), quitPatienceInMs);
    // The connection may break before the answer arrives. Only the end of the process counts.
    this.qmp.command('quit').catch(() => this.kill());
    await this.ended;
    clearTimeout(timer);
  }

  /** Kills qemu at once and removes its files, for callers that cannot wait. */
  kill(): void {
    if (!this.#isRunning) return;
    this.#ending = true;
    this.keepsAlive = true;
    this.#killGroup();
    removeDirectory(this.directory);
  }

  #killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
    }
  }

  #cleanUp(): void {
    this.qmp.close();
    for (const socket of this.#sockets) socket.destroy();
    removeDirectory(this.directory);
    this.#watchdog?.dismiss();
  }
}
