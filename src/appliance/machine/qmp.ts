/**
 * The client of qemu's machine protocol, QMP: one JSON object a line in each direction. Source: qemu's
 * docs/interop/qmp-spec and its QAPI reference.
 *
 * qemu greets first, and then accepts only `qmp_capabilities` until the negotiation is done. Answers carry the `id`
 * of their command; events arrive at any time.
 */
import type { Duplex } from 'node:stream';
import { GuestfsError } from '../../base/index.js';

/**
 * The longest line, which is one message. `query-named-block-nodes` with 255 drives takes about a megabyte; the
 * schema takes a quarter of one.
 */
const longestLineInBytes = 16 * 2 ** 20;

/** How long qemu may take to answer a quick command, in milliseconds. */
const patienceInMs = 30_000;

const newline = 10;

/** An event that qemu sends: `STOP`, `SHUTDOWN`, `DEVICE_DELETED`, … For tests. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** qemu's refusal of a command. */
export class QmpError extends GuestfsError {
  override name = 'QmpError';
  /** qemu's own error class: `GenericError`, `DeviceNotFound`, `CommandNotFound`. */
  readonly qemuClass: string;
  /** qemu's sentence alone. */
  readonly description: string;

  constructor(command: string, qemuClass: string, description: string) {
    super('EIO', `qemu refused ${command}: ${description}`);
    this.qemuClass = qemuClass;
    this.description = description;
  }
}

interface Waiting {
  readonly command: string;
  resolve(value: unknown): void;
  reject(error: GuestfsError): void;
  readonly timer: NodeJS.Timeout | undefined;
}

/** An object of JSON, as QMP carries it. */
export type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Options of a command beside its name and arguments. */
interface QmpCommandOptions {
  /** The time limit for the answer; 0 for none. Default 30 seconds. */
  readonly timeoutInMs?: number;
}

/** One connection to a qemu. After `ended`, no event is reported and every command is refused. */
export class Qmp {
  readonly #stream: Duplex;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<(event: QmpEvent) => void>();
  #pieces: Buffer[] = [];
  #length = 0;
  #nextId = 1;
  #failure: GuestfsError | undefined;
  #greeted!: (greeting: Json) => void;
  #notGreeted!: (error: GuestfsError) => void;
  readonly #greeting: Promise<Json>;
  #version = '';

