/**
 * The connection to a guestfsd: calls one after another. If the daemon ends or breaks the protocol, the connection is
 * lost for good.
 *
 * guestfsd does one call at a time, and a call without a file cannot be interrupted there. A cancelled call rejects
 * at once, and the next call waits until the daemon has finished it.
 */
import type { Duplex } from 'node:stream';
import { firstSerial } from '../../api/index.js';
import { AbortError, asGuestfsError, GuestfsError } from '../../base/index.js';
import { withRealNames } from '../drives/device-names.js';
import type { WireAction } from './codec.js';
import { type DaemonVersion, identifyDaemon, lackOf, newestDaemon, saysUnknownProcedure } from './compat.js';
import { Exchange, type Outcome, type Wire } from './exchange.js';
import { FrameReader } from './frames.js';
import { wireAction } from './procedures.js';
import { type DaemonError, readHeader } from './protocol.js';
import { ProtocolError, XdrReader } from './xdr.js';

interface ConnectionEvents {
  /** The running call's progress as the daemon reports it. `total` 0 means unknown length. */
  progress(position: number, total: number): void;
  /** The connection was lost unexpectedly. Called once; the running call rejects too. */
  broken(error: GuestfsError): void;
}

/** For tests. */
export interface ConnectionOptions {
  /** The daemon reported earlier that it is up, because the guest resumes from a snapshot. */
  readonly alreadyLaunched?: boolean;
  /** The drives are added after the daemon has started: see device-names.ts. */
  readonly drivesComeLater?: boolean;
  /** What the daemon supports, if that is known; else {@link Connection.identify} can find out. */
  readonly daemon?: DaemonVersion;
}

/** Methods that sockets have and other streams lack. */
interface Holding {
  ref?(): unknown;
  unref?(): unknown;
}

/** How a procedure's call ends early, and who follows it. */
export interface ProcedureControl {
  readonly signal?: AbortSignal | undefined;
  /**
   * Gets the number of bytes of each piece of the file that the procedure writes. What the daemon itself says of its
   * progress is dropped then.
   */
  readonly received?: ((bytes: number) => void) | undefined;
}

export class Connection {
  /** Resolves when the daemon reports that it is up; rejects if the connection is lost before. */
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
  /** The call that has the wire, and the calls that wait for it. */
  #calls: Exchange[] = [];
  /**
   * The calls whose caller waits for an answer. The wire may be free already while a downloaded file is still being
   * written.
   */
  readonly #unanswered = new Set<Exchange>();
  #waitingForIdle: (() => void)[] = [];
  #lost: GuestfsError | undefined;

  /**
   * `socket` belongs to the connection from now on. Bytes that its write callback has reported as written are not
   * read any more.
   */
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
    // A caller that does not wait for the launch gets the loss through `broken`.
    this.launched.catch(() => {});
    this.#frames = new FrameReader({
      launched: () => this.#launch(),
      cancelled: () => this.#calls[0]?.daemonCancelled(),
      progress: ({ serial, position, total }) => {
        const call = this.#calls[0];
        if (call?.serial === serial && !call.settled && !call.isFollowed)
          this.#events.progress(position, total);
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

  /** What the daemon supports, as far as is known. */
  get daemon(): DaemonVersion {
    return this.#daemon;
  }

  /**
   * Calls a procedure by its libguestfs name, of the API or internal. Arguments are in the form of backends. A
   * procedure that the daemon lacks is ENOTSUP; a lost connection is EIO.
   */
  call(
    name: string,
    args: readonly unknown[],
    options: Readonly<Record<string, unknown>>,
    control: ProcedureControl,
  ): Promise<unknown> {
    const action = wireAction(name);
    if (action === undefined)
      return Promise.reject(new GuestfsError('ENOTSUP', 'the daemon has no such procedure'));
    const lack = lackOf(this.#daemon, name, action.proc, options);
    if (lack !== undefined) return Promise.reject(lack);
    const sent = withRealNames(action, args, this.#drivesComeLater);
    return new Promise((resolve, reject) => {
      this.#begin(
        { name, action, args: sent, options, received: control.received },
        control.signal,
        resolve,
        reject,
      );
    });
  }

  #begin(
    request: {
      name: string;
      action: WireAction;
      args: readonly unknown[];
      options: Readonly<Record<string, unknown>>;
      received?: ProcedureControl['received'];
    },
    signal: AbortSignal | undefined,
    resolve: (value: unknown) => void,
    reject: (error: GuestfsError, said?: DaemonError) => void,
  ): void {
    const lost = this.#lost;
    if (lost !== undefined) return reject(new GuestfsError('EIO', lost.message, { cause: lost }));
    if (signal?.aborted === true) return reject(new AbortError());
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

  /** A call is over, perhaps before it was sent. */
  #next(over: Exchange): void {
    const first = this.#calls[0] === over;
    this.#calls = this.#calls.filter((call) => call !== over);
    if (first) this.#calls[0]?.start();
    if (this.#calls.length > 0) return;
    for (const tell of this.#waitingForIdle.splice(0)) tell();
  }

  /** Cancels the running call, which rejects with ECANCELED. */
  cancel(): void {
    for (const call of [...this.#unanswered]) call.cancel();
  }

  /** Resolves when the daemon is idle, after cancelled calls too, or when the connection is lost. */
  idle(): Promise<void> {
    if (this.#calls.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waitingForIdle.push(resolve));
  }

  /** Finds out what the daemon supports, and remembers it. Takes a few short calls. */
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

  /** Ends the connection; the running call rejects. No further event is reported. */
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
