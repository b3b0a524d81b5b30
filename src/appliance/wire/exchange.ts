/**
 * One call: the request with its uploaded file, the reply with its downloaded file, and every way in which these end
 * early.
 *
 * The caller's answer and the wire are separate. A call that is given up (cancelled, its file unreadable or its sink
 * full) rejects at once, but the daemon may still be working. The wire is free again only after the daemon's last
 * message, and everything until then is read and dropped.
 */
import type { FileSink, FileSource } from '../../api/index.js';
import { AbortError, asGuestfsError, GuestfsError } from '../../base/index.js';
import { decodeResult, encodeArguments, type WireAction } from './codec.js';
import { type DaemonVersion, lackSaidBy } from './compat.js';
import { Download, type Flow } from './download.js';
import {
  beforeBody,
  cancelFlag,
  type DaemonError,
  failureOf,
  longestMessage,
  type MessageHeader,
  readError,
  wordLength,
  writeHeader,
} from './protocol.js';
import { sinkFor } from './sinks.js';
import { openSource } from './sources.js';
import { type Send, Upload } from './upload.js';
import { ProtocolError, type XdrReader, XdrWriter } from './xdr.js';

/** The connection, as a call sees it. */
export interface Wire extends Flow {
  readonly send: Send;
  /** Sends without telling when. */
  post(bytes: Buffer): void;
  /** Whether what comes next are chunks. */
  expectChunks(expected: boolean): void;
}

interface WireRequest {
  readonly name: string;
  readonly action: WireAction;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly serial: number;
  readonly daemon: DaemonVersion;
  /** Gets the number of bytes of each piece of the file that comes out. */
  readonly received?: ((bytes: number) => void) | undefined;
}

/** Callbacks for the end of the call; each is called once. */
export interface Outcome {
  succeeded(value: unknown): void;
  failed(error: GuestfsError, said: DaemonError | undefined): void;
  /** The daemon has finished: the next call may start. */
  over(): void;
}

export class Exchange {
  readonly #request: WireRequest;
  readonly #wire: Wire;
  readonly #outcome: Outcome;
  /**
   * `waiting`: nothing is sent. `called`: the reply is awaited. `chunks`: the reply came, and its file is arriving.
   */
  #stage: 'waiting' | 'called' | 'chunks' | 'over' = 'waiting';
  /** The caller has its answer, or will get it independently of the data that still arrives. */
  #settled = false;
  #upload: Upload | undefined;
  #download: Download | undefined;
  readonly #sink: FileSink | undefined;

  constructor(request: WireRequest, wire: Wire, outcome: Outcome) {
    this.#request = request;
    this.#wire = wire;
    this.#outcome = outcome;
    // safe: a fileOut is a FileSink, as the caller's arguments were checked
    this.#sink = this.#file('fileOut') as FileSink | undefined;
  }

  get serial(): number {
    return this.#request.serial;
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Whether the caller follows its progress by the bytes that come out. */
  get isFollowed(): boolean {
    return this.#request.received !== undefined;
  }

  get over(): boolean {
    return this.#stage === 'over';
  }

  /** The file argument. No procedure has two. */
  #file(type: 'fileIn' | 'fileOut'): unknown {
    const { action, args } = this.#request;
    const index = action.args.findIndex((argument) => argument.type === type);
    return index < 0 ? undefined : args[index];
  }

  /** Called once, when the wire is free. */
  start(): void {
    const given = this.#file('fileIn');
    if (given === undefined) this.#call(0);
    else void this.#callWithFile(given as FileSource); // safe: as for the sink
  }

