/** Contents of a file without the blocks that hold nothing but zeroes, which become holes. */
import { areZeroes } from '../../../disk/index.js';
import type { DataSink } from '../copy-data.js';

export class BlockSieve implements DataSink {
  readonly keepsHoles = true;
  readonly #blockSize: number;
  #give: (bytes: Uint8Array, at: number) => void = () => {};
  /** The block that is not whole yet. */
  readonly #block: Uint8Array;
  #filled = 0;
  /** Where the next whole block begins, or the one that is not whole. */
  #position = 0;

  constructor(blockSize: number) {
    this.#blockSize = blockSize;
    this.#block = new Uint8Array(blockSize);
  }

  /**
   * Begins with a file. `give` gets the rest of it, in order, from the starts of blocks on; the array is its own during
   * the call.
   */
  begin(give: (bytes: Uint8Array, at: number) => void): void {
    this.#give = give;
    this.#filled = 0;
    this.#position = 0;
  }

  write(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#filled > 0) {
      const part = rest.subarray(0, this.#blockSize - this.#filled);
      this.#block.set(part, this.#filled);
      this.#filled += part.length;
      if (this.#filled < this.#blockSize) return;
      this.#giveBlock();
      rest = rest.subarray(part.length);
    }
    const whole = rest.length - (rest.length % this.#blockSize);
    for (let at = 0; at < whole; ) {
      const start = at;
      while (at < whole && !this.#isZeroAt(rest, at)) at += this.#blockSize;
      if (at > start) this.#give(rest.subarray(start, at), this.#position + start);
      while (at < whole && this.#isZeroAt(rest, at)) at += this.#blockSize;
    }
    this.#position += whole;
    this.#block.set(rest.subarray(whole));
    this.#filled = rest.length - whole;
  }

  hole(length: number): void {
    let left = length;
    if (this.#filled > 0) {
      const part = Math.min(left, this.#blockSize - this.#filled);
      this.#block.fill(0, this.#filled, this.#filled + part);
      this.#filled += part;
      if (this.#filled < this.#blockSize) return;
      this.#giveBlock();
      left -= part;
    }
    this.#filled = left % this.#blockSize;
    this.#position += left - this.#filled;
    this.#block.fill(0, 0, this.#filled);
  }

  /** Gives what is left, at the end of the file. */
  end(): void {
    if (this.#filled > 0) this.#giveBlock();
  }

  #isZeroAt(bytes: Uint8Array, at: number): boolean {
    return areZeroes(bytes, at, Math.min(at + this.#blockSize, bytes.length));
  }

  #giveBlock(): void {
    const bytes = this.#block.subarray(0, this.#filled);
    if (!areZeroes(bytes)) this.#give(bytes, this.#position);
    this.#position += this.#filled;
    this.#filled = 0;
  }
}
