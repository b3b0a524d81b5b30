/** The tables of zstd's codes: FSE for sequences and for weights, Huffman codes for literals. RFC 8878, section 4. */
import { CorruptError } from '../../errors.js';

export const corruptZstd = (problem: string, details: Record<string, number> = {}): CorruptError =>
  new CorruptError('zstd block', problem, details);

const highestBit = (value: number): number => 31 - Math.clz32(value);

/** The most states of an FSE code, and the most symbols of any code. */
export const mostStates = 512;
const mostSymbols = 256;
const mostWeightBits = 6;
const mostCodeBits = 11;
/** The most entries of a table of literals. */
export const literalCodeEntries = 1 << mostCodeBits;

/** Bytes of an entry of a table of states. */
export const entrySize = 8;

/** What the symbols of an FSE code stand for: of each a least value, and how many bits are added to it. */
export interface Values {
  readonly least: readonly number[];
  readonly moreBits: readonly number[];
}

/** A weight is its own symbol. */
const weightCount = mostCodeBits + 2;
const weightValues = (): Values => ({
  least: Array.from({ length: weightCount }, (_, weight) => weight),
  moreBits: Array<number>(weightCount).fill(0),
});

/** How likely the symbols of an FSE code are: `count` shares of 2 to the power of `bits`. */
export interface Distribution {
  readonly shares: Int16Array;
  readonly count: number;
  readonly bits: number;
}

/** Makes the tables of a decoder, in memory that is used again: a block has up to five. */
export class TableMaker {
  readonly #shares = new Int16Array(mostSymbols);
  readonly #symbols = new Uint8Array(mostStates);
  readonly #counts = new Uint16Array(mostSymbols);
  readonly #weights = new Uint8Array(mostSymbols);
  readonly #places = new Uint16Array(mostCodeBits + 2);
  readonly #weightStates = new Uint32Array(2 << mostWeightBits);
  readonly #weightValues = weightValues();