  constructor(stream: Duplex) {
    this.#stream = stream;
    this.#greeting = new Promise((resolve, reject) => {
      this.#greeted = resolve;
      this.#notGreeted = reject;
    });
    // The connection may fail before anybody waits for this promise.
    this.#greeting.catch(() => {});
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', (error) => this.#end(new GuestfsError('EIO', `qemu's monitor: ${error.message}`)));
    stream.on('close', () => this.#end(new GuestfsError('EPIPE', 'qemu closed its monitor')));
    stream.on('end', () => this.#end(new GuestfsError('EPIPE', 'qemu closed its monitor')));
  }

  /** The version in the greeting: `7.2.22`. Empty before {@link negotiate}. */
  get version(): string {
    return this.#version;
  }

  /** Calls a listener for events, until the returned function is called. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits for the greeting and leaves the negotiation mode. Rejects with GuestfsError (EPIPE, EPROTO, ETIMEDOUT). */
  async negotiate({ timeoutInMs = patienceInMs }: QmpCommandOptions = {}): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(lateError('the greeting', timeoutInMs)), timeoutInMs);
    });
    try {
      const greeting = await Promise.race([this.#greeting, late]);
      this.#version = versionOf(greeting);
    } finally {
      clearTimeout(timer);
    }
    await this.command('qmp_capabilities');
  }

  /**
   * Sends a command and resolves to its result. Rejects with QmpError if qemu refuses it, and with another
   * GuestfsError if the connection ends or the answer is late.
   */
  command(name: string, args?: Json, options: QmpCommandOptions = {}): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const { timeoutInMs = patienceInMs } = options;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const message = encodeCommand({ execute: name, ...(args ? { arguments: args } : {}), id });
      const timer =
        timeoutInMs === 0
          ? undefined
          : setTimeout(() => {
              this.#waiting.delete(id);
              reject(lateError(`the answer to ${name}`, timeoutInMs));
            }, timeoutInMs);
      this.#waiting.set(id, { command: name, resolve, reject, timer });
      this.#stream.write(message);
    });
  }

  /** Ends the connection; waiting commands are rejected. */
  close(): void {
    this.#end(new GuestfsError('EPIPE', "the connection to qemu's monitor was closed"));
  }

  #take(chunk: Buffer): void {
    let start = 0;
    for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, start)) {
      this.#pieces.push(chunk.subarray(start, at));
      const line = Buffer.concat(this.#pieces).toString('utf8');
      this.#pieces = [];
      this.#length = 0;
      start = at + 1;
      if (line.trim() !== '') this.#hear(line);
      if (this.#failure !== undefined) return;
    }
    if (start === chunk.length) return;
    this.#pieces.push(chunk.subarray(start));
    this.#length += chunk.length - start;
    if (this.#length > longestLineInBytes)
      this.#end(new GuestfsError('EPROTO', `qemu sent a line of more than ${longestLineInBytes} bytes`));
  }

  #hear(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch (cause) {
      return this.#end(
        new GuestfsError('EPROTO', `qemu's monitor sent no JSON: ${line.slice(0, 80)}`, { cause }),
      );
    }
    if (!isObject(message)) return this.#end(new GuestfsError('EPROTO', "qemu's monitor sent no object"));
    if (isObject(message.QMP)) return this.#greeted(message.QMP);
    if (typeof message.event === 'string') {
      const event = { event: message.event, data: isObject(message.data) ? message.data : {} };
      for (const listener of [...this.#listeners]) listener(event);
      return;
    }
    const waiting = typeof message.id === 'number' ? this.#waiting.get(message.id) : undefined;
    if (waiting === undefined) {
      // An answer without an id belongs to a line that qemu could not read. An answer with an unknown id belongs to a
      // command that timed out.
      if (message.id === undefined)
        this.#end(
          new GuestfsError('EPROTO', `qemu's monitor could not read a command: ${describe(message.error)}`),
        );
      return;
    }
    this.#waiting.delete(message.id as number); // safe: found by it
    clearTimeout(waiting.timer);
    const { error } = message;
    if (isObject(error))
      waiting.reject(new QmpError(waiting.command, String(error.class), String(error.desc)));
    else waiting.resolve(message.return);
  }

  #end(error: GuestfsError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#pieces = [];
    this.#notGreeted(error);
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
    this.#listeners.clear();
    this.#stream.destroy();
  }
}

/** Half a surrogate pair stands for a byte that is not text. JSON can write it, but qemu refuses the whole line. */
const loneSurrogate = /\p{Surrogate}/u;

/** A line for qemu. Throws GuestfsError (EILSEQ). */
function encodeCommand(command: Json): string {
  const text = JSON.stringify(command, (_key, value: unknown) => {
    if (typeof value === 'string' && loneSurrogate.test(value))
      throw new GuestfsError('EILSEQ', `${JSON.stringify(value)}: qemu cannot be told what is not UTF-8`);
    return value;
  });
  return `${text}\n`;
}

const describe = (error: unknown): string =>
  isObject(error) && typeof error.desc === 'string' ? error.desc : 'it does not say why';

function lateError(what: string, timeoutInMs: number): GuestfsError {
  return new GuestfsError(
    'ETIMEDOUT',
    `qemu's monitor: ${what} did not come within ${timeoutInMs / 1000} seconds`,
  );
}

/** The version in a greeting: only digits and dots, since it becomes part of file names. */
function versionOf(greeting: Json): string {
  const version = isObject(greeting.version) ? greeting.version : {};
  const qemu = isObject(version.qemu) ? version.qemu : {};
  return [qemu.major, qemu.minor, qemu.micro].map((part) => (typeof part === 'number' ? part : 0)).join('.');
}
