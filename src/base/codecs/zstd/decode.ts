/**
 * Decodes frames of zstd: RFC 8878, section 3.1.1. Their headers and the tables of their codes are read here; the loops
 * in which most time goes are WebAssembly, in whose memory tables, literals, packed bytes and output lie.
 */
import { CorruptError, UnsupportedError } from '../../errors.js';
import { viewOf } from '../../struct.js';
import { checksumHolds } from '../../sums/crc.js';
import { xxhash64 } from '../../sums/xxhash64.js';
import { needWasm, type WasmExports } from '../../wasm.js';
import { work } from '../../work.js';
import { slack, zstdFaults, zstdFunctions, zstdWords } from './code.js';
import {
  blockContentLimit,
  blockTypeRaw,
  blockTypeRle,
  findFrameEnd,
  readBlockHeader,
  readFrameHeader,
} from './frame.js';
import {
  corruptZstd,
  type Distribution,
  entrySize,
  literalCodeEntries,
  mostStates,
  TableMaker,
  type Values,
} from './tables.js';

/** Values that are a least value and some more bits: how many those are, by the number of the value. */
const lengthBits = [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const matchBits = [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const noBits = (count: number): number[] => Array<number>(count).fill(0);
const fill = (count: number, share: number): number[] => Array<number>(count).fill(share);
const distribution = (bits: number, shares: number[]): Distribution => ({
  shares: Int16Array.from(shares),
  count: shares.length,
  bits,
});

/** What is known of a kind of values of sequences. */
interface ValueKind extends Values {
  readonly name: 'literalTable' | 'distanceTable' | 'matchTable';
  readonly bits: 'literalBits' | 'distanceBits' | 'matchBits';
  /** The first of the two bits that say how its table is told. */
  readonly modeShift: number;
  readonly mostBits: number;
  readonly predefined: Distribution;
}

/** The least values, where each begins behind the one before. */
function leastValues(first: number, moreBits: readonly number[]): number[] {
  let next = first;
  return moreBits.map((bits) => {
    const least = next;
    next += 2 ** bits;
    return least;
  });
}

function makeKinds(): readonly ValueKind[] {
  const literalMore = [...noBits(16), ...lengthBits];
  const matchMore = [...noBits(32), ...matchBits];
  const distanceMore = Array.from({ length: 32 }, (_, code) => code);
  return [
    {
      name: 'literalTable',
      bits: 'literalBits',
      modeShift: 6,
      mostBits: 9,
      least: leastValues(0, literalMore),
      moreBits: literalMore,
      predefined: distribution(6, [
        4,
        3,
        ...fill(11, 2),
        ...fill(3, 1),
        ...fill(9, 2),
        3,
        2,
        ...fill(5, 1),
        ...fill(4, -1),
      ]),
    },
    {
      name: 'distanceTable',
      bits: 'distanceBits',
      modeShift: 4,
      mostBits: 8,
      least: leastValues(1, distanceMore),
      moreBits: distanceMore,
      predefined: distribution(5, [...fill(6, 1), ...fill(3, 2), ...fill(15, 1), ...fill(5, -1)]),
    },
    {
      name: 'matchTable',
      bits: 'matchBits',
      modeShift: 2,
      mostBits: 9,
      least: leastValues(3, matchMore),
      moreBits: matchMore,
      predefined: distribution(6, [1, 4, 3, ...fill(6, 2), ...fill(37, 1), ...fill(7, -1)]),
    },
  ];
}

// Where things lie in the memory.
const literalCodeAt = 256;
const tablesAt = literalCodeAt + 2 * literalCodeEntries;
const tableSize = mostStates * entrySize;
/** Of each kind there is the table that is always there, and the last that was told. */
const literalsAt = tablesAt + 6 * tableSize;
const packedAt = literalsAt + blockContentLimit + 2 * slack;
/** Memory that is used again after what needed no more than this; more is let go of. */
const mostKept = 4 * 1024 * 1024;

type FunctionName = ReturnType<typeof zstdFunctions>[number]['name'];

/** The functions with what lies in their memory for good. */
interface Machine {
  readonly exports: WasmExports<FunctionName>;
  readonly kinds: readonly ValueKind[];
  readonly tables: TableMaker;
}

let machine: Machine | undefined;

function makeMachine(): Machine {
  const exports = needWasm('zstd', zstdFunctions(), packedAt);
  const kinds = makeKinds();
  const tables = new TableMaker();
  const { buffer } = exports.memory(packedAt);
  for (const [index, kind] of kinds.entries())
    tables.buildStates(kind.predefined, kind, statesAt(buffer, tablesAt + 2 * index * tableSize));
  return { exports, kinds, tables };
}

const statesAt = (buffer: ArrayBufferLike, at: number): Uint32Array =>
  new Uint32Array(buffer, at, 2 * mostStates);

/**
 * Decodes bytes that are exactly one frame, of at most `limit` bytes of contents. They are valid until the next frame is
 * decoded.
 */
export function decodeZstdFrame(frame: Uint8Array, limit: number): Uint8Array {
  const header = readFrameHeader(frame, 0);
  const { end, mostContent } = findFrameEnd(frame, 0);
  if ('end' in header || end !== frame.length) throw new CorruptError('zstd frame', 'is not one frame');
  if ((header.descriptor & 3) !== 0) throw new UnsupportedError('zstd frame', ['dictionaries']);
  const most = Math.min(limit, mostContent);
  work.steps.spend(most + frame.length);
  machine ??= makeMachine();
  const decoder = new FrameDecoder(machine, frame, most);
  const decoded = decoder.blocks(header.blocksAt, header.mostInBlock);
  if (decoder.memorySize > mostKept) machine = undefined;
  if (header.contentSize !== undefined && header.contentSize !== decoded.length)
    throw new CorruptError('zstd frame', 'has another size than it says', {
      size: header.contentSize,
      decoded: decoded.length,
    });
  if (((header.descriptor >> 2) & 1) === 1) checkContents(frame, decoded);
  return decoded;
}

function checkContents(frame: Uint8Array, decoded: Uint8Array): void {
  const stored = viewOf(frame).getUint32(frame.length - 4, true);
  if (!checksumHolds(Number(BigInt.asUintN(32, xxhash64(decoded))), stored))
    throw new CorruptError('zstd frame', 'has a wrong checksum');
}

/** One frame. */
class FrameDecoder {
  readonly #machine: Machine;
  readonly #frame: Uint8Array;
  readonly #memory: Uint8Array;
  readonly #words: Int32Array;
  readonly #outAt: number;
  readonly #limit: number;
  #out: number;
  /** The bits of the code of literals; 0 before there is one. */
  #literalBits = 0;

  constructor(using: Machine, frame: Uint8Array, most: number) {
    this.#machine = using;
    this.#frame = frame;
    this.#outAt = packedAt + frame.length + slack;
    this.#out = this.#outAt;
    this.#limit = this.#outAt + most;
    this.#memory = using.exports.memory(this.#limit + slack);
    this.#memory.set(frame, packedAt);
    this.#words = new Int32Array(this.#memory.buffer, 0, literalCodeAt / 4);
    this.#words.fill(0);
    this.#words.set([1, 4, 8], zstdWords.rep1);
    this.#words[zstdWords.start] = this.#outAt;
  }

  get memorySize(): number {
    return this.#memory.length;
  }

  /** Decodes all blocks. */
  blocks(blocksAt: number, mostInBlock: number): Uint8Array {
    for (let at = blocksAt, isLast = false; !isLast; ) {
      const block = readBlockHeader(this.#frame, 0, at);
      const from = at + blockHeaderSize;
      const limit = Math.min(this.#limit, this.#out + mostInBlock);
      if (block.type === blockTypeRaw || block.type === blockTypeRle) {
        if (block.mostContent > limit - this.#out) throw corruptZstd('has more bytes than there may be');
        const end = this.#out + block.mostContent;
        if (block.type === blockTypeRle) this.#memory.fill(this.#frame[from] ?? 0, this.#out, end);
        else this.#memory.set(this.#frame.subarray(from, block.end), this.#out);
        this.#out = end;
      } else {
        const { literal, literalEnd, next } = this.#literals(from, block.end, mostInBlock);
        this.#sequences(next, block.end, literal, literalEnd, limit);
      }
      at = block.end;
      isLast = block.last;
    }
    return this.#memory.subarray(this.#outAt, this.#out);
  }

  #call(name: FunctionName, ...values: number[]): void {
    const made = this.#machine.exports.functions[name](...values);
    if (made !== 0) throw corruptZstd(zstdFaults[made] ?? '');
  }

  /** The literals of a block: where they lie in the memory. `next`: where its sequences begin. */
  #literals(
    at: number,
    blockEnd: number,
    most: number,
  ): { literal: number; literalEnd: number; next: number } {
    const byte = (i: number): number => (at + i < blockEnd ? (this.#frame[at + i] ?? 0) : 0);
    const type = byte(0) & 3;
    const format = (byte(0) >> 2) & 3;
    const needBytes = (end: number): number => {
      if (end > blockEnd) throw corruptZstd('is cut short');
      return end;
    };
    const needRoom = (size: number): void => {
      if (size > most) throw corruptZstd('has more literals than bytes', { size });
    };
    if (type === literalsRaw || type === literalsRle) {
      const headSize = format === 3 ? 3 : format === 1 ? 2 : 1;
      const size =
        headSize === 1 ? byte(0) >> 3 : (byte(0) >> 4) + byte(1) * 16 + (headSize === 3 ? byte(2) * 4096 : 0);
      const start = needBytes(at + headSize);
      needRoom(size);
      if (type === literalsRaw)
        return {
          literal: packedAt + start,
          literalEnd: packedAt + start + size,
          next: needBytes(start + size),
        };
      const next = needBytes(start + 1);
      this.#memory.fill(this.#frame[start] ?? 0, literalsAt, literalsAt + size);
      return { literal: literalsAt, literalEnd: literalsAt + size, next };
    }
    const sizeBits = format < 2 ? 10 : format === 2 ? 14 : 18;
    const headSize = (4 + 2 * sizeBits) / 8;
    // Up to 40 bits: no bit operators.
    let head = 0;
    for (let i = headSize - 1; i >= 0; i--) head = head * 256 + byte(i);
    head = Math.floor(head / 16);
    const size = head % 2 ** sizeBits;
    const start = needBytes(at + headSize);
    const next = needBytes(start + Math.floor(head / 2 ** sizeBits));
    needRoom(size);
    let from = start;
    if (type === literalsCompressed) {
      const table = new Uint16Array(this.#memory.buffer, literalCodeAt, literalCodeEntries);
      work.steps.spend(literalCodeEntries);
      const code = this.#machine.tables.readLiteralCode(this.#frame.subarray(start, next), table);
      this.#literalBits = code.bits;
      from += code.next;
    } else if (this.#literalBits === 0) throw corruptZstd('goes on with a code of literals that it has not');
    this.#decodeLiterals(from, next, size, format !== 0);
    return { literal: literalsAt, literalEnd: literalsAt + size, next };
  }

  /** Literals by their code, in one stream or in four. */
  #decodeLiterals(from: number, end: number, size: number, isFour: boolean): void {
    const [start, stop] = [packedAt + from, packedAt + end];
    const [shift, to] = [64 - this.#literalBits, literalsAt + size];
    if (!isFour) {
      if (from === end || size === 0) throw corruptZstd('is cut short');
      this.#call('literals1', literalCodeAt, shift, literalsAt, to, size, start, stop);
      return;
    }
    if (from + jumpTableSize > end || size < leastFourStreams) throw corruptZstd('is cut short');
    const ends: number[] = [];
    let at = start + jumpTableSize;
    for (let i = 0; i < 3; i++) {
      const length = (this.#frame[from + 2 * i] ?? 0) | ((this.#frame[from + 2 * i + 1] ?? 0) << 8);
      if (length === 0) throw corruptZstd('is cut short');
      at += length;
      ends.push(at);
    }
    if (at >= stop) throw corruptZstd('is cut short');
    const segment = Math.ceil(size / 4);
    this.#call(
      'literals4',
      literalCodeAt,
      shift,
      literalsAt,
      to,
      segment,
      start + jumpTableSize,
      ...ends,
      stop,
    );
  }

  /** The sequences of a block, and the literals behind the last of them. */
  #sequences(at: number, blockEnd: number, literal: number, literalEnd: number, limit: number): void {
    const byte = (i: number): number => {
      if (i >= blockEnd) throw corruptZstd('is cut short');
      return this.#frame[i] ?? 0;
    };
    let next = at + 1;
    let count = byte(at);
    if (count === 255) {
      count = byte(at + 1) + byte(at + 2) * 256 + 0x7f00;
      next += 2;
    } else if (count >= 128) {
      count = (count - 128) * 256 + byte(at + 1);
      next++;
    }
    const words = this.#words;
    words[zstdWords.out] = this.#out;
    words[zstdWords.limit] = limit;
    words[zstdWords.literal] = literal;
    words[zstdWords.literalEnd] = literalEnd;
    if (count === 0) {
      if (next !== blockEnd) throw corruptZstd('has bytes behind its end');
    } else {
      const modes = byte(next++);
      if ((modes & 3) !== 0) throw corruptZstd('has reserved bits', { modes });
      for (const [index, kind] of this.#machine.kinds.entries())
        next = this.#table(kind, index, (modes >> kind.modeShift) & 3, next, blockEnd);
      if (next >= blockEnd) throw corruptZstd('is cut short');
      this.#call('sequences', packedAt + next, packedAt + blockEnd, count);
    }
    // safe: the function left words in their places
    const [out, from] = [words[zstdWords.out] as number, words[zstdWords.literal] as number];
    if (literalEnd - from > limit - out) throw corruptZstd('has more bytes than there may be');
    this.#memory.copyWithin(out, from, literalEnd);
    this.#out = out + literalEnd - from;
  }

  /** Sets the table of a kind of values. Returns where the next bytes begin. */
  #table(kind: ValueKind, index: number, mode: number, at: number, blockEnd: number): number {
    const words = this.#words;
    const own = tablesAt + (2 * index + 1) * tableSize;
    if (mode === tableRepeated) {
      if (words[zstdWords[kind.name]] === 0) throw corruptZstd('goes on with a table that it has not');
      return at;
    }
    if (mode === tablePredefined) {
      words[zstdWords[kind.name]] = own - tableSize;
      words[zstdWords[kind.bits]] = kind.predefined.bits;
      return at;
    }
    words[zstdWords[kind.name]] = own;
    const { tables } = this.#machine;
    const states = statesAt(this.#memory.buffer, own);
    if (mode === tableRle) {
      if (at >= blockEnd) throw corruptZstd('is cut short');
      const symbol = this.#frame[at] ?? 0;
      if (symbol >= kind.least.length) throw corruptZstd('has an unknown value', { symbol });
      words[zstdWords[kind.bits]] = 0;
      tables.buildStates(distribution(0, [...noBits(symbol), 1]), kind, states);
      return at + 1;
    }
    work.steps.spend(mostStates);
    const told = tables.readDistribution(this.#frame.subarray(0, blockEnd), at, kind, kind.mostBits);
    words[zstdWords[kind.bits]] = told.bits;
    tables.buildStates(told, kind, states);
    return told.next;
  }
}

const blockHeaderSize = 3;
const jumpTableSize = 6;
const leastFourStreams = 6;
// Kinds of literals; the fourth is compressed by the code of the block before.
const literalsRaw = 0;
const literalsRle = 1;
const literalsCompressed = 2;
// How the table of a kind of values is told; the third way is by a distribution.
const tablePredefined = 0;
const tableRle = 1;
const tableRepeated = 3;
