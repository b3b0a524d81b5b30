/** Builds output as bytes. For a hundred thousand lines, strings would cost more than all other work. */
import { encodeText } from '../../base/index.js';

const zero = 0x30;
/** Smaller numbers are converted with 32-bit arithmetic. */
const fastLimit = 2 ** 31;

export class LineWriter {
  #bytes: Uint8Array;
  #length = 0;

  /** `capacity`: the initial size in bytes; the buffer grows as needed. */
  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** How many bytes are there. */
  get length(): number {
    return this.#length;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  /** Text of ASCII only. */
  ascii(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < text.length; index++) bytes[at++] = text.charCodeAt(index);
    this.#length = at;
  }

  /** Any text, encoded by {@link encodeText}. */
  text(text: string): void {
    const bytes = encodeText(text);
    this.copy(bytes, 0, bytes.length);
  }

  /** The bytes of `source` from `start` to before `end`. */
  copy(source: Uint8Array, start: number, end: number): void {
    this.#reserve(end - start);
    const bytes = this.#bytes;
    let at = this.#length;
    for (let from = start; from < end; from++) bytes[at++] = source[from] as number; // safe: the caller's bounds
    this.#length = at;
  }

  /** A number in decimal. */
  number(value: number): void {
    if (!(value >= 0 && value < fastLimit && Number.isInteger(value))) return this.ascii(String(value));
    let digits = 1;
    for (let limit = 10; limit <= value; limit *= 10) digits++;
    this.digits(value, digits);
  }

  /** The last `count` decimal digits of a whole number below 2^31, with leading zeroes. */
  digits(value: number, count: number): void {
    this.#reserve(count);
    let left = value | 0;
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const rest = (left / 10) | 0;
      this.#bytes[at] = zero + left - rest * 10;
      left = rest;
    }
    this.#length += count;
  }

  /** The bytes so far, valid until the next change. The writer starts again. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return taken;
  }
}