  async #callWithFile(given: FileSource): Promise<void> {
    let upload: Upload;
    try {
      const source = await openSource(given);
      // While the file was opened, the call was cancelled or the connection was lost. Otherwise the request could not
      // be made.
      if (this.over || !this.#call(source.sizeInBytes ?? 0)) return source.close();
      upload = new Upload(source, this.#wire.send);
      this.#upload = upload;
    } catch (thrown) {
      this.#fail(thrown);
      return this.#finish();
    }
    try {
      await upload.run();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  /** Sends the request. False, with the call failed, if it cannot be made. */
  #call(progressHint: number): boolean {
    const { name, action, args, options, serial, daemon } = this.#request;
    try {
      const writer = new XdrWriter(beforeBody);
      const optionsMask = encodeArguments(writer, action, args, options, daemon.lackedOptions[name]);
      const length = writer.length - wordLength;
      if (length > longestMessage)
        throw new GuestfsError(
          'EMSGSIZE',
          `the arguments make a message of ${length} bytes, and ${longestMessage} are the most`,
        );
      const bytes = writer.finish();
      writeHeader(bytes, {
        proc: action.proc,
        serial,
        reply: false,
        failed: false,
        progressHint,
        optionsMask,
      });
      this.#stage = 'called';
      this.#wire.post(bytes);
      return true;
    } catch (thrown) {
      this.#fail(thrown);
      this.#finish();
      return false;
    }
  }

  /** Gives the call up. It rejects with ECANCELED, and the daemon gets a cancellation if it listens for one. */
  cancel(): void {
    if (this.#settled) return;
    if (this.#stage === 'waiting') this.#finish();
    else if (this.#stage !== 'over') {
      this.#upload?.stop();
      if (this.#sink !== undefined) this.#wire.post(cancelFlag);
    }
    this.#fail(new AbortError());
  }

  /** The connection is lost. */
  broke(error: GuestfsError): void {
    this.#upload?.stop();
    this.#fail(new GuestfsError(error.code, error.message, { cause: error }));
    this.#finish();
  }

  /** The daemon wants no more chunks. After the end chunk it sends a reply with the reason. */
  daemonCancelled(): void {
    if (this.#upload?.ended === false) this.#upload.stop();
  }

  /** The reply has come. */
  reply(header: MessageHeader, reader: XdrReader): void {
    const { action, serial } = this.#request;
    if (!header.reply) throw new ProtocolError('a request of its own');
    if (this.#stage !== 'called') throw new ProtocolError('a reply that nobody waits for');
    if (header.serial !== serial)
      throw new ProtocolError(`a reply to call ${header.serial} where ${serial} was made`);
    if (header.proc !== action.proc)
      throw new ProtocolError(`a reply to procedure ${header.proc} where ${action.proc} was called`);
    if (this.#upload?.ended === false) throw new ProtocolError('a reply before the end of the upload');
    if (header.failed) {
      const said = readError(reader);
      this.#fail(lackSaidBy(said) ?? failureOf(said), said);
      return this.#finish();
    }
    if (this.#sink !== undefined) {
      reader.end();
      this.#stage = 'chunks';
      this.#wire.expectChunks(true);
      if (!this.#settled) this.#download = this.#downloadTo(this.#sink);
      return;
    }
    if (!this.#settled) this.#decode(reader);
    this.#finish();
  }

  #decode(reader: XdrReader): void {
    try {
      const value = decodeResult(reader, this.#request.action);
      this.#settled = true;
      this.#outcome.succeeded(value);
    } catch (thrown) {
      // A number that is too large fails the call, but the connection is still good.
      if (thrown instanceof ProtocolError) throw thrown;
      this.#fail(thrown);
    }
  }

  #downloadTo(sink: FileSink): Download {
    return new Download(sinkFor(sink), this.#wire, (thrown) => {
      if (this.#stage === 'chunks' && !this.#settled) this.#wire.post(cancelFlag);
      this.#fail(thrown);
    });
  }

  /** A piece of the file that comes out. */
  data(piece: Buffer): void {
    this.#download?.push(piece);
    if (!this.#settled) this.#request.received?.(piece.length);
  }

  /** The file's last chunk. */
  end(cancelled: boolean): void {
    this.#wire.expectChunks(false);
    this.#finish();
    if (this.#settled) return;
    if (cancelled)
      return this.#fail(new GuestfsError('EIO', 'the daemon could not go on, and broke the transfer off'));
    void this.#download?.finish().then(() => {
      if (this.#settled) return;
      this.#settled = true;
      this.#outcome.succeeded(undefined);
    });
  }

  #fail(thrown: unknown, said?: DaemonError): void {
    if (this.#settled) return;
    this.#settled = true;
    const error = asGuestfsError(thrown);
    const tell = (): void => this.#outcome.failed(error, said);
    if (this.#download === undefined) tell();
    else void this.#download.abandon().then(tell);
  }

  #finish(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#outcome.over();
  }
}
