/**
 * Bits as XPRESS and LZX have them: from words of sixteen, the highest bit first. Whole bytes may stand between, behind
 * the words that were taken until then.
 */
export class WordBits {
  readonly #bytes: Uint8Array;
  #at: number;
  #bits = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Whether more was taken than there is: behind the end there are zeroes. */
  get isSpent(): boolean {
    return 8 * this.#at - this.#count > 8 * this.#bytes.length;
  }

  /** Makes sure that sixteen bits can be looked at. Writers count on it: a byte between lies behind the words of that. */
  fill(): void {
    if (this.#count >= 16) return;
    const at = this.#at;
    const word = (this.#bytes[at] ?? 0) | ((this.#bytes[at + 1] ?? 0) << 8);
    this.#at = at + 2;
    this.#bits |= word << (16 - this.#count);
    this.#count += 16;
  }

  /** The next `count` bits, from 1 to 16, which stay. After `fill`. */
  peek(count: number): number {
    return this.#bits >>> (32 - count);
  }

  drop(count: number): void {
    this.#bits <<= count;
    this.#count -= count;
  }

  /** Takes up to sixteen bits. */
  take(count: number): number {
    if (count === 0) return 0;
    this.fill();
    const value = this.#bits >>> (32 - count);
    this.#bits <<= count;
    this.#count -= count;
    return value;
  }

  /** Leaves the rest of a word, which is a whole one where the bits end with a word. */
  align(): void {
    if (this.#count === 0) this.fill();
    // A whole word behind the rest was only looked at.
    if (this.#count > 16) this.#at -= 2;
    this.#bits = 0;
    this.#count = 0;
  }

  /** A byte behind the words. */
  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** Bytes behind the words; fewer at the end. */
  slice(length: number): Uint8Array {
    const found = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return found;
  }
}
