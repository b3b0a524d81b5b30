/** Canonical Huffman codes: symbols by the lengths of their words, which are in the order of the symbols. */
import { CorruptError } from '../errors.js';
import type { WordBits } from './word-bits.js';

const longestWord = 16;
/** Bits of the table that finds most symbols at once. */
const tableBits = 10;
const lengthMask = 0x1f;
const symbolShift = 5;

/** A decoder that is filled with one code after another. */
export class HuffmanCode {
  /** For each beginning of a word: its symbol, and its length below; 0 where the word is longer. */
  readonly #table = new Uint16Array(1 << tableBits);
  /** The symbols with a word, in the order of the words. */
  readonly #sorted: Uint16Array;
  /** For each length: the first word, and the place of its symbol. */
  readonly #first = new Int32Array(longestWord + 2);
  readonly #place = new Int32Array(longestWord + 2);
  readonly #count = new Int32Array(longestWord + 2);
  readonly #name: string;

  /** `symbols`: how many there may be. */
  constructor(name: string, symbols: number) {
    this.#name = name;
    this.#sorted = new Uint16Array(symbols);
  }

  /** Takes a code. CorruptError where there are more words than lengths allow. */
  set(lengths: Uint8Array, symbols: number): void {
    const count = this.#count.fill(0);
    for (let symbol = 0; symbol < symbols; symbol++) {
      const length = lengths[symbol] ?? 0;
      count[length] = (count[length] ?? 0) + 1;
    }
    count[0] = 0;
    let word = 0;
    let place = 0;
    for (let length = 1; length <= longestWord; length++) {
      word *= 2;
      this.#first[length] = word;
      this.#place[length] = place;
      word += count[length] ?? 0;
      place += count[length] ?? 0;
      if (word > 2 ** length) throw new CorruptError(this.#name, 'has a code of too many words', { length });
    }
    this.#table.fill(0);
    const next = this.#place.slice();
    for (let symbol = 0; symbol < symbols; symbol++) {
      const length = lengths[symbol] ?? 0;
      if (length === 0) continue;
      const at = next[length] ?? 0;
      next[length] = at + 1;
      this.#sorted[at] = symbol;
      if (length > tableBits) continue;
      const start = ((this.#first[length] ?? 0) + at - (this.#place[length] ?? 0)) << (tableBits - length);
      this.#table.fill((symbol << symbolShift) | length, start, start + (1 << (tableBits - length)));
    }
  }

  /** Takes the next symbol. CorruptError for a word that stands for none. */
  next(bits: WordBits): number {
    bits.fill();
    const found = this.#table[bits.peek(tableBits)] ?? 0;
    if (found !== 0) {
      bits.drop(found & lengthMask);
      return found >>> symbolShift;
    }
    return this.#long(bits);
  }

  #long(bits: WordBits): number {
    const word = bits.peek(longestWord);
    for (let length = tableBits + 1; length <= longestWord; length++) {
      const index = (word >>> (longestWord - length)) - (this.#first[length] ?? 0);
      if (index >= 0 && index < (this.#count[length] ?? 0)) {
        bits.drop(length);
        return this.#sorted[(this.#place[length] ?? 0) + index] ?? 0;
      }
    }
    throw new CorruptError(this.#name, 'has a word that stands for nothing', { word });
  }
}
