/** Contents of a file that is open for writing, as the writer of a tree hands them out. */
import type { GrowableDisk, Span, ZeroOptions } from '../disk/index.js';

/** Who hears what is done to the contents. */
interface ContentsListener {
  wrote(): void;
  closed(): void;
}

/** A file's contents whose changes are told. */
export class ToldContents implements GrowableDisk {
  readonly sectorSize: number;
  readonly writable: boolean;
  readonly #contents: GrowableDisk;
  readonly #listener: ContentsListener;

  constructor(contents: GrowableDisk, listener: ContentsListener) {
    this.sectorSize = contents.sectorSize;
    this.writable = contents.writable;
    this.#contents = contents;
    this.#listener = listener;
  }

  get size(): number {
    return this.#contents.size;
  }

  read(into: Uint8Array, offset: number): void {
    this.#contents.read(into, offset);
  }

  span(offset: number, length: number): Span {
    return this.#contents.span(offset, length);
  }

  checkWritable(offset: number, length: number): void {
    this.#contents.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.#contents.write(from, offset);
    this.#listener.wrote();
  }

  zero(offset: number, length: number, options?: ZeroOptions): void {
    this.#contents.zero(offset, length, options);
    this.#listener.wrote();
  }

  resize(size: number): void {
    this.#contents.resize(size);
    this.#listener.wrote();
  }

  flush(): void {
    this.#contents.flush();
  }

  close(): void {
    this.#contents.close();
    this.#listener.closed();
  }
}
