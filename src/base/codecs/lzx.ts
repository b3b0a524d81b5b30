/**
 * LZX as WOF and WIM have it: a chunk of at most 32 KiB stands for itself, and calls of x86 programs in it are written
 * with the place that they call. Specification: [MS-PATCH] 2, and what wimlib's documentation says of the difference.
 */
import { CorruptError } from '../errors.js';
import { viewOf } from '../struct.js';
import { work } from '../work.js';
import { copyMatch } from './copies.js';
import { HuffmanCode } from './huffman.js';
import { WordBits } from './word-bits.js';

const name = 'LZX chunk';
const windowSize = 32 * 1024;

const literals = 256;
/** Distances are in classes, of which a window of 32 KiB has thirty; each has eight symbols, by the length. */
const slots = 30;
const lengthsPerSlot = 8;
const mainSymbols = literals + slots * lengthsPerSlot;
const lengthSymbols = 249;
const alignedSymbols = 8;
const alignedBits = 3;
const leastMatch = 2;
const longLength = 7;
const recentCount = 3;
/** Distances are stored with this added, since the smallest stand for the recent ones. */
const distanceBias = 2;

const blockTypes = { verbatim: 1, aligned: 2, uncompressed: 3 } as const;
const defaultBlockSize = 32_768;

/** The code in which the lengths of the words of the other codes are written. */
const pre = { symbols: 20, bits: 4, modulus: 17, zeroes: 17, moreZeroes: 18, same: 19 } as const;

/** What calls of programs are translated with, whatever the size of the file is. */
const callFileSize = 12_000_000;
const callOpcode = 0xe8;
const callMargin = 10;

const extraBits = (slot: number): number => (slot < 4 ? 0 : (slot >>> 1) - 1);
/** The least distance of a slot, with what is added: 0, 1, 2, 3, 4, 6, 8, 12, 16, 24, … */
const baseOf = (slot: number): number => (slot < 2 ? slot : (2 + (slot & 1)) << extraBits(slot));

/** The codes of a chunk, each as the block before had it. */
class LzxCodes {
  readonly pre = new HuffmanCode(name, pre.symbols);
  readonly main = new HuffmanCode(name, mainSymbols);
  readonly length = new HuffmanCode(name, lengthSymbols);
  readonly aligned = new HuffmanCode(name, alignedSymbols);
  readonly mainLengths = new Uint8Array(mainSymbols);
  readonly lengthLengths = new Uint8Array(lengthSymbols);
}

/** Reads the lengths of the words from `start` to `end`, each as its difference from what it was in the block before. */
function readLengths(
  bits: WordBits,
  code: HuffmanCode,
  lengths: Uint8Array,
  start: number,
  end: number,
): void {
  const preLengths = Uint8Array.from({ length: pre.symbols }, () => bits.take(pre.bits));
  code.set(preLengths, pre.symbols);
  const changed = (at: number, symbol: number): number => {
    if (symbol > pre.modulus) throw new CorruptError(name, 'has a length of a word that is none', { symbol });
    return ((lengths[at] ?? 0) - symbol + pre.modulus) % pre.modulus;
  };
  for (let at = start; at < end; ) {
    const symbol = code.next(bits);
    let count = 1;
    let value = 0;
    if (symbol === pre.zeroes) count = 4 + bits.take(4);
    else if (symbol === pre.moreZeroes) count = 20 + bits.take(5);
    else if (symbol === pre.same) {
      count = 4 + bits.take(1);
      value = changed(at, code.next(bits));
    } else value = changed(at, symbol);
    // A run may be cut off by the end.
    for (const stop = Math.min(end, at + count); at < stop; ) lengths[at++] = value;
  }
}

/** Puts distances back where the writer put places: of calls, that are a byte and four of the distance. */
function undoCalls(out: Uint8Array): void {
  const view = viewOf(out);
  for (let at = 0; at < out.length - callMargin; at++) {
    if (out[at] !== callOpcode) continue;
    const place = view.getInt32(at + 1, true);
    if (place >= 0 ? place < callFileSize : place >= -at)
      view.setInt32(at + 1, place >= 0 ? place - at : place + callFileSize, true);
    at += 4;
  }
}

