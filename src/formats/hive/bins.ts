/**
 * The bins of a hive and the cells in them. A cell is only ever looked up at a place where one begins, so that a hive
 * cannot make a reader see one cell inside another.
 */
import { type ByteSource, CorruptError, readMaybe, readUpTo, viewOf, work } from '../../base/index.js';
import { binsAt, blockLength, cellHead, HBIN_MAGIC, hbin, idOfCell } from './layout.js';

/** Where a reader finds the cells of a hive. */
export interface Cells {
  /** The cell that begins at an offset of the file; undefined if none does, or it is free. */
  find(at: number): Cell | undefined;
  /** The same, of a cell that something in the hive points to. */
  get(at: number, what: string): Cell;
}

/** A cell that is in use. */
export interface Cell {
  /** From the beginning of the file. */
  readonly at: number;
  /** All of it, its length included. */
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Two letters, which mean something only where a structure with an identifier is expected. */
  readonly id: string;
}

interface Bin {
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** For each four bytes of the bin, 1 where a cell in use begins. */
  readonly starts: Uint8Array;
}

/** A bin has one block, or as many as its largest cell needs; Windows writes no cell of more than a few MiB. */
const longestBin = 64 * 1024 * 1024;
/** How much of the bins is kept in memory, in bytes. */
const keptLength = 16 * 1024 * 1024;

/** What {@link Bins.binOf} holds for a block beside one more than the first block of its bin. */
const unknown = 0;
const none = 0xffff_ffff;

export class Bins implements Cells {
  readonly #source: ByteSource;
  readonly #end: number;
  /** For each block, in which bin it lies: found once, so that a hive without bins is not searched again and again. */
  readonly #binOf: Uint32Array;
  readonly #kept = new Map<number, Bin>();
  #keptBytes = 0;

  /** `length`: of all bins together, as the header has it. */
  constructor(source: ByteSource, length: number) {
    this.#source = source;
    this.#end = Math.min(source.size, binsAt + length);
    this.#binOf = new Uint32Array(Math.ceil(this.#end / blockLength));
  }

  /** Reads all bins once. CorruptError where one, or a cell in it, breaks the rules. */
  checkAll(): void {
    this.eachCell(() => {});
  }

  /** Calls `used` for each cell in use. A tolerant reader goes on behind damage: behind a bin, behind bins ends all. */
  eachCell(used: (at: number) => void, { tolerant = false } = {}): void {
    for (let at = binsAt; at < this.#end; ) {
      const length = this.#lengthOfBin(at);
      if (length === undefined) {
        if (tolerant) return;
        throw new CorruptError('registry hive', 'has no bin where one begins', { at });
      }
      const bin = at;
      const end = walkCells(this.#read(bin, length).bytes, (start) => used(bin + start));
      if (end !== length && !tolerant)
        throw new CorruptError('registry hive', 'has a cell of an impossible length', { at: at + end });
      at += length;
    }
  }

  find(at: number): Cell | undefined {
    if (at % cellHead !== 0 || at < binsAt || at >= this.#end) return undefined;
    const bin = this.#binAround(at);
    if (bin?.starts[(at - bin.at) / cellHead] !== 1) return undefined;
    const start = at - bin.at;
    const length = Math.abs(bin.view.getInt32(start, true));
    const bytes = bin.bytes.subarray(start, start + length);
    return { at, bytes, view: viewOf(bytes), id: idOfCell(bytes) };
  }

  get(at: number, what: string): Cell {
    return this.find(at) ?? noCell(at, what);
  }

  /** The length of the bin that begins at a block; undefined if none does. */
  #lengthOfBin(at: number): number | undefined {
    const bytes = readMaybe(this.#source, at, hbin.size);
    if (bytes === undefined) return undefined;
    const { magic, offset_first, page_size } = hbin.decode(bytes);
    if (magic !== HBIN_MAGIC || offset_first !== at - binsAt) return undefined;
    if (page_size === 0 || page_size % blockLength !== 0 || page_size > longestBin) return undefined;
    return at + page_size > this.#source.size ? undefined : page_size;
  }

  /** Goes back from block to block, up to the one with the head of its bin. */
  #binAround(at: number): Bin | undefined {
    const wanted = Math.floor(at / blockLength);
    const told = this.#binOf[wanted] ?? none;
    if (told !== unknown) return told === none ? undefined : this.#load((told - 1) * blockLength);
    let found = none;
    let block = wanted;
    for (; block >= binsAt / blockLength; block--) {
      work.entries.spend(1);
      const known = this.#binOf[block] ?? none;
      if (known !== unknown) {
        // A bin that ends before the wanted block: no bin before that one reaches further.
        if (known !== none && this.#reaches(known - 1, wanted)) found = known;
        break;
      }
      const length = this.#lengthOfBin(block * blockLength);
      if (length === undefined) continue;
      this.#binOf[block] = block + 1;
      if (block + length / blockLength > wanted) found = block + 1;
      break;
    }
    this.#binOf.fill(found, block + 1, wanted + 1);
    return found === none ? undefined : this.#load((found - 1) * blockLength);
  }

  #reaches(block: number, wanted: number): boolean {
    const length = this.#lengthOfBin(block * blockLength) ?? 0;
    return block + length / blockLength > wanted;
  }

  #load(at: number): Bin | undefined {
    const kept = this.#kept.get(at);
    if (kept !== undefined) return kept;
    const length = this.#lengthOfBin(at);
    return length === undefined ? undefined : this.#read(at, length);
  }

  #read(at: number, length: number): Bin {
    const bytes = readUpTo(this.#source, at, length);
    const starts = new Uint8Array(length / cellHead);
    walkCells(bytes, (start) => {
      starts[start / cellHead] = 1;
    });
    const bin = { at, bytes, view: viewOf(bytes), starts };
    this.#kept.set(at, bin);
    this.#keptBytes += length;
    for (const [oldest, { bytes: dropped }] of this.#kept) {
      if (this.#keptBytes <= keptLength || oldest === at) break;
      this.#kept.delete(oldest);
      this.#keptBytes -= dropped.length;
    }
    return bin;
  }
}

/** CorruptError for a place that something in the hive points to, and where no cell is. */
export function noCell(at: number, what: string): never {
  throw new CorruptError(what, 'is not in a cell of the hive', { at });
}

/** Calls `used` for each cell in use. Returns where the cells end: before the end of the bin if one is damaged. */
function walkCells(bin: Uint8Array, used: (start: number) => void): number {
  const view = viewOf(bin);
  let start = hbin.size;
  while (start < bin.length) {
    work.entries.spend(1);
    const stored = view.getInt32(start, true);
    const length = Math.abs(stored);
    if (length <= cellHead || length % cellHead !== 0 || start + length > bin.length) return start;
    if (stored < 0) used(start);
    start += length;
  }
  return start;
}