  /**
   * Reads a distribution, which is valid until the next one is read. Its symbols have values, of which one without a
   * share −1 is less than a share. `next`: where the bytes behind it begin.
   */
  readDistribution(
    bytes: Uint8Array,
    start: number,
    { least: { length: most } }: Values,
    mostBits: number,
  ): Distribution & { readonly next: number } {
    const shares = this.#shares;
    let at = 8 * start;
    /** The next bits, at most 10; those behind the end are zeroes. */
    const peek = (length: number): number => {
      const byte = at >>> 3;
      const word = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8) | ((bytes[byte + 2] ?? 0) << 16);
      return (word >>> (at & 7)) & ((1 << length) - 1);
    };
    const bits = peek(4) + 5;
    at += 4;
    if (bits > mostBits) throw corruptZstd('has too large a table of a code', { bits });
    let count = 0;
    for (let left = 1 << bits; left > 0; ) {
      if (count >= most) throw corruptZstd('has too many symbols in a code');
      // Of the values up to `left` + 1 the lower ones have one bit less.
      const length = highestBit(left + 1) + 1;
      const low = (1 << (length - 1)) - 1;
      const short = (1 << length) - 2 - left;
      const read = peek(length);
      const isShort = (read & low) < short;
      at += isShort ? length - 1 : length;
      const share = (isShort ? read & low : read > low ? read - short : read) - 1;
      left -= Math.abs(share);
      shares[count++] = share;
      if (share !== 0) continue;
      for (let more = 3; more === 3; at += 2) {
        more = peek(2);
        if (count + more > most) throw corruptZstd('has too many symbols in a code');
        shares.fill(0, count, count + more);
        count += more;
      }
    }
    const next = (at + 7) >>> 3;
    if (next > bytes.length) throw corruptZstd('is cut short');
    return { shares, count, bits, next };
  }

  /**
   * Writes the states of an FSE code: of each the least value of its symbol, how many bits are added to it, how many bits
   * of the next state are read, and the offset of the entry that they are added to.
   */
  buildStates({ shares, count, bits }: Distribution, { least, moreBits }: Values, table: Uint32Array): void {
    const symbols = this.#symbols;
    const counts = this.#counts;
    const size = 1 << bits;
    let high = size;
    for (let symbol = 0; symbol < count; symbol++) {
      const share = shares[symbol] as number; // safe: symbol < count, as below
      counts[symbol] = share < 0 ? 1 : share;
      if (share < 0) symbols[--high] = symbol;
    }
    const step = (size >> 1) + (size >> 3) + 3;
    let state = 0;
    for (let symbol = 0; symbol < count; symbol++)
      for (let i = shares[symbol] as number; i > 0; i--) {
        symbols[state] = symbol;
        do state = (state + step) & (size - 1);
        while (state >= high);
      }
    for (state = 0; state < size; state++) {
      const symbol = symbols[state] as number; // safe: state < size
      const nth = counts[symbol] as number; // safe: a symbol of the distribution
      counts[symbol] = nth + 1;
      const length = bits - highestBit(nth);
      const base = (nth << length) - size;
      table[2 * state] = least[symbol] as number; // safe: a distribution has no more symbols than values
      table[2 * state + 1] = (moreBits[symbol] as number) | (length << 8) | ((base * entrySize) << 16); // safe: the same
    }
  }

  /** Reads weights that are compressed by two states of one code, whose bits are read from the end, and counts them. */
  #readWeights(bytes: Uint8Array): number {
    const code = this.readDistribution(bytes, 0, this.#weightValues, mostWeightBits);
    const states = this.#weightStates;
    this.buildStates(code, this.#weightValues, states);
    const last = bytes.length > code.next ? (bytes[bytes.length - 1] ?? 0) : 0;
    if (last === 0) throw corruptZstd('has weights of literals that end too early');
    let at = 8 * (bytes.length - 1) + highestBit(last);
    const floor = 8 * code.next;
    /** The next bits, at most 6. Those before the beginning are of no symbol. */
    const read = (length: number): number => {
      at -= length;
      if (at < floor) return 0;
      const byte = at >>> 3;
      const word = (bytes[byte] ?? 0) | ((bytes[byte + 1] ?? 0) << 8);
      return (word >>> (at & 7)) & ((1 << length) - 1);
    };
    let count = 0;
    let state = read(code.bits);
    let other = read(code.bits);
    // The two states take turns.
    while (at >= floor) {
      if (count > mostSymbols - 3) throw corruptZstd('has too many weights of literals');
      this.#weights[count++] = states[2 * state] as number; // safe: a state of the code, as below
      const then = states[2 * state + 1] as number;
      state = other;
      other = (then >>> 16) / entrySize + read((then >>> 8) & 0xff);
    }
    this.#weights[count++] = states[2 * state] as number; // safe: as above
    return count;
  }

  /**
   * Reads the code of literals into a table: for each value of the next bits how many are used, and above the symbol.
   * `next`: where the bytes behind it begin.
   */
  readLiteralCode(bytes: Uint8Array, table: Uint16Array): { bits: number; next: number } {
    const weights = this.#weights;
    const head = bytes[0] ?? 0;
    const isPacked = head < 128;
    let count = head - 127;
    const next = 1 + (isPacked ? head : Math.ceil(count / 2));
    if (next > bytes.length) throw corruptZstd('is cut short');
    if (isPacked) count = this.#readWeights(bytes.subarray(1, next));
    else
      for (let i = 0; i < count; i++) {
        const byte = bytes[1 + (i >> 1)] ?? 0;
        weights[i] = i % 2 === 0 ? byte >> 4 : byte & 15;
      }
    /** How many entries the symbols of each weight have. */
    const places = this.#places.fill(0);
    let sum = 0;
    for (let symbol = 0; symbol < count; symbol++) {
      const weight = weights[symbol] as number; // safe: symbol < count
      if (weight > mostCodeBits) throw corruptZstd('has too long a code of literals', { weight });
      const entries = (1 << weight) >> 1;
      places[weight] = (places[weight] ?? 0) + entries;
      sum += entries;
    }
    const bits = highestBit(sum) + 1;
    // The last weight makes the sum a power of two.
    const left = (1 << bits) - sum;
    if (sum === 0 || bits > mostCodeBits || (left & (left - 1)) !== 0)
      throw corruptZstd('has a code of literals that is not complete', { sum });
    const lastWeight = highestBit(left) + 1;
    weights[count++] = lastWeight;
    places[lastWeight] = (places[lastWeight] ?? 0) + left;
    // The longest codes come first, and of one length the lower symbols: where the next one of each weight goes.
    let before = 0;
    for (let weight = 1; weight <= bits; weight++) {
      const entries = places[weight] ?? 0;
      places[weight] = before;
      before += entries;
    }
    for (let symbol = 0; symbol < count; symbol++) {
      const weight = weights[symbol] as number; // safe: symbol < count
      if (weight === 0) continue;
      let at = places[weight] as number; // safe: no weight is larger than `bits`
      const end = at + (1 << (weight - 1));
      places[weight] = end;
      for (const entry = (symbol << 8) | (bits + 1 - weight); at < end; at++) table[at] = entry;
    }
    return { bits, next };
  }
}