class LzxChunk {
  readonly #codes = new LzxCodes();
  readonly #bits: WordBits;
  readonly #out: Uint8Array;
  readonly #recent = new Int32Array(recentCount).fill(1);
  #place = 0;

  constructor(packed: Uint8Array, into: Uint8Array) {
    this.#bits = new WordBits(packed);
    this.#out = into;
  }

  decode(): void {
    while (this.#place < this.#out.length) {
      const type = this.#bits.take(3);
      const size = this.#bits.take(1) === 1 ? defaultBlockSize : this.#bits.take(16);
      if (size === 0 || size > this.#out.length - this.#place)
        throw new CorruptError(name, 'has a block of no valid size', { size, place: this.#place });
      const end = this.#place + size;
      if (type === blockTypes.uncompressed) this.#copy(end);
      else if (type === blockTypes.verbatim || type === blockTypes.aligned) this.#expand(type, end);
      else throw new CorruptError(name, 'has a block of an unknown type', { type });
    }
    if (this.#bits.isSpent) throw new CorruptError(name, 'is cut short');
    undoCalls(this.#out);
  }

  #copy(end: number): void {
    const bits = this.#bits;
    bits.align();
    const head = bits.slice(4 * recentCount);
    const size = end - this.#place;
    const bytes = bits.slice(size);
    if (bytes.length < size) throw new CorruptError(name, 'is cut short', { place: this.#place });
    const view = viewOf(head);
    for (let i = 0; i < recentCount; i++) this.#recent[i] = view.getInt32(i * 4, true);
    this.#out.set(bytes, this.#place);
    this.#place = end;
    if (size % 2 !== 0) bits.byte();
  }

  #expand(type: number, end: number): void {
    const { pre: preCode, main, length: lengthCode, aligned, mainLengths, lengthLengths } = this.#codes;
    const isAligned = type === blockTypes.aligned;
    const bits = this.#bits;
    if (isAligned)
      aligned.set(
        Uint8Array.from({ length: alignedSymbols }, () => bits.take(alignedBits)),
        alignedSymbols,
      );
    readLengths(bits, preCode, mainLengths, 0, literals);
    readLengths(bits, preCode, mainLengths, literals, mainSymbols);
    main.set(mainLengths, mainSymbols);
    readLengths(bits, preCode, lengthLengths, 0, lengthSymbols);
    lengthCode.set(lengthLengths, lengthSymbols);
    const out = this.#out;
    const recent = this.#recent;
    let place = this.#place;
    while (place < end) {
      const symbol = main.next(bits);
      if (symbol < literals) {
        out[place++] = symbol;
        continue;
      }
      let length = (symbol - literals) % lengthsPerSlot;
      const slot = (symbol - literals - length) / lengthsPerSlot;
      if (length === longLength) length += lengthCode.next(bits);
      let distance: number;
      if (slot < recentCount) {
        distance = recent[slot] ?? 1;
        recent[slot] = recent[0] ?? 1;
      } else {
        const extra = extraBits(slot);
        distance = baseOf(slot) - distanceBias;
        if (isAligned && extra >= alignedBits)
          distance += bits.take(extra - alignedBits) * alignedSymbols + aligned.next(bits);
        else distance += bits.take(extra);
        recent[2] = recent[1] ?? 1;
        recent[1] = recent[0] ?? 1;
      }
      recent[0] = distance;
      if (length + leastMatch > end - place)
        throw new CorruptError(name, 'has a match beyond its block', { place, end });
      place = copyMatch(name, out, place, distance, length + leastMatch);
    }
    this.#place = place;
  }
}

/** Decodes a chunk, of at most 32 KiB, so that `into` is full. Returns its length. */
export function decodeLzx(packed: Uint8Array, into: Uint8Array): number {
  if (into.length > windowSize)
    throw new CorruptError(name, 'is larger than its window', { size: into.length });
  work.steps.spend(into.length);
  new LzxChunk(packed, into).decode();
  return into.length;
}
