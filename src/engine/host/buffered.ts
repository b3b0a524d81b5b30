/** Combines many small writes into few large ones on their way to a sink. */
import { encodeText } from '../../base/index.js';
import type { DataSink } from './copy-data.js';
import { writeZeroes } from './data-sinks.js';

const bufferLength = 1024 * 1024;

/** Written bytes go to `to` in pieces of a megabyte; `flush` sends the rest. */
export class BufferedSink implements DataSink {
  readonly keepsHoles = false;
  readonly #to: DataSink;
  readonly #buffer = new Uint8Array(bufferLength);
  #filled = 0;
  /** Bytes taken so far, holes included. */
  position = 0;

  constructor(to: DataSink) {
    this.#to = to;
  }

  write(bytes: Uint8Array): void {
    this.position += bytes.length;
    if (this.#filled + bytes.length > bufferLength) this.flush();
    if (bytes.length >= bufferLength) return this.#to.write(bytes);
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** Writes zeroes, because the output has no holes. */
  hole(length: number): void {
    writeZeroes(this, length);
  }

  text(text: string): void {
    this.write(encodeText(text));
  }

  flush(): void {
    if (this.#filled === 0) return;
    const filled = this.#filled;
    this.#filled = 0;
    this.#to.write(this.#buffer.subarray(0, filled));
  }
}
