/**
 * Standard output and standard error, written through their descriptors. `process.stdout` would take milliseconds to
 * create, and would make a pipe non-blocking that we share with other processes.
 */
import { accessSync, constants, fstatSync, type Stats, write, writeSync } from 'node:fs';
import { borrowsChunks, encodeText } from '../../base/index.js';
import { deviceNumbers } from '../../formats/index.js';
import { ReaderGone } from '../command/failure.js';
import { PipeWriter } from './pipe-writer.js';
import { visible } from './visible.js';

/** The most bytes for which a call waits for the host's disk. */
const writtenAtOnce = 64 * 1024;
/** How long to wait before another try when a non-blocking pipe is full, in milliseconds. */
const napInMs = 5;

/** Linux's class of devices that are memory: /dev/null, /dev/zero and their kin. */
const memoryMajor = 1;

function mayBeTerminal(status: Stats | undefined): boolean {
  if (status?.isCharacterDevice() !== true) return false;
  return process.platform !== 'linux' || deviceNumbers(status.rdev).major !== memoryMajor;
}

/** What a write at once never waits for, so that it needs no thread of Node's pool: files, and devices of memory. */
function isAlwaysReady(status: Stats | undefined): boolean {
  return status?.isFile() === true || (status?.isCharacterDevice() === true && !mayBeTerminal(status));
}

/** Writes some of the bytes and resolves to their number; 0 if there is no room now. */
function writeSome(fd: number, bytes: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, offset, bytes.length - offset, null, (error, count) => {
      if (error === null) resolve(count);
      else if (error.code === 'EAGAIN') setTimeout(resolve, napInMs, 0);
      else if (error.code === 'EPIPE') reject(new ReaderGone());
      else reject(error);
    });
  });
}

function statusOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    // The descriptor was closed before we started. It is no terminal, and writing to it will fail.
    return undefined;
  }
}

export class Output {
  readonly #fd: number;
  #isTerminal: boolean | undefined;
  #isAlwaysReady: boolean | undefined;
  #pipeWriter: PipeWriter | undefined;
  /** Called before anything is written, but for {@link draw}. */
  beforeWrite: (() => void) | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get isTerminal(): boolean {
    // A cheap test comes first, because node:tty loads all of node:net.
    this.#isTerminal ??=
      mayBeTerminal(statusOf(this.#fd)) && process.getBuiltinModule('node:tty').isatty(this.#fd);
    return this.#isTerminal;
  }

  /** Columns of the terminal; 80 where there is none. */
  get columns(): number {
    const given = Number(process.env.COLUMNS);
    if (Number.isInteger(given) && given > 0) return given;
    const stream = this.#fd === 1 ? process.stdout : process.stderr;
    return this.isTerminal && stream.columns > 0 ? stream.columns : 80;
  }

  /** Text from inside an image, with control characters made visible, on a terminal and elsewhere. */
  name(text: string): string {
    return this.isTerminal ? visible(text) : text;
  }

  /** Writes everything, in order, and resolves when it is written. Rejects with {@link ReaderGone} on a broken pipe. */
  async write(content: string | Uint8Array): Promise<void> {
    this.beforeWrite?.();
    const bytes = typeof content === 'string' ? encodeText(content) : content;
    this.#isAlwaysReady ??= isAlwaysReady(statusOf(this.#fd));
    const small = this.#isAlwaysReady && bytes.length <= writtenAtOnce;
    for (let done = 0; done < bytes.length; )
      done += small ? writeSync(this.#fd, bytes, done) : await writeSome(this.#fd, bytes, done);
  }

  async lines(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.write(`${lines.join('\n')}\n`);
  }

  /**
   * Writes a little now, without waiting. What does not fit into a full pipe is lost, so this is for messages only.
   */
  writeNow(text: string): void {
    this.beforeWrite?.();
    this.draw(text);
  }

  /** As `writeNow`, for a line that goes away before anything else is written. */
  draw(text: string): void {
    const bytes = encodeText(text);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code !== 'EAGAIN' && code !== 'EPIPE' && code !== 'EBADF' && code !== 'EIO') throw thrown;
    }
  }

  /**
   * Where an action with a `fileOut` argument should write so that its bytes appear here: the path of the descriptor,
   * so that the engine writes by itself, or a stream. A regular file must not be opened again, since that would empty
   * it and lose the position that we share with earlier processes. A socket cannot be opened at all.
   */
  sink(): string | WritableStream<Uint8Array> {
    const status = statusOf(this.#fd);
    const path = `/dev/fd/${this.#fd}`;
    if (process.platform === 'linux' && status?.isFIFO()) return this.#pipe(path);
    // What is written to a terminal comes by `write`, as a line may be there that has to go away before.
    if (status?.isFIFO() || (status?.isCharacterDevice() && !this.isTerminal)) {
      try {
        accessSync(path, constants.W_OK);
        return path;
      } catch {
        // The pipe belongs to another user, or there is no /dev/fd: the stream below uses the open descriptor.
      }
    }
    return this.#stream();
  }

  #stream(): WritableStream<Uint8Array> {
    return new WritableStream<Uint8Array>({ write: (chunk) => this.write(chunk) });
  }

  #pipe(path: string): WritableStream<Uint8Array> {
    try {
      this.#pipeWriter ??= new PipeWriter(path);
    } catch {
      return this.#stream(); // it belongs to another user
    }
    const writer = this.#pipeWriter;
    const stream = new WritableStream<Uint8Array>({
      write: (chunk) => {
        this.beforeWrite?.();
        return writer.write(chunk);
      },
    });
    return Object.assign(stream, { [borrowsChunks]: true });
  }
}
