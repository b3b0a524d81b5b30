/**
 * The LZMA decoder: the range coder, the literal coder, the length coders and the match distances follow the LZMA
 * specification (Igor Pavlov, "LZMA specification", 2015). Numbers of the range coder have 32 bits without a sign; here
 * they have one, as V8 keeps such without allocating.
 */
import { CorruptError, work } from '../../base/index.js';

const probabilityStart = 1024; // one half of 2^11
const stateCount = 12;
const positionBitsMax = 4;
const endPositionModelIndex = 14;
const fullDistances = 1 << (endPositionModelIndex >> 1);
const alignBits = 4;
const matchMinimum = 2;
/** The range is made larger when it is below this. */
const leastRange = 1 << 24;
/** The distance that stands for the end of the data. */
const endMarker = -1;

// Where the probabilities of each kind begin, in one array.
const isMatch = 0;
const isRep = isMatch + (stateCount << positionBitsMax);
const isRepG0 = isRep + stateCount;
const isRepG1 = isRepG0 + stateCount;
const isRepG2 = isRepG1 + stateCount;
const isRep0Long = isRepG2 + stateCount;
const slots = isRep0Long + (stateCount << positionBitsMax);
const special = slots + 4 * 64;
const align = special + 1 + fullDistances - endPositionModelIndex + 64;
const lengths = align + (1 << alignBits);
// Of the probabilities of lengths.
const lengthLow = 2;
const lengthMiddle = lengthLow + (8 << positionBitsMax);
const lengthHigh = lengthMiddle + (8 << positionBitsMax);
const repLengths = lengths + lengthHigh + 256;
const literals = repLengths + lengthHigh + 256;
/** Probabilities of one literal coder. */
const literalCoder = 0x300;

export const corruptLzma = (problem: string): CorruptError => new CorruptError('LZMA data', problem);

/** How the literal coder and the positions are chosen, which one byte says. */
interface LzmaProperties {
  readonly lc: number;
  readonly lp: number;
  readonly pb: number;
}

export function lzmaProperties(byte: number | undefined): LzmaProperties {
  if (byte === undefined || byte >= 225) throw corruptLzma('has impossible properties');
  return { lc: byte % 9, lp: Math.floor(byte / 9) % 5, pb: Math.floor(byte / 45) };
}

/** Decodes into one growing output, in pieces that share it as their dictionary. */
export class LzmaDecoder {
  readonly #limit: number;
  #out = new Uint8Array(64 * 1024);
  #length = 0;
  /** Where the dictionary begins in the output. */
  #start = 0;

  // The range coder.
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #range = 0;
  #code = 0;

  // The models.
  #probabilities = new Uint16Array(0);
  #lc = 0;
  #lp = 0;
  #pb = 0;
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;

  /** `limit`: the most bytes of output. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many bytes of output are held. */
  get length(): number {
    return this.#length;
  }

  /** All that came out so far. */
  get output(): Uint8Array {
    return this.#out.subarray(0, this.#length);
  }

