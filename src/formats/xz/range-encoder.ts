/** The range coder of LZMA, as it encodes: bits by probabilities that learn. Specification: as in lzma-encoder.ts. */

const probabilityStart = 1024; // one half of 2^11
const modelBits = 11;
const learning = 5;
const leastRange = 2 ** 24;
const word = 2 ** 32;
/** Bytes that the end of a chunk takes. */
const flushLength = 5;

export class RangeEncoder {
  readonly #probabilities: Uint16Array;
  #out = new Uint8Array(2 ** 16 + 64);
  #length = 0;
  /** Below 2^33: the bit above a word is carried into what was put out. */
  #low = 0;
  #range = word - 1;
  /** The last byte, which a carry may still change, and how many bytes of 0xff follow it. */
  #cache = 0;
  #pending = 0;

  constructor(probabilityCount: number) {
    this.#probabilities = new Uint16Array(probabilityCount);
    this.forget();
  }

  /** Everything is as likely as its contrary. */
  forget(): void {
    this.#probabilities.fill(probabilityStart);
  }

  begin(): void {
    this.#length = 0;
    this.#low = 0;
    this.#range = word - 1;
    this.#cache = 0;
    this.#pending = 0;
  }

  /** How many bytes come out at least, if it ends here. */
  get length(): number {
    return this.#length + 1 + this.#pending + flushLength;
  }

  /** Ends it. The bytes are valid until the next call. */
  finish(): Uint8Array {
    for (let i = 0; i < flushLength; i++) this.#shift();
    return this.#out.subarray(0, this.#length);
  }

  bit(model: number, value: number): void {
    const probability = this.#probabilities[model] as number; // safe: callers name models that there are
    const bound = (this.#range >>> modelBits) * probability;
    if (value === 0) {
      this.#range = bound;
      this.#probabilities[model] = probability + ((2 ** modelBits - probability) >>> learning);
    } else {
      this.#low += bound;
      this.#range -= bound;
      this.#probabilities[model] = probability - (probability >>> learning);
    }
    this.#normalize();
  }

  /** The bits of a value, the highest first, each by a model of those before. */
  tree(base: number, depth: number, value: number): void {
    for (let symbol = 1, bit = depth - 1; bit >= 0; bit--) {
      const one = (value >>> bit) & 1;
      this.bit(base + symbol, one);
      symbol = symbol * 2 + one;
    }
  }

  /** The same, the lowest first. */
  reverseTree(base: number, depth: number, value: number): void {
    for (let symbol = 1, bit = 0; bit < depth; bit++) {
      const one = (value >>> bit) & 1;
      this.bit(base + symbol, one);
      symbol = symbol * 2 + one;
    }
  }

  /** Bits that are as likely as their contrary, the highest first. */
  direct(count: number, value: number): void {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#range >>>= 1;
      if ((value >>> bit) & 1) this.#low += this.#range;
      this.#normalize();
    }
  }

  #normalize(): void {
    while (this.#range < leastRange) {
      this.#range *= 256;
      this.#shift();
    }
  }

  /** Takes the highest byte of the word, once no carry can change it any more. */
  #shift(): void {
    if (this.#low < 0xff00_0000 || this.#low >= word) {
      const carry = this.#low >= word ? 1 : 0;
      // The first byte of all is a zero.
      this.#out[this.#length++] = this.#cache + carry;
      for (; this.#pending > 0; this.#pending--) this.#out[this.#length++] = 0xff + carry;
      this.#cache = Math.floor(this.#low / leastRange) % 256;
    } else this.#pending++;
    this.#low = (this.#low % leastRange) * 256;
  }
}
