/** Several handles on one image, for programs that do several things at once. */
import type { CallControls, HostPath } from '../../api/index.js';
import { AbortError, GuestfsError } from '../../base/index.js';
import type { Guestfs } from '../guestfs.js';
import { cancelledError } from '../queue.js';
import { type GuestImageOptions, openImage } from './open-image.js';
import { launchCopy, prepareCopy, type SessionCopy, tellSession } from './session-copy.js';

/** How a pool opens its image, and how many handles it has. */
export interface GuestfsPoolOptions extends Omit<GuestImageOptions, 'readonly' | 'signal' | 'onProgress'> {
  /** The most handles that are open at a time: 1 to 64. */
  readonly max: number;
}

/** Each handle has a thread with a memory of its own. */
const mostHandles = 64;

interface Waiting {
  take(g: Guestfs): void;
  refuse(error: unknown): void;
}

/**
 * Handles on one image, opened as by `openImage` and read-only: as many as are wanted at once, up to `max`. A handle is
 * one caller's from `acquire` to `release`, so that a slow stream of one caller never delays a call of another. Callers
 * for whom there is none wait in their order.
 *
 *     await using pool = new GuestfsPool('debian.qcow2', { max: 4 });
 *     const [hosts, fstab] = await Promise.all(['/etc/hosts', '/etc/fstab'].map((path) => pool.use((g) => g.cat(path))));
 *
 * The first handle is opened when it is first wanted. A handle whose session has ended is replaced.
 */
export class GuestfsPool {
  static {
    Object.defineProperty(GuestfsPool, 'name', { value: 'GuestfsPool' });
  }

  readonly #files: HostPath | URL | readonly (HostPath | URL)[];
  readonly #options: GuestImageOptions;
  readonly #max: number;
  /** The last one used is the next one. */
  readonly #idle: Guestfs[] = [];
  readonly #inUse = new Set<Guestfs>();
  /** Handles that are being opened, or wait until the calls of their last caller are done. */
  #coming = 0;
  readonly #waiting = new Set<Waiting>();
  readonly #closing = new AbortController();
  #closed: Promise<void> | undefined;
  /** The first handle, and what it was when it was open: others become the same without inspecting. */
  #model: { readonly g: Guestfs; readonly copy: SessionCopy } | undefined;
  #opening: Promise<Guestfs> | undefined;
  /** What must end before the pool is closed. */
  readonly #ends = new Set<Promise<void>>();

  /** Opens nothing yet. Throws RangeError for a `max` that is no whole number from 1 to 64. */
  constructor(files: HostPath | URL | readonly (HostPath | URL)[], options: GuestfsPoolOptions) {
    const { max, ...open } = options;
    if (!(Number.isInteger(max) && max >= 1 && max <= mostHandles))
      throw new RangeError(`GuestfsPool: max must be a whole number from 1 to ${mostHandles}, not ${max}`);
    this.#files = files;
    this.#options = open;
    this.#max = max;
  }

  /** How many handles are open, or are being opened. */
  get size(): number {
    return this.#idle.length + this.#inUse.size + this.#coming;
  }

