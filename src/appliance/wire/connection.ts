/**
 * The connection to a guestfsd: calls one after another, whatever happens on the way. When the daemon ends or sends
 * what it must not, the connection is lost for good.
 *
 * guestfsd does one call at a time and cannot be interrupted in one that has no file. A call that is cancelled there
 * rejects at once, and the next one waits until the daemon is done with it.
 */
import type { Duplex } from 'node:stream';
import type { CallControl } from '../../api/index.js';
import { asGuestfsError, GuestfsError } from '../../base/index.js';
import { withRealNames } from '../drives/device-names.js';
import type { WireAction } from './codec.js';
import { type DaemonVersion, identifyDaemon, lackOf, newestDaemon, saysUnknownProcedure } from './compat.js';
import { Exchange, type Outcome, type Wire } from './exchange.js';
import { FrameReader } from './frames.js';
import { wireAction } from './procedures.js';
import { type DaemonError, firstSerial, readHeader } from './protocol.js';
import { ProtocolError, XdrReader } from './xdr.js';

export interface ConnectionEvents {
  /** The running call has come this far, raw. `total` 0 is unknown length. */
  progress(position: number, total: number): void;
  /** The connection was lost, which nobody asked for. Once; the running call rejects too. */
  broken(error: GuestfsError): void;
}

export interface ConnectionOptions {
  /** The daemon has said before that it is up: in a guest that goes on from a kept state. */
  readonly alreadyLaunched?: boolean;
  /** The drives come when the daemon has started: see device-names.ts. */
  readonly drivesComeLater?: boolean;
  /** What the daemon has, where that is known; else {@link Connection.identify} may find out. */
  readonly daemon?: DaemonVersion;
}

/** What sockets have, and other streams have not. */
interface Holding {
  ref?(): unknown;
  unref?(): unknown;
}

export class Connection {
  /** Resolves when the daemon says that it is up; rejects when the connection is lost before. */
  readonly launched: Promise<void>;
  readonly #socket: Duplex;
  readonly #events: ConnectionEvents;
  readonly #frames: FrameReader;
  readonly #wire: Wire;
  readonly #drivesComeLater: boolean;
  #daemon: DaemonVersion;
  #serial = firstSerial;
  #isLaunched: boolean;
  #tellLaunched: () => void = () => {};
  #refuseLaunched: (error: GuestfsError) => void = () => {};
  /** The one that has the wire, and those that will. */
  #calls: Exchange[] = [];
  /** Those whose caller waits for an answer: perhaps, of one that is over, until its file is written. */
  readonly #unanswered = new Set<Exchange>();
  #waitingForIdle: (() => void)[] = [];
  #lost: GuestfsError | undefined;

