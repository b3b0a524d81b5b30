/** Blocks of a filesystem that is being made, in memory until they are written. */
import { viewOf } from '../../../base/index.js';
import { type Disk, writeBlocks } from '../../../disk/index.js';

export class BlockWrites {
  readonly blockSize: number;
  readonly #blocks = new Map<number, Uint8Array>();
  /** Bytes written by {@link store} until now. */
  written = 0;

  constructor(blockSize: number) {
    this.blockSize = blockSize;
  }

  /** The bytes of a block that is to be written; zeroes at first. */
  block(number: number): Uint8Array {
    let bytes = this.#blocks.get(number);
    if (bytes === undefined) {
      bytes = new Uint8Array(this.blockSize);
      this.#blocks.set(number, bytes);
    }
    return bytes;
  }

  /** The block of a table that byte `offset` of it lies in, and where in the block. */
  within(first: number, offset: number): { readonly bytes: Uint8Array; readonly at: number } {
    const at = offset % this.blockSize;
    return { bytes: this.block(first + (offset - at) / this.blockSize), at };
  }

  view(number: number): DataView {
    return viewOf(this.block(number));
  }

  /** Writes all of them, and holds none any more. */
  store(disk: Disk): void {
    const { blockSize } = this;
    writeBlocks(
      disk,
      Array.from(this.#blocks, ([number, bytes]) => ({ start: number * blockSize, bytes })),
    );
    this.written += this.#blocks.size * blockSize;
    this.#blocks.clear();
  }
}