  /** How many callers wait for a handle. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * A handle for the caller alone, until `release`: launched, with the filesystems mounted read-only. The caller leaves
   * mounts and settings as they are. Rejects as `openImage`; with ECANCELED by `signal` and when the pool is closed.
   */
  acquire({ signal }: Pick<CallControls, 'signal'> = {}): Promise<Guestfs> {
    return new Promise((resolve, reject) => {
      if (this.#closed !== undefined) return reject(new GuestfsError('EBADF', 'the pool is closed'));
      if (signal?.aborted === true) return reject(cancelledError(signal.reason));
      const abort = (): void => waiting.refuse(cancelledError(signal?.reason));
      const settled = (): void => {
        this.#waiting.delete(waiting);
        signal?.removeEventListener('abort', abort);
      };
      const waiting: Waiting = {
        take: (g) => {
          settled();
          this.#inUse.add(g);
          resolve(g);
        },
        refuse: (error) => {
          settled();
          reject(error);
        },
      };
      this.#waiting.add(waiting);
      signal?.addEventListener('abort', abort, { once: true });
      this.#serve();
    });
  }

  /**
   * Gives a handle back. If calls of it still run, it waits for them before it goes to another caller. TypeError for a
   * handle that was not acquired.
   */
  release(g: Guestfs): void {
    if (!this.#inUse.delete(g)) {
      if (this.#closed !== undefined) return; // closing took it back
      throw new TypeError('release: this handle was not acquired from this pool');
    }
    // The answer of a busy handle comes when all calls before it are done.
    if (g.state === 'busy') {
      const same = (): Guestfs => g;
      this.#await(g.pingDaemon().then(same, same));
    } else this.#take(g);
  }

  /** Does some work with a handle of the pool, which is given back when the promise of `work` settles. */
  async use<T>(
    work: (g: Guestfs) => T | Promise<T>,
    controls: Pick<CallControls, 'signal'> = {},
  ): Promise<T> {
    const g = await this.acquire(controls);
    try {
      return await work(g);
    } finally {
      this.release(g);
    }
  }

  /**
   * Refuses those who wait, cancels what runs, and closes all handles, those in use too. Resolves when everything is
   * gone. A second call gives the same promise.
   */
  close(): Promise<void> {
    this.#closed ??= this.#endAll();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A handle that nobody has: it goes to the first who waits. One whose session has ended is given up. */
  #take(g: Guestfs): void {
    if (g.state === 'ready' && this.#closed === undefined) this.#idle.push(g);
    else this.#end(g);
    this.#serve();
  }

  /** Takes a handle that comes later. If it does not come, that is the failure of the first who waits. */
  #await(coming: Promise<Guestfs>): void {
    this.#coming++;
    const end = coming
      .then(
        (g) => {
          this.#coming--;
          this.#take(g);
        },
        (thrown) => {
          this.#coming--;
          const [first] = this.#waiting;
          first?.refuse(thrown);
          this.#serve();
        },
      )
      .finally(() => this.#ends.delete(end));
    this.#ends.add(end);
  }

  /** Gives idle handles to those who wait, and opens as many as are lacking. */
  #serve(): void {
    for (const waiting of this.#waiting) {
      const g = this.#idle.pop();
      if (g === undefined) break;
      if (g.state === 'ready') waiting.take(g);
      else {
        this.#end(g);
        return this.#serve();
      }
    }
    if (this.#closed !== undefined) return;
    while (this.#coming < this.#waiting.size && this.size < this.#max) this.#await(this.#open());
  }

  /** The first handle is opened alone, and the others are made after it. */
  async #open(): Promise<Guestfs> {
    const { signal } = this.#closing;
    const model = this.#model;
    if (model !== undefined) {
      const g = await model.g[launchCopy](model.copy, { signal });
      this.#prepareNext(g);
      return g;
    }
    if (this.#opening !== undefined) {
      await this.#opening.catch(() => {}); // the failure of whoever it was opened for
      return await this.#open();
    }
    this.#opening = this.#openFirst(signal);
    try {
      return await this.#opening;
    } finally {
      this.#opening = undefined;
    }
  }

  async #openFirst(signal: AbortSignal): Promise<Guestfs> {
    const { g } = await openImage(this.#files, { ...this.#options, readonly: true, signal });
    try {
      this.#prepareNext(g);
      this.#model = { g, copy: await g[tellSession]({ signal }) };
      return g;
    } catch (thrown) {
      await g.close();
      throw thrown;
    }
  }

  /** Has a thread started for the handle that may be wanted next. */
  #prepareNext(g: Guestfs): void {
    if (this.size < this.#max) g[prepareCopy]();
  }

  /** Closes a handle. A failure was told to those whose calls it had. */
  #end(g: Guestfs): void {
    const end = g.close().then(
      () => {},
      () => {},
    );
    this.#ends.add(end);
    void end.then(() => this.#ends.delete(end));
  }

  async #endAll(): Promise<void> {
    const closed = new AbortError('the pool was closed');
    for (const waiting of [...this.#waiting]) waiting.refuse(closed);
    this.#closing.abort(closed);
    for (const g of [...this.#idle.splice(0), ...this.#inUse]) this.#end(g);
    this.#inUse.clear();
    while (this.#ends.size > 0) await Promise.all(this.#ends);
  }
}
