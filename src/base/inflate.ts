/**
 * Unpacks gzip files piece by piece, in memory of constant size. Node's zlib offers that only with promises, which
 * the engine cannot use. RFC 1951 (deflate) and RFC 1952 (gzip).
 */
import type { ByteSource } from './byte-source.js';
import { CorruptError } from './errors.js';
import { crc32Raw } from './sums/crc.js';
import { work } from './work.js';

/** How far back a copy reaches, in bytes. */
const windowSize = 32 * 1024;
const pieceSize = 256 * 1024;
const longestCopy = 258;
const inputSize = 64 * 1024;
const longestCode = 15;

const lengthBases = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195,
  227, 258,
];
const lengthExtras = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const distanceBases = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097,
  6145, 8193, 12289, 16385, 24577,
];
const distanceExtras = [
  0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13,
];
/** The order in which a block stores the lengths of the code-length codes. */
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const endOfBlock = 256;

const corrupt = (problem: string): CorruptError => new CorruptError('gzip file', problem);

/** A code: indexed by the next `width` bits, the symbol × 16 + its length; 0 if the bits begin no symbol. */
interface Code {
  readonly width: number;
  readonly table: Uint16Array;
}

/** The canonical code for these lengths. `incomplete`: a single symbol may leave the rest of the code unused. */
function makeCode(lengths: Uint8Array, incomplete = false): Code {
  const counts = new Uint16Array(longestCode + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  let width = longestCode;
  while (width > 1 && counts[width] === 0) width--;
  const next = new Uint16Array(longestCode + 2);
  let room = 1;
  let used = 0;
  for (let length = 1; length <= longestCode; length++) {
    const count = counts[length] ?? 0;
    room = room * 2 - count;
    used += count;
    if (room < 0) throw corrupt('has a code with too many symbols');
    next[length + 1] = ((next[length] ?? 0) + count) << 1;
  }
  if (room > 0 && !(incomplete && used <= 1)) throw corrupt('has a code with symbols missing');
  const table = new Uint16Array(1 << width);
  work.steps.spend(table.length);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol] ?? 0;
    if (length === 0) continue;
    const code = next[length] ?? 0;
    next[length] = code + 1;
    let reversed = 0;
    for (let bit = 0; bit < length; bit++) reversed |= ((code >>> bit) & 1) << (length - 1 - bit);
    for (let at = reversed; at < table.length; at += 1 << length) table[at] = (symbol << 4) | length;
  }
  return { width, table };
}

let fixed: { literals: Code; distances: Code } | undefined;

function fixedCodes(): { literals: Code; distances: Code } {
  if (fixed === undefined) {
    const lengths = new Uint8Array(288).fill(8).fill(9, 144, 256).fill(7, 256, 280);
    fixed = { literals: makeCode(lengths), distances: makeCode(new Uint8Array(32).fill(5)) };
  }
  return fixed;
}

class Inflater {
  readonly #source: ByteSource;
  /** Where the next input is read. */
  #offset: number;
  #input = new Uint8Array(0);
  #at = 0;
  /** Bits that were taken from the input and not used yet, the next one lowest. */
  #bits = 0;
  #bitCount = 0;
  /** The window, then the present piece. */
  readonly #output = new Uint8Array(windowSize + pieceSize + longestCopy);
  #end = windowSize;
  /** Bytes of the member before the present piece. */
  #made = 0;
  #crc = 0;

  constructor(source: ByteSource, start: number) {
    this.#source = source;
    this.#offset = start;
  }

  /** Bytes that were not used. */
  get rest(): number {
    return this.#source.size - this.#offset + this.#input.length - this.#at + (this.#bitCount >>> 3);
  }

