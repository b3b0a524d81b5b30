/**
 * The LZMA decoder for LZMA2: chunks that share a dictionary. The range coder, the literal coder, the length coders
 * and the match distances follow the LZMA specification (Igor Pavlov, "LZMA specification", 2015).
 */
import { CorruptError, work } from '../../base/index.js';

const probabilityStart = 1024; // one half of 2^11
const stateCount = 12;
const positionBitsMax = 4;
const endPositionModelIndex = 14;
const fullDistances = 1 << (endPositionModelIndex >> 1);
const alignBits = 4;
const matchMinimum = 2;

const corrupt = (problem: string): CorruptError => new CorruptError('LZMA data', problem);

/** Decodes bits out of compressed bytes. Reading past their end is a CorruptError. */
class RangeDecoder {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #range = 0;
  #code = 0;

  start(bytes: Uint8Array): void {
    if (bytes.length < 5 || bytes[0] !== 0) throw corrupt('a chunk has no range coder header');
    this.#bytes = bytes;
    this.#at = 5;
    this.#range = 0xffffffff;
    this.#code = new DataView(bytes.buffer, bytes.byteOffset, 5).getUint32(1);
  }

  /** Whether all bytes of the chunk were used and the coder is at rest. */
  get finished(): boolean {
    return this.#at === this.#bytes.length && this.#code === 0;
  }

  #normalize(): void {
    if (this.#range < 0x1000000) {
      if (this.#at >= this.#bytes.length) throw corrupt('a chunk ends too early');
      this.#range = (this.#range << 8) >>> 0;
      this.#code = ((this.#code << 8) | (this.#bytes[this.#at++] as number)) >>> 0; // safe: at < length
    }
  }

  bit(model: Uint16Array, index: number): number {
    const probability = model[index] as number; // safe: every caller's index is bounded by its tree
    const bound = (this.#range >>> 11) * probability;
    let bit: number;
    if (this.#code < bound) {
      this.#range = bound;
      model[index] = probability + ((2048 - probability) >>> 5);
      bit = 0;
    } else {
      this.#range -= bound;
      this.#code -= bound;
      model[index] = probability - (probability >>> 5);
      bit = 1;
    }
    this.#normalize();
    return bit;
  }

  direct(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      this.#range >>>= 1;
      const bit = this.#code >= this.#range ? 1 : 0;
      if (bit === 1) this.#code -= this.#range;
      value = value * 2 + bit;
      this.#normalize();
    }
    return value;
  }

  tree(model: Uint16Array, bits: number, base = 0): number {
    let node = 1;
    for (let i = 0; i < bits; i++) node = (node << 1) | this.bit(model, base + node);
    return node - (1 << bits);
  }

  reverseTree(model: Uint16Array, bits: number, base = 0): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(model, base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }
}

const models = (size: number): Uint16Array => new Uint16Array(size).fill(probabilityStart);

/** Lengths of matches, from 2. */
class LengthDecoder {
  readonly #choice = models(2);
  readonly #low = models(16 << positionBitsMax);
  readonly #middle = models(16 << positionBitsMax);
  readonly #high = models(256);

