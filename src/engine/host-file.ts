/**
 * The far end of `fileOut` and `fileIn` arguments: a file of the host, which the worker reads or writes itself, or a
 * stream of the caller, whose chunks go through the port.
 */
import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { hostError } from '../base/index.js';
import type { Taker } from './mover.js';

/** Where a fileOut argument's bytes go. Ended by `finish` or, when the call fails, by `abandon`. */
export interface Sink extends Taker {
  finish(): void;
  abandon(): void;
}

/** Where a fileIn argument's bytes come from. */
export interface Source {
  /** Reads up to `into.length` bytes; 0 at the end. */
  read(into: Uint8Array): number;
  /** All that is left in bytes, where it is known. */
  readonly sizeInBytes: number | undefined;
  close(): void;
}

const zeroes = new Uint8Array(256 * 1024);

/** Hands a taker that cannot skip `length` zeroes in pieces. */
export function writeZeroes(to: Pick<Taker, 'write'>, length: number): void {
  for (let left = length; left > 0; left -= zeroes.length)
    to.write(zeroes.subarray(0, Math.min(left, zeroes.length)));
}

/** A host file that is written. Created or emptied at once; a file that was not there before is removed when the call fails. */
export class HostFileSink implements Sink {
  readonly #path: string | Buffer;
  #fd: number;
  readonly #created: boolean;
  readonly #seekable: boolean;
  #position = 0;
  #endsInHole = false;

  /** `exclusive`: a file that is there already is EEXIST. */
  constructor(path: string | Buffer, options: { mode?: number; exclusive?: boolean } = {}) {
    this.#path = path;
    const mode = options.mode ?? 0o666;
    let fd: number | undefined;
    let created = false;
    try {
      try {
        fd = openSync(path, 'wx', mode);
        created = true;
      } catch (thrown) {
        if (options.exclusive || (thrown as { code?: unknown }).code !== 'EEXIST') throw thrown;
        fd = openSync(path, 'w', mode);
      }
      this.#seekable = fstatSync(fd).isFile();
    } catch (thrown) {
      if (fd !== undefined) closeSync(fd);
      throw hostError(String(path), thrown);
    }
    this.#fd = fd;
    this.#created = created;
  }

  write(bytes: Uint8Array): void {
    try {
      for (let done = 0; done < bytes.length; ) {
        const position = this.#seekable ? this.#position : null;
        const count = writeSync(this.#fd, bytes, done, bytes.length - done, position);
        done += count;
        this.#position += count;
      }
    } catch (thrown) {
      throw hostError(String(this.#path), thrown);
    }
    if (bytes.length > 0) this.#endsInHole = false;
  }

  hole(length: number): void {
    if (!this.#seekable) return writeZeroes(this, length);
    this.#position += length;
    this.#endsInHole = length > 0 || this.#endsInHole;
  }

  finish(): void {
    try {
      if (this.#endsInHole) ftruncateSync(this.#fd, this.#position);
      this.#close();
    } catch (thrown) {
      throw hostError(String(this.#path), thrown);
    }
  }

  abandon(): void {
    try {
      this.#close();
      // Somebody else may have removed or replaced it meanwhile; then there is nothing of ours to remove.
      if (this.#created) rmSync(this.#path, { force: true });
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
export class HostFileSource implements Source {
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
      throw hostError(String(this.#path), thrown);
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
