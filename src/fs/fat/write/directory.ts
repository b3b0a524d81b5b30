/**
 * A directory that is written: where its entries are, an index of its names, and room for new ones. Parts of a long name
 * are on the disk before the entry that they belong to, and go after it.
 */
import { decodeLatin1, systemError, viewOf, work } from '../../../base/index.js';
import { type Disk, type DiskTransaction, MappedDisk } from '../../../disk/index.js';
import { isDotEntry, readEntries } from '../directory.js';
import {
  attrLongName,
  directoryEntry,
  entrySize,
  lastLongEntry,
  longNameEntry,
  nameDeleted,
  nameEnd,
  unitOffsets,
  unitsPerLongEntry,
} from '../layout.js';
import { decodeShortName, type ShortNameDisplay, shortNameChecksum } from '../names.js';
import type { FatOptions } from '../options.js';
import { isLabel } from '../probe.js';
import type { ChainRun, FatSession } from './session.js';
import { partsOf, type StoredName } from './short-names.js';

/** As in the kernel. */
const largestInBytes = 65_536 * entrySize;

export type EntryFields = Partial<ReturnType<typeof directoryEntry.decode>>;

export class WrittenDirectory {
  readonly #session: FatSession;
  readonly #runs: ChainRun[];
  /** How many clusters lie before each run. */
  readonly #befores: number[] = [];
  /** Of the fixed root directory. */
  readonly #fixed: { readonly offset: number; readonly size: number } | undefined;
  readonly #fold: (name: string) => string;
  readonly #show: (name: string) => string;
  readonly #display: ShortNameDisplay;
  /** Names, long and short, in the form for comparing; and where the entry is, in bytes of the directory. */
  readonly #names = new Map<string, number>();
  readonly #namesAt = new Map<number, readonly string[]>();
  readonly #shorts = new Set<string>();
  /** No entry before this is free. */
  #freeFrom = 0;

  /** `runs`: its clusters; undefined for the fixed root directory. */
  constructor(
    session: FatSession,
    runs: readonly ChainRun[] | undefined,
    options: FatOptions,
    fold: (name: string) => string,
    show: (name: string) => string,
  ) {
    this.#session = session;
    this.#runs = [];
    this.#append(runs ?? []);
    const { rootOffset, rootSize } = session.volume;
    this.#fixed = runs === undefined ? { offset: rootOffset, size: rootSize } : undefined;
    this.#fold = fold;
    this.#show = show;
    this.#display = options.shortNames;
    for (const entry of readEntries(this.#data(), options.shortNames, show)) {
      this.#shorts.add(decodeLatin1(entry.name));
      if (isDotEntry(entry)) continue;
      this.#know(entry.offset, [entry.shortName, entry.longName ?? '']);
    }
  }

  #data(): Disk {
    const { size } = this;
    const disk = this.#session.cache.view;
    return new MappedDisk(
      size,
      (offset) => ({ kind: 'data', disk, offset: this.place(offset), length: this.#lengthAt(offset) }),
      { name: 'FAT directory' },
    );
  }

  #lengthAt(offset: number): number {
    const { clusterSize } = this.#session.volume;
    return this.#fixed === undefined ? clusterSize - (offset % clusterSize) : this.#fixed.size - offset;
  }

  get size(): number {
    return this.#fixed?.size ?? this.#clusterCount * this.#session.volume.clusterSize;
  }

  get #clusterCount(): number {
    return (this.#befores.at(-1) ?? 0) + (this.#runs.at(-1)?.count ?? 0);
  }

  #append(runs: readonly ChainRun[]): void {
    for (const run of runs) {
      this.#befores.push(this.#clusterCount);
      this.#runs.push(run);
    }
  }

