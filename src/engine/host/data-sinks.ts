/**
 * The far end of `fileOut` and `fileIn` arguments: a file of the host, which the worker reads or writes itself, or a
 * stream of the caller, whose chunks go through the port.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { hostError } from '../../base/index.js';
import type { DataSink } from './copy-data.js';

/** Where a fileOut argument's bytes go. Ended by `finish` or, when the call fails, by `abandon`. */
export interface FileOutSink extends DataSink {
  finish(): void;
  abandon(): void;
}

/** Where a fileIn argument's bytes come from. */
export interface FileInSource {
  /** Reads up to `into.length` bytes; 0 at the end. */
  read(into: Uint8Array): number;
  /** All that is left in bytes, where it is known. */
  readonly sizeInBytes: number | undefined;
  close(): void;
}

const zeroes = new Uint8Array(256 * 1024);

/** Hands a taker that cannot skip `length` zeroes in pieces. */
export function writeZeroes(to: Pick<DataSink, 'write'>, length: number): void {
  for (let left = length; left > 0; left -= zeroes.length)
    to.write(zeroes.subarray(0, Math.min(left, zeroes.length)));
}

/** Memory to sleep on, in which nothing ever changes. */
const asleep = new Int32Array(new SharedArrayBuffer(4));
/** How long to sleep until a pipe has room, in milliseconds: at first less than a quick reader needs to make some. */
const shortestNap = 0.05;
/** A call that waits for another process hears its cancellation after this at the latest. */
const longestNap = 20;

/** Waits for somebody else, who may never come, without holding up a cancellation or the end of the thread. */
class Patience {
  readonly #checkpoint: () => void;
  #nap = shortestNap;

  constructor(checkpoint: () => void) {
    this.#checkpoint = checkpoint;
  }

  /** Sleeps a little, longer each time. Throws what the checkpoint throws. */
  wait(): void {
    this.#checkpoint();
    Atomics.wait(asleep, 0, 0, this.#nap);
    this.#nap = Math.min(2 * this.#nap, longestNap);
  }

  rewarded(): void {
    this.#nap = shortestNap;
  }
}

const codeOf = (thrown: unknown): unknown => (thrown as { code?: unknown } | null)?.code;

/** Writes to a descriptor that somebody else opens and closes. */
export class DescriptorSink implements DataSink {
  readonly #fd: number;
  readonly #path: string;
  readonly #patience: Patience;
  readonly #seekable: boolean;
  #position = 0;
  #endsInHole = false;

  constructor(fd: number, path: string, checkpoint: () => void) {
    this.#fd = fd;
    this.#path = path;
    this.#patience = new Patience(checkpoint);
    this.#seekable = this.#try(() => fstatSync(fd).isFile());
  }

  #try<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw hostError(this.#path, thrown);
    }
  }

  write(bytes: Uint8Array): void {
    this.#try(() => {
      for (let done = 0; done < bytes.length; ) {
        const count = this.#writeSome(bytes, done);
        done += count;
        this.#position += count;
      }
    });
    if (bytes.length > 0) this.#endsInHole = false;
  }

  /** As much as a pipe has room for. */
  #writeSome(bytes: Uint8Array, done: number): number {
    const position = this.#seekable ? this.#position : null;
    for (;;) {
      try {
        const count = writeSync(this.#fd, bytes, done, bytes.length - done, position);
        this.#patience.rewarded();
        return count;
      } catch (thrown) {
        if (codeOf(thrown) !== 'EAGAIN') throw thrown;
        this.#patience.wait();
      }
    }
  }

  hole(length: number): void {
    if (!this.#seekable) return writeZeroes(this, length);
    this.#position += length;
    this.#endsInHole = length > 0 || this.#endsInHole;
  }

  /** All was written: gives a file that ends in a hole its length. */
  settle(): void {
    if (this.#endsInHole) this.#try(() => ftruncateSync(this.#fd, this.#position));
  }
}

// Windows lacks the flags, and what they are about.
const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
/** A pipe or a terminal must never keep the thread waiting in the kernel, where nothing could wake it. */
const patientFlags = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY;

/** Opens a pipe once it has a reader; other files at once. */
function openPatiently(path: string, checkpoint: () => void): number {
  const patience = new Patience(checkpoint);
  for (;;) {
    try {
      return openSync(path, patientFlags | O_TRUNC, 0o666);
    } catch (thrown) {
      if (codeOf(thrown) !== 'ENXIO' || !statSync(path).isFIFO()) throw thrown;
      patience.wait();
    }
  }
}

/** A host file that is written. Created or emptied at once; a file that was not there before is removed when the call fails. */
export class HostFileSink implements FileOutSink {
  readonly #path: string;
  #fd: number;
  readonly #created: boolean;
  readonly #sink: DescriptorSink;

  /**
   * `checkpoint` is asked while a pipe has no reader, or no room, and throws to end that. `touch` is called before something
   * is changed that stays when the call fails: what was there before, but not a file that is removed then.
   */
  constructor(path: string, checkpoint: () => void, touch: () => void) {
    this.#path = path;
    let fd: number | undefined;
    let created = false;
    try {
      try {
        fd = openSync(path, patientFlags | O_EXCL, 0o666);
        created = true;
      } catch (thrown) {
        if (codeOf(thrown) !== 'EEXIST') throw thrown;
        touch();
        fd = openPatiently(path, checkpoint);
      }
      this.#sink = new DescriptorSink(fd, path, checkpoint);
    } catch (thrown) {
      if (fd !== undefined) closeSync(fd);
      throw hostError(String(path), thrown);
    }
    this.#fd = fd;
    this.#created = created;
  }

  write(bytes: Uint8Array): void {
    this.#sink.write(bytes);
  }

  hole(length: number): void {
    this.#sink.hole(length);
  }

  finish(): void {
    this.#sink.settle();
    try {
      this.#close();
    } catch (thrown) {
      throw hostError(this.#path, thrown);
    }
  }

  abandon(): void {
    try {
      this.#close();
      // Another program may have removed or replaced the file meanwhile; then nothing is ours to remove.
      if (this.#created) rmSync(this.#path, { force: true });
    } catch (thrown) {
      throw hostError(this.#path, thrown);
    }
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = -1;
    if (fd >= 0) closeSync(fd);
  }
}

/** A host file that is read. */
export class HostFileSource implements FileInSource {
  readonly #path: string;
  #fd: number;
  readonly sizeInBytes: number | undefined;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'r');
      const stats = fstatSync(this.#fd);
      this.sizeInBytes = stats.isFile() ? stats.size : undefined;
    } catch (thrown) {
      throw hostError(String(path), thrown);
    }
  }

  read(into: Uint8Array): number {
    try {
      return readSync(this.#fd, into, 0, into.length, null);
    } catch (thrown) {
      throw hostError(this.#path, thrown);
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