  decode(coder: RangeDecoder, positionState: number): number {
    if (coder.bit(this.#choice, 0) === 0) return coder.tree(this.#low, 3, positionState << 3);
    if (coder.bit(this.#choice, 1) === 0) return 8 + coder.tree(this.#middle, 3, positionState << 3);
    return 16 + coder.tree(this.#high, 8);
  }
}

/** The probability models and the state, which a reset initialises. */
class LzmaState {
  state = 0;
  reps: [number, number, number, number] = [0, 0, 0, 0];
  readonly isMatch = models(stateCount << positionBitsMax);
  readonly isRep = models(stateCount);
  readonly isRepG0 = models(stateCount);
  readonly isRepG1 = models(stateCount);
  readonly isRepG2 = models(stateCount);
  readonly isRep0Long = models(stateCount << positionBitsMax);
  readonly slots = [models(64), models(64), models(64), models(64)] as const;
  readonly special = models(1 + fullDistances - endPositionModelIndex + 64);
  readonly align = models(1 << alignBits);
  readonly lengths = new LengthDecoder();
  readonly repLengths = new LengthDecoder();
  readonly literals: Uint16Array;

  constructor(literalBits: number) {
    this.literals = models(0x300 << literalBits);
  }
}

/** Decodes LZMA2 chunks into one growing output. */
export class Lzma2Decoder {
  readonly #coder = new RangeDecoder();
  readonly #limit: number;
  readonly #enough: number;
  #out = new Uint8Array(64 * 1024);
  #length = 0;
  /** Where the dictionary begins in the output. */
  #start = 0;
  #state: LzmaState | undefined;
  #lc = 0;
  #lp = 0;
  #pb = 0;
  #needsDictionary = true;

  /** `limit`: the most bytes of output. `enough`: after this many bytes no further chunk is decoded. */
  constructor(limit: number, enough = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
    this.#enough = enough;
  }

  /** How many bytes of output are held. */
  get length(): number {
    return this.#length;
  }

  /**
   * Lets go of all output but the last `keep` bytes, to which later chunks may refer. A multiple of 16 bytes goes, as
   * positions count by their lowest four bits.
   */
  forget(keep: number): void {
    const gone = Math.max(0, this.#length - keep);
    const shift = gone - (gone % 16);
    this.#out.copyWithin(0, shift, this.#length);
    this.#length -= shift;
    this.#start -= shift;
  }

  get hasEnough(): boolean {
    return this.#length >= this.#enough;
  }

  /** All that came out so far. */
  get output(): Uint8Array {
    return this.#out.subarray(0, this.#length);
  }

  /**
   * Decodes one block's chunks, from `at` to the end marker or until there is enough; returns the offset of the next
   * byte.
   */
  decode(bytes: Uint8Array, at: number): number {
    const need = (end: number): number => {
      if (end > bytes.length) throw corrupt('is cut short');
      return end;
    };
    this.#needsDictionary = true;
    for (;;) {
      work.checkpoint();
      if (this.hasEnough) return at;
      need(at + 1);
      if (bytes[at] === 0) return at + 1;
      at = this.decodeChunk(bytes, at);
    }
  }

  /** A new block begins: its first chunk resets everything. */
  beginBlock(): void {
    this.#needsDictionary = true;
  }

  /** Decodes the chunk at `at`, of which all bytes must be there; returns the offset of the next one. */
  decodeChunk(bytes: Uint8Array, at: number): number {
    const need = (end: number): number => {
      if (end > bytes.length) throw corrupt('is cut short');
      return end;
    };
    const control = bytes[at] as number; // safe: the caller has looked at it
    if (control >= 0x80) {
      need(at + 5);
      const view = new DataView(bytes.buffer, bytes.byteOffset + at, 5);
      const size = ((control & 0x1f) << 16) + view.getUint16(1) + 1;
      const packed = view.getUint16(3) + 1;
      at = this.#reset(control, bytes, at + 5);
      this.#grow(size);
      this.#coder.start(bytes.subarray(at, need(at + packed)));
      this.#chunk(this.#length + size);
      if (!this.#coder.finished) throw corrupt('a chunk has more than it says');
      at += packed;
    } else {
      if (control > 2) throw corrupt(`a chunk has the unknown control byte ${control}`);
      if (control === 1) this.#resetDictionary();
      else if (this.#needsDictionary) throw corrupt('the first chunk does not reset the dictionary');
      need(at + 3);
      const size = (((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)) + 1; // safe: just bounded
      at += 3;
      this.#grow(size);
      this.#out.set(bytes.subarray(at, need(at + size)), this.#length);
      this.#length += size;
      at += size;
    }
    return at;
  }

  #resetDictionary(): void {
    this.#start = this.#length;
    this.#needsDictionary = false;
  }

  /** The resets in the two bits of a chunk's control byte: 0 none, 1 state, 2 also properties, 3 also dictionary. */
  #reset(control: number, bytes: Uint8Array, at: number): number {
    const kind = (control >> 5) & 3;
    if (kind === 3) this.#resetDictionary();
    else if (this.#needsDictionary) throw corrupt('the first chunk does not reset the dictionary');
    if (kind >= 2) {
      const properties = bytes[at];
      if (properties === undefined || properties >= 225) throw corrupt('has impossible properties');
      this.#lc = properties % 9;
      this.#lp = Math.floor(properties / 9) % 5;
      this.#pb = Math.floor(properties / 45);
      if (this.#lc + this.#lp > 4) throw corrupt('has impossible properties');
      at++;
    } else if (this.#state === undefined) throw corrupt('the first chunk has no properties');
    if (kind >= 1) this.#state = new LzmaState(this.#lc + this.#lp);
    return at;
  }

  #grow(size: number): void {
    const wanted = this.#length + size;
    if (wanted > this.#limit)
      throw new CorruptError('LZMA data', 'is larger than allowed', { limit: this.#limit });
    if (wanted <= this.#out.length) return;
    const larger = new Uint8Array(Math.min(this.#limit, Math.max(wanted, this.#out.length * 2)));
    work.bytes.spend(larger.length - this.#out.length);
    larger.set(this.output);
    this.#out = larger;
  }

  #chunk(end: number): void {
    const state = this.#state;
    if (state === undefined) throw corrupt('the first chunk has no state');
    const coder = this.#coder;
    const mask = (1 << this.#pb) - 1;
    while (this.#length < end) {
      const positionState = (this.#length - this.#start) & mask;
      const here = (state.state << positionBitsMax) + positionState;
      if (coder.bit(state.isMatch, here) === 0) {
        this.#literal(state);
        continue;
      }
      let length: number;
      if (coder.bit(state.isRep, state.state) === 0) {
        length = matchMinimum + state.lengths.decode(coder, positionState);
        state.reps = [this.#distance(state, length), state.reps[0], state.reps[1], state.reps[2]];
        state.state = state.state < 7 ? 7 : 10;
      } else {
        const short = this.#repeat(state, here);
        if (short) length = 1;
        else {
          length = matchMinimum + state.repLengths.decode(coder, positionState);
          state.state = state.state < 7 ? 8 : 11;
        }
      }
      this.#copy(state.reps[0], length, end);
    }
  }

  #literal(state: LzmaState): void {
    const coder = this.#coder;
    const position = this.#length - this.#start;
    const previous = position > 0 ? (this.#out[this.#length - 1] as number) : 0; // safe: length ≥ 1
    const context = ((position & ((1 << this.#lp) - 1)) << this.#lc) + (previous >> (8 - this.#lc));
    const base = 0x300 * context;
    let symbol = 1;
    if (state.state >= 7) {
      const distance = state.reps[0] + 1;
      if (distance > position) throw corrupt('a distance reaches before the beginning');
      if (distance > this.#length) throw corrupt('a distance reaches beyond the dictionary');
      let match = this.#out[this.#length - distance] as number; // safe: distance ≤ position ≤ length
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = coder.bit(state.literals, base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (matchBit !== bit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | coder.bit(state.literals, base + symbol);
    this.#out[this.#length++] = symbol & 0xff;
    state.state = state.state < 4 ? 0 : state.state < 10 ? state.state - 3 : state.state - 6;
  }

  /** A match at one of the last four distances, which becomes the first; true for a single byte. */
  #repeat(state: LzmaState, here: number): boolean {
    const coder = this.#coder;
    const [a, b, c, d] = state.reps;
    if (coder.bit(state.isRepG0, state.state) === 0) {
      if (coder.bit(state.isRep0Long, here) === 0) {
        state.state = state.state < 7 ? 9 : 11;
        return true;
      }
    } else if (coder.bit(state.isRepG1, state.state) === 0) state.reps = [b, a, c, d];
    else if (coder.bit(state.isRepG2, state.state) === 0) state.reps = [c, a, b, d];
    else state.reps = [d, a, b, c];
    return false;
  }

  #distance(state: LzmaState, length: number): number {
    const coder = this.#coder;
    const lengthState = Math.min(length - matchMinimum, 3);
    const slot = coder.tree(state.slots[lengthState] as Uint16Array, 6); // safe: 0 to 3
    if (slot < 4) return slot;
    const directBits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** directBits;
    if (slot < endPositionModelIndex) return base + coder.reverseTree(state.special, directBits, base - slot);
    const distance =
      base +
      coder.direct(directBits - alignBits) * (1 << alignBits) +
      coder.reverseTree(state.align, alignBits);
    if (distance === 0xffffffff) throw corrupt('has an end marker inside a chunk');
    return distance;
  }

  #copy(rep: number, length: number, end: number): void {
    const distance = rep + 1;
    if (distance > this.#length - this.#start) throw corrupt('a distance reaches before the beginning');
    if (distance > this.#length) throw corrupt('a distance reaches beyond the dictionary');
    if (this.#length + length > end) throw corrupt('a match reaches past its chunk');
    const out = this.#out;
    let to = this.#length;
    // Copies byte by byte: source and target may overlap, which repeats the bytes between them.
    for (let i = 0; i < length; i++, to++) out[to] = out[to - distance] as number; // safe: distance ≤ to
    this.#length = to;
  }
}
