/**
 * Locks between launches of all processes. If nothing is cached yet, one launch builds or boots the appliance; the
 * others wait and use the result. Node has no file locks, so a child process, the program flock of util-linux, holds
 * the lock as long as its standard input is open. The death of this process closes that input.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { AbortError, GuestfsError } from '../../base/index.js';
import { findProgram } from './programs.js';

/** How often a lock that another launch holds is tried again, in milliseconds. */
const retryInMs = 100;
/** The exit status of flock if another process holds the lock. */
const held = 75;

interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long another may hold the lock. */
  readonly patienceInMs: number;
  /** Called once, if another launch holds the lock. */
  readonly waiting: () => void;
  /** The program. */
  readonly flock?: string;
}

/** A lock that is held. */
export class LaunchLock {
  readonly #holder: ChildProcess;
  readonly #ended: Promise<void>;

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
    this.#ended = new Promise((resolve) => {
      holder.once('close', () => resolve());
    });
  }

  /**
   * Takes the lock on a file, which is created if missing. Undefined if there is no flock program: two launches may
   * then do the same work. Rejects with GuestfsError: ECANCELED, ETIMEDOUT, EIO.
   */
  static async take(path: string, options: LockOptions): Promise<LaunchLock | undefined> {
    const program = findProgram(options.flock ?? 'flock');
    if (program === undefined) return undefined;
    const { signal, patienceInMs, waiting } = options;
    const end = performance.now() + patienceInMs;
    let told = false;
    for (;;) {
      const lock = await LaunchLock.#tryOnce(program, path);
      const isCancelled = signal?.aborted === true;
      if (isCancelled) await lock?.release();
      if (isCancelled) throw new AbortError('the launch was cancelled', { cause: signal.reason });
      if (lock !== undefined) return lock;
      if (!told) waiting();
      told = true;
      if (performance.now() > end)
        throw new GuestfsError(
          'ETIMEDOUT',
          `another launch has held ${path} for ${Math.round(patienceInMs / 1000)} seconds: end the process that holds it, which \`fuser ${path}\` names`,
        );
      await delay(retryInMs, undefined, signal === undefined ? {} : { signal }).catch(() => {}); // looked at above
    }
  }

  /** Undefined if another process holds the lock. */
  static #tryOnce(program: string, path: string): Promise<LaunchLock | undefined> {
    const hold = [
      '--nonblock',
      '--conflict-exit-code',
      String(held),
      path,
      '/bin/sh',
      '-c',
      'echo; exec cat',
    ];
    const holder = spawn(program, hold, { cwd: '/', stdio: ['pipe', 'pipe', 'pipe'] });
    return new Promise((resolve, reject) => {
      let said = '';
      const fail = (why: string): void =>
        reject(new GuestfsError('EIO', `${program} could not lock ${path}: ${why}`));
      holder.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4096);
      });
      holder.stdin.on('error', () => {}); // its end is told by `close`
      holder.once('error', (error) => fail(error.message));
      holder.stdout.once('data', () => resolve(new LaunchLock(holder)));
      holder.once('close', (status) => {
        if (status === held) resolve(undefined);
        else fail(said.trim() || `it ended with status ${status}`);
      });
    });
  }

  /** Releases the lock; resolves when its holder has ended. */
  async release(): Promise<void> {
    this.#holder.stdin?.end();
    await this.#ended;
  }
}