  /** Where a byte of the directory is on the disk. */
  place(offset: number): number {
    if (this.#fixed !== undefined) return this.#fixed.offset + offset;
    const { clusterSize } = this.#session.volume;
    const index = Math.floor(offset / clusterSize);
    let low = 0; // a run that starts at or before the index
    for (let high = this.#runs.length; high - low > 1; ) {
      const middle = Math.floor((low + high) / 2);
      if ((this.#befores[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    const run = this.#runs[low];
    const within = index - (this.#befores[low] ?? 0);
    if (run === undefined || within >= run.count) throw new Error(`the directory has no byte ${offset}`);
    return this.#session.offsetOf(run.first + within) + (offset % clusterSize);
  }

  /** Where the entry of a name is, in bytes of the directory. */
  find(name: string): number | undefined {
    return this.#names.get(this.#fold(name));
  }

  hasShort(short: Uint8Array): boolean {
    return this.#shorts.has(decodeLatin1(short));
  }

  /** Whether it holds nothing but `.` and `..`. */
  get isEmpty(): boolean {
    return this.#namesAt.size === 0;
  }

  #bytes(offset: number): Uint8Array {
    return this.#session.cache.bytes(this.place(offset), entrySize, 'FAT directory');
  }

  #isFree(offset: number): boolean {
    const first = this.#bytes(offset)[0];
    return first === nameEnd || first === nameDeleted;
  }

  /** The place of the entry with the volume's label, which only a root has. */
  findLabel(): number | undefined {
    for (let offset = 0; offset < this.size; offset += entrySize) {
      work.entries.spend(1);
      if (!this.#isFree(offset) && isLabel(directoryEntry.decode(this.#bytes(offset)))) return offset;
    }
    return undefined;
  }

  /**
   * Room for so many entries in a row, for which the directory may grow: then its new clusters are taken, as zeroes, and
   * {@link link} makes them a part of it. ENOSPC.
   */
  reserve(transaction: DiskTransaction, count: number): { readonly offset: number; link(): void } {
    let run = 0;
    let offset = this.#freeFrom;
    let firstFree: number | undefined;
    const { size } = this;
    for (; offset < size && run < count; offset += entrySize) {
      work.entries.spend(1);
      if (this.#isFree(offset)) {
        firstFree ??= offset;
        run++;
      } else run = 0;
    }
    this.#freeFrom = firstFree ?? offset;
    if (run === count) return { offset: offset - count * entrySize, link: () => {} };
    const start = this.size - run * entrySize;
    const { clusterSize } = this.#session.volume;
    const clusters = Math.ceil(((count - run) * entrySize) / clusterSize);
    if (this.#fixed !== undefined || this.size + clusters * clusterSize > largestInBytes)
      throw systemError('ENOSPC', 'vfat directory');
    const last = this.#runs.at(-1);
    const end = last === undefined ? 0 : last.first + last.count - 1;
    const taken = this.#session.allocate(transaction, clusters, end + 1);
    for (const { first, count: length } of taken)
      for (let i = 0; i < length; i++) this.#session.blank(transaction, first + i);
    return {
      offset: start,
      link: () => {
        this.#session.setEntry(transaction, end, taken[0]?.first ?? 0);
        this.#append(taken);
      },
    };
  }

  /** Stores an entry and its long name where {@link reserve} found room. Returns its place in the directory. */
  add(transaction: DiskTransaction, offset: number, name: StoredName, fields: EntryFields): number {
    const { short, ntFlags, long } = name;
    const parts = long === undefined ? 0 : partsOf(long);
    const at = offset + parts * entrySize;
    if (long !== undefined) {
      for (let part = parts - 1; part >= 0; part--)
        this.#addPart(
          transaction,
          offset + (parts - 1 - part) * entrySize,
          part,
          long,
          shortNameChecksum(short),
        );
      if (this.#blockOf(offset) !== this.#blockOf(at)) transaction.barrier();
    }
    const bytes = this.#session.change(transaction, this.place(at), entrySize);
    bytes.fill(0);
    directoryEntry.encode({ ...fields, name: short, nt_res: ntFlags }, bytes);
    this.#shorts.add(decodeLatin1(short));
    this.#know(at, [this.#show(decodeShortName(short, ntFlags, this.#display)), long ?? '']);
    return at;
  }

  /** Takes note of the names of an entry. Of two entries of one name the first is found. */
  #know(offset: number, names: readonly string[]): void {
    const folded = names.filter((name) => name !== '').map((name) => this.#fold(name));
    this.#namesAt.set(offset, folded);
    for (const name of folded) if (!this.#names.has(name)) this.#names.set(name, offset);
  }

  #addPart(transaction: DiskTransaction, offset: number, part: number, long: string, checksum: number): void {
    const bytes = this.#session.change(transaction, this.place(offset), entrySize);
    bytes.fill(0);
    const isLast = part === partsOf(long) - 1;
    longNameEntry.encode(
      { ord: part + 1 + (isLast ? lastLongEntry : 0), attr: attrLongName, chksum: checksum },
      bytes,
    );
    const view = viewOf(bytes);
    for (const [i, at] of unitOffsets.entries()) {
      const unit = part * unitsPerLongEntry + i;
      // Behind the name stands a zero, and behind that nothing but ones.
      view.setUint16(
        at,
        unit < long.length ? long.charCodeAt(unit) : unit === long.length ? 0 : 0xffff,
        true,
      );
    }
  }

  #blockOf(offset: number): number {
    return Math.floor(this.place(offset) / this.#session.cache.blockSize);
  }

  /** Removes an entry, and then the parts of its long name. */
  remove(transaction: DiskTransaction, offset: number): void {
    const short = this.#bytes(offset).slice(0, directoryEntry.fields.name.length);
    const parts: number[] = [];
    const checksum = shortNameChecksum(short);
    for (let at = offset - entrySize; at >= 0; at -= entrySize) {
      const { ord, attr, chksum } = longNameEntry.decode(this.#bytes(at));
      if (attr !== attrLongName || chksum !== checksum || ord === nameDeleted) break;
      parts.push(at);
      if (ord >= lastLongEntry) break;
    }
    this.#mark(transaction, offset);
    if (parts.some((at) => this.#blockOf(at) !== this.#blockOf(offset))) transaction.barrier();
    for (const at of parts) this.#mark(transaction, at);
    this.#shorts.delete(decodeLatin1(short));
    for (const name of this.#namesAt.get(offset) ?? [])
      if (this.#names.get(name) === offset) this.#names.delete(name);
    this.#namesAt.delete(offset);
    this.#freeFrom = Math.min(this.#freeFrom, parts.at(-1) ?? offset);
  }

  #mark(transaction: DiskTransaction, offset: number): void {
    this.#session.change(transaction, this.place(offset), entrySize)[0] = nameDeleted;
  }
}
