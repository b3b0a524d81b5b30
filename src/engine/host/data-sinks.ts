/**
 * The host's side of `fileOut` and `fileIn` arguments: a host file, which the worker reads or writes itself, or a
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
import type { DataSink, DataSource } from './copy-data.js';

/** The destination of a fileOut argument's bytes. Ended by `finish` or, if the call fails, by `abandon`. */
export interface FileOutSink extends DataSink {
  finish(): void;
  abandon(): void;
}

/** Where a fileIn argument's bytes come from. */
export interface FileInSource extends DataSource {
  close(): void;
}

const zeroes = new Uint8Array(256 * 1024);

/** Writes `length` zeroes in pieces, to a sink that cannot skip them. */
export function writeZeroes(to: Pick<DataSink, 'write'>, length: number): void {
  for (let left = length; left > 0; left -= zeroes.length)
    to.write(zeroes.subarray(0, Math.min(left, zeroes.length)));
}

/** Memory that never changes, for sleeping on. */
const asleep = new Int32Array(new SharedArrayBuffer(4));
/** How long to sleep until a pipe has room, in milliseconds: at first as short as the kernel can. */
const shortestNap = 0.001;
/** A call that waits for another process notices its cancellation within this time. */
const longestNap = 20;

/** Waits for another process, which may never answer, without delaying a cancellation or the end of the thread. */
class Patience {
  readonly #checkpoint: () => void;
  #nap = shortestNap;

  constructor(checkpoint: () => void) {
    this.#checkpoint = checkpoint;
  }

  /** Sleeps a little, longer each time. Throws the checkpoint's errors. */
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

/** Writes to a descriptor that its owner opens and closes. */
export class DescriptorSink implements DataSink {
  readonly #fd: number;
  readonly #path: string;
  readonly #patience: Patience;
  /** Where it is a file: a pipe or a device has no place for them. */
  readonly keepsHoles: boolean;
  #position = 0;
  #endsInHole = false;

  constructor(fd: number, path: string, checkpoint: () => void) {
    this.#fd = fd;
    this.#path = path;
    this.#patience = new Patience(checkpoint);
    this.keepsHoles = this.#try(() => fstatSync(fd).isFile());
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
    const position = this.keepsHoles ? this.#position : null;
    const { stackTraceLimit } = Error;
    // A pipe that is full is an error thousands of times, and what it costs is its trace.
    Error.stackTraceLimit = 0;
    try {
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
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }

  hole(length: number): void {
    if (!this.keepsHoles) return writeZeroes(this, length);
    this.#position += length;
    this.#endsInHole = length > 0 || this.#endsInHole;
  }

  /** Everything is written: sets the length of a file that ends in a hole. */
  settle(): void {
    if (this.#endsInHole) this.#try(() => ftruncateSync(this.#fd, this.#position));
  }
}

// Windows lacks these flags, and the features behind them.
const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
/** A pipe or a terminal must never block the thread in the kernel, where nothing could wake it. */
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

/**
 * A host file for writing. It is created or emptied by the first write, so a call that fails before has changed
 * nothing; a file that is new is removed if the call fails.
 */
export class HostFileSink implements FileOutSink {
  readonly #path: string;
  readonly #checkpoint: () => void;
  readonly #touch: () => void;
  #fd = -1;
  #created = false;
  #sink: DescriptorSink | undefined;

  /**
   * `checkpoint` is asked while a pipe has no reader, or no room, and throws to end that. `touch` is called before
   * something is changed that stays when the call fails: what was there before, but not a file that is removed then.
   */
  constructor(path: string, checkpoint: () => void, touch: () => void) {
    this.#path = path;
    this.#checkpoint = checkpoint;
    this.#touch = touch;
  }

  /** What is not there yet will be a file. */
  get keepsHoles(): boolean {
    if (this.#sink !== undefined) return this.#sink.keepsHoles;
    try {
      return statSync(this.#path, { throwIfNoEntry: false })?.isFile() ?? true;
    } catch {
      return true; // opening it has the error
    }
  }

  write(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#open().write(bytes);
  }

  hole(length: number): void {
    if (length > 0) this.#open().hole(length);
  }

  finish(): void {
    this.#open().settle();
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

  #open(): DescriptorSink {
    this.#sink ??= this.#openAnew();
    return this.#sink;
  }

  #openAnew(): DescriptorSink {
    try {
      try {
        this.#fd = openSync(this.#path, patientFlags | O_EXCL, 0o666);
        this.#created = true;
      } catch (thrown) {
        if (codeOf(thrown) !== 'EEXIST') throw thrown;
        this.#touch();
        this.#fd = openPatiently(this.#path, this.#checkpoint);
      }
      return new DescriptorSink(this.#fd, this.#path, this.#checkpoint);
    } catch (thrown) {
      throw hostError(String(this.#path), thrown);
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