  /** The contents of the members. Each piece is valid until the next is asked for. */
  *members(): Generator<Uint8Array, void> {
    do {
      this.#header();
      this.#made = 0;
      this.#crc = 0xffffffff;
      this.#end = windowSize;
      for (let last = false; !last; ) {
        last = this.#take(1) === 1;
        yield* this.#block(this.#take(2));
      }
      yield* this.#piece();
      this.#toByte();
      const [crc, size] = [this.#word(), this.#word()];
      if (crc !== (this.#crc ^ 0xffffffff) >>> 0) throw corrupt('has a bad checksum');
      if (size !== this.#made % 2 ** 32) throw corrupt('is not of the length that it says');
    } while (this.#beginsMember());
  }

  *#block(kind: number): Generator<Uint8Array, void> {
    work.checkpoint();
    if (kind === 0) return yield* this.#stored();
    if (kind === 3) throw corrupt('has a block of no kind');
    const { literals, distances } = kind === 1 ? fixedCodes() : this.#readCodes();
    while (!this.#decode(literals, distances)) yield* this.#piece();
  }

  *#stored(): Generator<Uint8Array, void> {
    this.#toByte();
    let left = this.#take(16);
    if ((this.#take(16) ^ 0xffff) !== left) throw corrupt('has a stored block of no certain length');
    for (; left > 0; left--) {
      if (this.#end >= windowSize + pieceSize) yield* this.#piece();
      this.#output[this.#end++] = this.#take(8);
    }
  }

  /** Yields the unpacked bytes, and keeps their end as the window. */
  *#piece(): Generator<Uint8Array, void> {
    const piece = this.#output.subarray(windowSize, this.#end);
    if (piece.length === 0) return;
    work.steps.spend(piece.length);
    this.#crc = crc32Raw(this.#crc, piece);
    this.#made += piece.length;
    yield piece;
    this.#output.copyWithin(0, this.#end - windowSize, this.#end);
    this.#end = windowSize;
  }

  /** Decodes up to the end of the block (true) or until the piece is full. */
  #decode(literals: Code, distances: Code): boolean {
    const output = this.#output;
    const { table, width } = literals;
    const mask = (1 << width) - 1;
    const full = windowSize + pieceSize;
    let end = this.#end;
    while (end < full) {
      if (this.#bitCount < longestCode) this.#fill();
      const entry = table[this.#bits & mask] ?? 0;
      const symbol = entry >>> 4;
      this.#drop(entry & 15);
      if (symbol < endOfBlock) {
        output[end++] = symbol;
        continue;
      }
      if (symbol === endOfBlock) {
        this.#end = end;
        return true;
      }
      const base = lengthBases[symbol - endOfBlock - 1];
      if (base === undefined) throw corrupt('has a copy of no length');
      const length = base + this.#take(lengthExtras[symbol - endOfBlock - 1] ?? 0);
      const far = this.#symbol(distances);
      const farBase = distanceBases[far];
      if (farBase === undefined) throw corrupt('has a copy from nowhere');
      const distance = farBase + this.#take(distanceExtras[far] ?? 0);
      if (distance > this.#made + end - windowSize) throw corrupt('has a copy from before its beginning');
      for (const stop = end + length; end < stop; end++) output[end] = output[end - distance] ?? 0;
    }
    this.#end = end;
    return false;
  }

  #readCodes(): { literals: Code; distances: Code } {
    const literalCount = 257 + this.#take(5);
    const distanceCount = 1 + this.#take(5);
    const count = 4 + this.#take(4);
    const order = new Uint8Array(19);
    for (const place of codeLengthOrder.slice(0, count)) order[place] = this.#take(3);
    const code = makeCode(order);
    const lengths = new Uint8Array(literalCount + distanceCount);
    for (let at = 0; at < lengths.length; ) {
      const symbol = this.#symbol(code);
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      if (symbol === 16 && at === 0) throw corrupt('repeats a length before there is one');
      const repeated = symbol === 16 ? (lengths[at - 1] ?? 0) : 0;
      const times = symbol === 18 ? 11 + this.#take(7) : 3 + this.#take(symbol === 16 ? 2 : 3);
      if (at + times > lengths.length) throw corrupt('has more lengths than symbols');
      lengths.fill(repeated, at, at + times);
      at += times;
    }
    if (lengths[endOfBlock] === 0) throw corrupt('has a block without an end');
    return {
      literals: makeCode(lengths.subarray(0, literalCount), true),
      distances: makeCode(lengths.subarray(literalCount), true),
    };
  }

  #header(): void {
    const magic = this.#take(16);
    const method = this.#take(8);
    if (magic !== 0x8b1f || method !== 8) throw corrupt('has no gzip header');
    const flags = this.#take(8);
    for (let i = 0; i < 6; i++) this.#take(8); // time, kind of compression, system
    if (flags & 4) for (let left = this.#take(16); left > 0; left--) this.#take(8);
    for (const flag of [8, 16]) if (flags & flag) while (this.#take(8) !== 0) work.steps.spend(1);
    if (flags & 2) this.#take(16);
  }

  #beginsMember(): boolean {
    if (this.rest < 3) return false;
    this.#fill(24);
    return (this.#bits & 0xffffff) === 0x088b1f;
  }

  #symbol({ table, width }: Code): number {
    if (this.#bitCount < longestCode) this.#fill();
    const entry = table[this.#bits & ((1 << width) - 1)] ?? 0;
    this.#drop(entry & 15);
    return entry >>> 4;
  }

  /** Removes bits that were examined; a length of none means an invalid code. */
  #drop(count: number): void {
    if (count === 0) throw corrupt('has a code that stands for nothing');
    if (count > this.#bitCount) throw corrupt('is cut short');
    this.#bits >>>= count;
    this.#bitCount -= count;
  }

  /** At most 16 bits as a number. */
  #take(count: number): number {
    if (count === 0) return 0;
    if (this.#bitCount < count) this.#fill();
    const value = this.#bits & ((1 << count) - 1);
    this.#drop(count);
    return value;
  }

  #word(): number {
    const low = this.#take(16);
    return low + this.#take(16) * 65536;
  }

  #toByte(): void {
    const count = this.#bitCount & 7;
    if (count > 0) this.#drop(count);
  }

  /** Makes at least `wanted` (≤ 24) bits available, except at the end of the file. */
  #fill(wanted = 16): void {
    while (this.#bitCount < wanted) {
      if (this.#at === this.#input.length && !this.#readInput()) return;
      this.#bits |= (this.#input[this.#at++] ?? 0) << this.#bitCount;
      this.#bitCount += 8;
    }
  }

  #readInput(): boolean {
    const length = Math.min(inputSize, this.#source.size - this.#offset);
    if (length <= 0) return false;
    if (this.#input.length !== length) this.#input = new Uint8Array(length);
    this.#source.read(this.#input, this.#offset);
    this.#offset += length;
    this.#at = 0;
    return true;
  }
}

/**
 * The contents of a gzip file that begins at `start`, of one member or several; each piece is valid until the next is
 * requested. Returns how many bytes follow the last member and begin no other. CorruptError for damage, after all
 * bytes before the damage.
 */
export function* inflateGzip(source: ByteSource, start = 0): Generator<Uint8Array, number> {
  const inflater = new Inflater(source, start);
  yield* inflater.members();
  return inflater.rest;
}