  /**
   * Lets go of all output but the last `keep` bytes, to which later pieces may refer. A multiple of 16 bytes goes, as
   * positions count by their lowest four bits.
   */
  forget(keep: number): void {
    const gone = Math.max(0, this.#length - keep);
    const shift = gone - (gone % 16);
    this.#out.copyWithin(0, shift, this.#length);
    this.#length -= shift;
    this.#start -= shift;
  }

  resetDictionary(): void {
    this.#start = this.#length;
  }

  setProperties({ lc, lp, pb }: LzmaProperties): void {
    this.#lc = lc;
    this.#lp = lp;
    this.#pb = pb;
  }

  /** Makes all probabilities equal. */
  resetState(): void {
    const size = literals + (literalCoder << (this.#lc + this.#lp));
    if (this.#probabilities.length !== size) this.#probabilities = new Uint16Array(size);
    this.#probabilities.fill(probabilityStart);
    this.#state = 0;
    this.#rep0 = 0;
    this.#rep1 = 0;
    this.#rep2 = 0;
    this.#rep3 = 0;
  }

  /** Makes room for `size` more bytes. */
  grow(size: number): void {
    const wanted = this.#length + size;
    if (wanted > this.#limit)
      throw new CorruptError('LZMA data', 'is larger than allowed', { limit: this.#limit });
    if (wanted <= this.#out.length) return;
    const larger = new Uint8Array(Math.min(this.#limit, Math.max(wanted, this.#out.length * 2)));
    work.bytes.spend(larger.length - this.#out.length);
    larger.set(this.output);
    this.#out = larger;
  }

  /** Appends bytes that are not compressed. There must be room. */
  append(bytes: Uint8Array): void {
    this.#out.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Begins with the bytes of a range coder. */
  start(bytes: Uint8Array): void {
    if (bytes.length < 5 || bytes[0] !== 0) throw corruptLzma('a chunk has no range coder header');
    this.#bytes = bytes;
    this.#at = 5;
    this.#range = -1;
    this.#code = new DataView(bytes.buffer, bytes.byteOffset, 5).getInt32(1);
  }

  /** Whether all bytes were used and the coder is at rest. */
  get finished(): boolean {
    return this.#at === this.#bytes.length && this.#code === 0;
  }

  /**
   * Decodes `size` bytes, for which there must be room. Returns whether they came out: false where the data had its
   * end marker before.
   */
  decode(size: number): boolean {
    const end = this.#length + size;
    while (this.#length < end) {
      this.#literals(end);
      if (this.#length === end) return true;
      if (!this.#match(end)) return false;
    }
    return true;
  }

  /** Whether the end marker comes next, instead of more bytes. Nothing can be decoded afterwards. */
  hasEndMarker(): boolean {
    const positionState = (this.#length - this.#start) & ((1 << this.#pb) - 1);
    if (this.#bit(isMatch + (this.#state << positionBitsMax) + positionState) === 0) return false;
    if (this.#bit(isRep + this.#state) === 1) return false;
    return this.#distance(matchMinimum + this.#matchLength(lengths, positionState)) === endMarker;
  }

  /**
   * Decodes literals up to the next match, whose first bit is taken, or to the end. This is where most time goes: so
   * everything is in local variables, and the step of {@link #bit} is repeated here.
   */
  #literals(end: number): void {
    const probabilities = this.#probabilities;
    const bytes = this.#bytes;
    const out = this.#out;
    const positionMask = (1 << this.#pb) - 1;
    const literalMask = (1 << this.#lp) - 1;
    const lc = this.#lc;
    const start = this.#start;
    let length = this.#length;
    let state = this.#state;
    let at = this.#at;
    let range = this.#range;
    let code = this.#code;
    while (length < end) {
      const position = length - start;
      let model = isMatch + (state << positionBitsMax) + (position & positionMask);
      let probability = probabilities[model] as number; // safe: state < 12, and the position has at most four bits
      let bound = Math.imul(range >>> 11, probability);
      if (code >>> 0 >= bound >>> 0) {
        range = (range - bound) | 0;
        code = (code - bound) | 0;
        probabilities[model] = probability - (probability >>> 5);
        break;
      }
      range = bound;
      probabilities[model] = probability + ((2048 - probability) >>> 5);
      const previous = position > 0 ? (out[length - 1] as number) : 0; // safe: length ≥ 1
      const base = literals + literalCoder * (((position & literalMask) << lc) + (previous >>> (8 - lc)));
      // After a match the byte at its distance tells what is likely, until the first bit that differs.
      let match = 0;
      let matched = 0;
      if (state >= 7) {
        const distance = (this.#rep0 >>> 0) + 1;
        if (distance > position) throw corruptLzma('a distance reaches before the beginning');
        if (distance > length) throw corruptLzma('a distance reaches beyond the dictionary');
        match = out[length - distance] as number; // safe: distance ≤ length
        matched = 0x100;
      }
      let symbol = 1;
      while (symbol < 0x100) {
        if (range >>> 0 < leastRange) {
          if (at >= bytes.length) throw corruptLzma('a chunk ends too early');
          range <<= 8;
          code = (code << 8) | (bytes[at++] as number); // safe: just compared
        }
        match <<= 1;
        const matchBit = match & matched;
        model = base + matched + matchBit + symbol;
        probability = probabilities[model] as number; // safe: below a literal coder's 0x300
        bound = Math.imul(range >>> 11, probability);
        if (code >>> 0 < bound >>> 0) {
          range = bound;
          probabilities[model] = probability + ((2048 - probability) >>> 5);
          symbol <<= 1;
          if (matchBit !== 0) matched = 0;
        } else {
          range = (range - bound) | 0;
          code = (code - bound) | 0;
          probabilities[model] = probability - (probability >>> 5);
          symbol = (symbol << 1) | 1;
          if (matchBit === 0) matched = 0;
        }
      }
      if (range >>> 0 < leastRange) {
        if (at >= bytes.length) throw corruptLzma('a chunk ends too early');
        range <<= 8;
        code = (code << 8) | (bytes[at++] as number); // safe: just compared
      }
      out[length++] = symbol;
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
    }
    this.#length = length;
    this.#state = state;
    this.#at = at;
    this.#range = range;
    this.#code = code;
    this.#normalize();
  }

  /** Decodes the match whose first bit is taken; false for the end marker. */
  #match(end: number): boolean {
    const state = this.#state;
    const positionState = (this.#length - this.#start) & ((1 << this.#pb) - 1);
    let length: number;
    if (this.#bit(isRep + state) === 0) {
      length = matchMinimum + this.#matchLength(lengths, positionState);
      const distance = this.#distance(length);
      if (distance === endMarker) return false;
      this.#rep3 = this.#rep2;
      this.#rep2 = this.#rep1;
      this.#rep1 = this.#rep0;
      this.#rep0 = distance;
      this.#state = state < 7 ? 7 : 10;
    } else if (this.#repeat(state, positionState)) {
      length = 1;
      this.#state = state < 7 ? 9 : 11;
    } else {
      length = matchMinimum + this.#matchLength(repLengths, positionState);
      this.#state = state < 7 ? 8 : 11;
    }
    this.#copy(length, end);
    return true;
  }

  /** A match at one of the last four distances, which becomes the first; true for a single byte. */
  #repeat(state: number, positionState: number): boolean {
    if (this.#bit(isRepG0 + state) === 0)
      return this.#bit(isRep0Long + (state << positionBitsMax) + positionState) === 0;
    const first = this.#rep0;
    if (this.#bit(isRepG1 + state) === 0) this.#rep0 = this.#rep1;
    else {
      if (this.#bit(isRepG2 + state) === 0) this.#rep0 = this.#rep2;
      else {
        this.#rep0 = this.#rep3;
        this.#rep3 = this.#rep2;
      }
      this.#rep2 = this.#rep1;
    }
    this.#rep1 = first;
    return false;
  }

  #matchLength(base: number, positionState: number): number {
    if (this.#bit(base) === 0) return this.#tree(base + lengthLow + (positionState << 3), 3);
    if (this.#bit(base + 1) === 0) return 8 + this.#tree(base + lengthMiddle + (positionState << 3), 3);
    return 16 + this.#tree(base + lengthHigh, 8);
  }

  #distance(length: number): number {
    const slot = this.#tree(slots + Math.min(length - matchMinimum, 3) * 64, 6);
    if (slot < 4) return slot;
    const directBits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) << directBits;
    if (slot < endPositionModelIndex) return base + this.#reverseTree(special + base - slot, directBits);
    const direct = this.#direct(directBits - alignBits) << alignBits;
    return (base + direct + this.#reverseTree(align, alignBits)) | 0;
  }

  #copy(length: number, end: number): void {
    const distance = (this.#rep0 >>> 0) + 1;
    if (distance > this.#length - this.#start) throw corruptLzma('a distance reaches before the beginning');
    if (distance > this.#length) throw corruptLzma('a distance reaches beyond the dictionary');
    if (this.#length + length > end) throw corruptLzma('a match reaches past its chunk');
    const out = this.#out;
    let to = this.#length;
    // Copies byte by byte: source and target may overlap, which repeats the bytes between them.
    for (let i = 0; i < length; i++, to++) out[to] = out[to - distance] as number; // safe: distance ≤ to
    this.#length = to;
  }

  // The range coder.

  #normalize(): void {
    if (this.#range >>> 0 < leastRange) {
      if (this.#at >= this.#bytes.length) throw corruptLzma('a chunk ends too early');
      this.#range <<= 8;
      this.#code = (this.#code << 8) | (this.#bytes[this.#at++] as number); // safe: just compared
    }
  }

  #bit(model: number): number {
    const probability = this.#probabilities[model] as number; // safe: every caller's index is bounded by its tree
    const bound = Math.imul(this.#range >>> 11, probability);
    let bit: number;
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      this.#probabilities[model] = probability + ((2048 - probability) >>> 5);
      bit = 0;
    } else {
      this.#range = (this.#range - bound) | 0;
      this.#code = (this.#code - bound) | 0;
      this.#probabilities[model] = probability - (probability >>> 5);
      bit = 1;
    }
    this.#normalize();
    return bit;
  }

  #direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#range >>>= 1;
      value <<= 1;
      if (this.#code >>> 0 >= this.#range) {
        this.#code = (this.#code - this.#range) | 0;
        value |= 1;
      }
      this.#normalize();
    }
    return value;
  }

  #tree(base: number, bits: number): number {
    const probabilities = this.#probabilities;
    const bytes = this.#bytes;
    let at = this.#at;
    let range = this.#range;
    let code = this.#code;
    let node = 1;
    for (let i = 0; i < bits; i++) {
      const model = base + node;
      const probability = probabilities[model] as number; // safe: node < 2^bits, the size of the caller's tree
      const bound = Math.imul(range >>> 11, probability);
      if (code >>> 0 < bound >>> 0) {
        range = bound;
        probabilities[model] = probability + ((2048 - probability) >>> 5);
        node <<= 1;
      } else {
        range = (range - bound) | 0;
        code = (code - bound) | 0;
        probabilities[model] = probability - (probability >>> 5);
        node = (node << 1) | 1;
      }
      if (range >>> 0 < leastRange) {
        if (at >= bytes.length) throw corruptLzma('a chunk ends too early');
        range <<= 8;
        code = (code << 8) | (bytes[at++] as number); // safe: just compared
      }
    }
    this.#at = at;
    this.#range = range;
    this.#code = code;
    return node - (1 << bits);
  }

  #reverseTree(base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }
}
