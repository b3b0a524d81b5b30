/**
 * A hive in memory, whose cells are taken and given back as libhivex does it: a new cell lies behind all that were ever
 * taken, in a new bin where the last one has no room. So a caller gets the same handles from both.
 */
import { type ByteSource, CorruptError, GuestfsError, UnsupportedError, viewOf } from '../../base/index.js';
import { Bins, type Cell, type Cells, noCell } from './bins.js';
import { binsAt, blockLength, cellHead, HBIN_MAGIC, hbin, idOfCell } from './layout.js';

/** The largest hive that is changed, in bytes: it is in memory. Windows keeps to less. */
const largestHive = 512 * 1024 * 1024;
/** As in libhivex, in bytes. */
const longestCell = 1_000_000;
/** Cells are a multiple of this many bytes long. */
const cellUnit = 8;

const lengthOfCell = (contentLength: number): number =>
  Math.ceil((cellHead + contentLength) / cellUnit) * cellUnit;

export class HiveMemory implements Cells, ByteSource {
  #bytes: Uint8Array;
  /** How much of the bytes is the file; all behind is room. */
  #size: number;
  /** For each four bytes, 1 where a cell in use begins. */
  #starts: Uint8Array;
  /** Where the bins end. What lies behind them in the file is nothing. */
  #end: number;
  /** Where the next cell would begin; undefined before the first. */
  #next: number | undefined;

  /** `length`: of all bins together, as the header has it. CorruptError for damage, which a tolerant reader overlooks. */
  constructor(source: ByteSource, length: number, tolerant: boolean) {
    const { size } = source;
    if (size > largestHive)
      throw new UnsupportedError('registry hive', [`changing one of ${size} bytes`], {
        elsewhere: 'appliance',
      });
    this.#bytes = new Uint8Array(size);
    source.read(this.#bytes, 0);
    this.#size = size;
    this.#end = Math.min(size, binsAt + length);
    this.#starts = new Uint8Array(Math.ceil(size / cellHead));
    const cellAt = (at: number): void => {
      // A last bin may go on where the header has none: new cells would lie over its own.
      if (at + Math.abs(this.#view.getInt32(at, true)) <= this.#end) this.#mark(at, true);
      else if (!tolerant)
        throw new CorruptError('registry hive', 'has a cell behind its bins', { at, end: this.#end });
    };
    new Bins(source, length).eachCell(cellAt, { tolerant });
  }

  get size(): number {
    return this.#size;
  }

  /** The length of all bins together. */
  get binsLength(): number {
    return this.#end - binsAt;
  }

  read(into: Uint8Array, offset: number): void {
    into.set(this.#bytes.subarray(offset, offset + into.length));
  }

  /** Bytes of the file, as a view that is good until the next cell is taken. */
  bytes(at = 0, length = this.#size - at): Uint8Array {
    return this.#bytes.subarray(at, at + length);
  }

  find(at: number): Cell | undefined {
    if (at % cellHead !== 0 || this.#starts[at / cellHead] !== 1) return undefined;
    const length = Math.abs(this.#view.getInt32(at, true));
    const bytes = this.#bytes.subarray(at, at + length);
    return { at, bytes, view: viewOf(bytes), id: idOfCell(bytes) };
  }

  get(at: number, what: string): Cell {
    return this.find(at) ?? noCell(at, what);
  }

  /** ERANGE for more bytes than a cell can have. */
  checkLength(contentLength: number): void {
    if (lengthOfCell(contentLength) > longestCell)
      throw new GuestfsError('ERANGE', `${contentLength} bytes are more than a cell of a registry hive has`);
  }

  /** Takes a cell, all zeroes, with so many bytes in it. ERANGE for one that is too long. Returns its place. */
  allocate(contentLength: number): number {
    this.checkLength(contentLength);
    const length = lengthOfCell(contentLength);
    const next = this.#next;
    const at = next === undefined || next + length > this.#end ? this.#addBin(length) : next;
    this.#bytes.fill(0, at, at + length);
    this.#view.setInt32(at, -length, true);
    this.#mark(at, true);
    this.#next = at + length;
    // The rest of the bin is one free cell.
    if (this.#next < this.#end) this.#view.setInt32(this.#next, this.#end - this.#next, true);
    return at;
  }

  /** Gives a cell back. */
  release(at: number): void {
    this.#view.setInt32(at, Math.abs(this.#view.getInt32(at, true)), true);
    this.#mark(at, false);
  }

  get #view(): DataView {
    return viewOf(this.#bytes);
  }

  #mark(at: number, isUsed: boolean): void {
    this.#starts[at / cellHead] = isUsed ? 1 : 0;
  }

  /** Adds a bin with room for a cell. Returns where its first cell begins. */
  #addBin(cellLength: number): number {
    const at = this.#end;
    const length = Math.ceil((cellLength + hbin.size) / blockLength) * blockLength;
    this.#grow(at + length);
    this.#bytes.fill(0, at, at + length);
    hbin.encode(
      { magic: HBIN_MAGIC, offset_first: at - binsAt, page_size: length },
      this.#bytes.subarray(at, at + length),
    );
    this.#end = at + length;
    return at + hbin.size;
  }

  #grow(size: number): void {
    if (size > largestHive) throw new GuestfsError('ENOSPC', 'the registry hive has no room left');
    if (size > this.#bytes.length) {
      const room = Math.min(largestHive, Math.max(size, Math.ceil(this.#bytes.length * 1.5)));
      const bytes = new Uint8Array(room);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
      const starts = new Uint8Array(Math.ceil(room / cellHead));
      starts.set(this.#starts);
      this.#starts = starts;
    }
    this.#size = Math.max(this.#size, size);
  }
}