  /** `socket` belongs to the connection from now on. What its write callback has told is done is not read any more. */
  constructor(socket: Duplex, events: ConnectionEvents, options: ConnectionOptions = {}) {
    this.#socket = socket;
    this.#events = events;
    this.#daemon = options.daemon ?? newestDaemon;
    this.#drivesComeLater = options.drivesComeLater ?? false;
    this.#isLaunched = options.alreadyLaunched ?? false;
    this.launched = this.#isLaunched
      ? Promise.resolve()
      : new Promise((resolve, reject) => {
          this.#tellLaunched = resolve;
          this.#refuseLaunched = reject;
        });
    // Who does not wait for the launch hears of the loss by `broken`.
    this.launched.catch(() => {});
    this.#frames = new FrameReader({
      launched: () => this.#launch(),
      cancelled: () => this.#calls[0]?.daemonCancelled(),
      progress: ({ serial, position, total }) => {
        const call = this.#calls[0];
        if (call?.serial === serial && !call.settled) this.#events.progress(position, total);
      },
      message: (bytes) => this.#reply(bytes),
      data: (piece) => this.#calls[0]?.data(piece),
      end: (cancelled) => this.#calls[0]?.end(cancelled),
    });
    this.#wire = {
      send: (bytes) => new Promise((resolve) => this.#write(bytes, () => resolve())),
      post: (bytes) => this.#write(bytes),
      expectChunks: (expected) => {
        this.#frames.expectsChunks = expected;
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    };
    socket.on('data', (bytes: Buffer) => this.#hear(bytes));
    socket.on('error', (error) =>
      this.#lose(
        new GuestfsError('EIO', `the connection to the appliance failed: ${error.message}`, { cause: error }),
      ),
    );
    for (const event of ['end', 'close']) socket.on(event, () => this.#lose(this.#endError()));
    this.#hold();
  }

  /** What the daemon has, as far as is known. */
  get daemon(): DaemonVersion {
    return this.#daemon;
  }

  /**
   * Calls a procedure by its libguestfs name, of the API or internal. Arguments are in the form that backends take. One that
   * the daemon lacks is ENOTSUP; a lost connection is EIO.
   */
  call(
    name: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    control: CallControl,
  ): Promise<unknown> {
    const action = wireAction(name);
    if (action === undefined)
      return Promise.reject(
        new GuestfsError('ENOTSUP', 'the daemon has no such procedure', { action: name }),
      );
    const lack = lackOf(this.#daemon, name, action.proc, options);
    if (lack !== undefined) return Promise.reject(lack);
    const sent = withRealNames(action, args, this.#drivesComeLater);
    return new Promise((resolve, reject) => {
      this.#begin({ name, action, args: sent, options }, control.signal, resolve, reject);
    });
  }

  #begin(
    request: {
      name: string;
      action: WireAction;
      args: readonly unknown[];
      options: Readonly<Record<string, unknown>>;
    },
    signal: AbortSignal | undefined,
    resolve: (value: unknown) => void,
    reject: (error: GuestfsError, said?: DaemonError) => void,
  ): void {
    const { name } = request;
    const lost = this.#lost;
    if (lost !== undefined)
      return reject(new GuestfsError('EIO', lost.message, { action: name, cause: lost }));
    if (signal?.aborted === true)
      return reject(new GuestfsError('ECANCELED', 'the call was cancelled', { action: name }));
    const cancel = (): void => call.cancel();
    const answered = (): void => {
      signal?.removeEventListener('abort', cancel);
      this.#unanswered.delete(call);
      this.#hold();
    };
    const outcome: Outcome = {
      succeeded: (value) => {
        answered();
        resolve(value);
      },
      failed: (error, said) => {
        answered();
        reject(error, said);
      },
      over: () => this.#next(call),
    };
    const serial = this.#serial;
    this.#serial = (serial + 1) >>> 0;
    const call = new Exchange({ ...request, serial, daemon: this.#daemon }, this.#wire, outcome);
    signal?.addEventListener('abort', cancel, { once: true });
    this.#unanswered.add(call);
    this.#hold();
    this.#calls.push(call);
    if (this.#calls.length === 1) call.start();
  }

  /** A call is over, perhaps before it began. */
  #next(over: Exchange): void {
    const first = this.#calls[0] === over;
    this.#calls = this.#calls.filter((call) => call !== over);
    if (first) this.#calls[0]?.start();
    if (this.#calls.length > 0) return;
    for (const tell of this.#waitingForIdle.splice(0)) tell();
  }

  /** Asks the running call to stop; it rejects with ECANCELED. */
  cancel(): void {
    for (const call of [...this.#unanswered]) call.cancel();
  }

  /** Resolves when the daemon does nothing any more, also for calls that were given up; or the connection is lost. */
  idle(): Promise<void> {
    if (this.#calls.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForIdle.push(resolve));
  }

  /** Finds out what the daemon has, and keeps to it. A few short calls. */
  async identify(): Promise<DaemonVersion> {
    this.#daemon = await identifyDaemon(
      (proc) =>
        new Promise((resolve, reject) => {
          const action: WireAction = { proc, args: [], result: { type: 'none' } };
          this.#begin(
            { name: `procedure ${proc}`, action, args: [], options: {} },
            undefined,
            () => resolve(true),
            (error, said) => (said === undefined ? reject(error) : resolve(!saysUnknownProcedure(said))),
          );
        }),
    );
    return this.#daemon;
  }

  /** Ends it; the running call rejects. Nothing is told any more. */
  close(): void {
    this.#end(new GuestfsError('EIO', 'the connection to the appliance was closed'));
  }

  #write(bytes: Buffer, done?: () => void): void {
    if (this.#lost === undefined) this.#socket.write(bytes, done);
    else done?.();
  }

  #hear(bytes: Buffer): void {
    try {
      this.#frames.push(bytes);
    } catch (thrown) {
      this.#lose(asGuestfsError(thrown));
    }
  }

  #launch(): void {
    if (this.#isLaunched) throw new ProtocolError('word of a second start: the appliance has rebooted');
    this.#isLaunched = true;
    this.#hold();
    this.#tellLaunched();
  }

  #reply(bytes: Buffer): void {
    const reader = new XdrReader(bytes);
    const header = readHeader(reader);
    const call = this.#calls[0];
    if (!this.#isLaunched || call === undefined) throw new ProtocolError('a message that nobody waits for');
    call.reply(header, reader);
  }

  /** The process stays alive as long as somebody waits for the daemon. */
  #hold(): void {
    const socket = this.#socket as Holding;
    if (this.#lost === undefined && (!this.#isLaunched || this.#unanswered.size > 0)) socket.ref?.();
    else socket.unref?.();
  }

  #endError(): GuestfsError {
    const when = this.#frames.atBorder ? '' : ', in the middle of a message';
    return new GuestfsError('EIO', `the appliance ended, or closed the connection${when}`);
  }

  #lose(error: GuestfsError): void {
    if (this.#lost !== undefined) return;
    this.#end(error);
    this.#events.broken(error);
  }

  #end(error: GuestfsError): void {
    if (this.#lost !== undefined) return;
    this.#lost = error;
    this.#frames.stop();
    this.#refuseLaunched(error);
    for (const call of [...this.#calls]) call.broke(error);
    this.#socket.destroy();
  }
}
