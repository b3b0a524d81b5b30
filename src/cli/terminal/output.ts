/**
 * Standard output and standard error. Written through their descriptors: `process.stdout` costs milliseconds to make, and
 * would turn a pipe that we share with others non-blocking.
 */
import { accessSync, constants, fstatSync, type Stats, write, writeSync } from 'node:fs';
import { encodeText } from '../../base/index.js';
import { ReaderGone } from '../command/failure.js';
import { visible } from './visible.js';

/** How long to wait before trying again when a non-blocking pipe is full, in milliseconds. */
const napInMs = 5;

/** Writes some of the bytes; gives how many. Resolves to 0 when there is no room now. */
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
    // A descriptor that was closed before we started: it is no terminal, and writing to it will say so.
    return undefined;
  }
}

export class Output {
  readonly #fd: number;
  #isTerminal: boolean | undefined;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get isTerminal(): boolean {
    // Asked the cheap way first: node:tty brings the whole of node:net with it.
    this.#isTerminal ??=
      statusOf(this.#fd)?.isCharacterDevice() === true &&
      process.getBuiltinModule('node:tty').isatty(this.#fd);
    return this.#isTerminal;
  }

  /** Columns of the terminal; 80 where there is none. */
  get columns(): number {
    const given = Number(process.env.COLUMNS);
    if (Number.isInteger(given) && given > 0) return given;
    const stream = this.#fd === 1 ? process.stdout : process.stderr;
    return this.isTerminal && stream.columns > 0 ? stream.columns : 80;
  }

  /** Text from inside an image: made visible on a terminal, as it is anywhere else. */
  name(text: string): string {
    return this.isTerminal ? visible(text) : text;
  }

  /** Writes everything, in order, and resolves when it is written. Rejects with {@link ReaderGone} on a broken pipe. */
  async write(content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === 'string' ? encodeText(content) : content;
    for (let done = 0; done < bytes.length; ) done += await writeSome(this.#fd, bytes, done);
  }

  async lines(lines: readonly string[]): Promise<void> {
    if (lines.length > 0) await this.write(`${lines.join('\n')}\n`);
  }

  /** Writes a little now, without waiting. What a full pipe does not take is lost: for messages only. */
  writeNow(text: string): void {
    const bytes = encodeText(text);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done);
    } catch (thrown) {
      const { code } = thrown as NodeJS.ErrnoException;
      if (code !== 'EAGAIN' && code !== 'EPIPE' && code !== 'EBADF' && code !== 'EIO') throw thrown;
    }
  }

  /**
   * Where an action with a `fileOut` argument should write so that its bytes come out here: the path of the descriptor, so
   * that the engine writes by itself, or a stream. A regular file must not be opened anew: that would empty it, and
   * forget the position that we share with the processes before us. A socket cannot be opened at all.
   */
  sink(): string | WritableStream<Uint8Array> {
    const status = statusOf(this.#fd);
    const path = `/dev/fd/${this.#fd}`;
    if (status?.isFIFO() || status?.isCharacterDevice()) {
      try {
        accessSync(path, constants.W_OK);
        return path;
      } catch {
        // Another user's terminal, or no /dev/fd: the stream below uses the descriptor that is open already.
      }
    }
    return new WritableStream<Uint8Array>({ write: (chunk) => this.write(chunk) });
  }
}

/** Where a command talks to. */
export interface Console {
  readonly out: Output;
  readonly err: Output;
}
