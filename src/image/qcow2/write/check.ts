/**
 * Checks the tables of a qcow2 image: every reference to a cluster is counted and compared with what the image says.
 * Specification: "Host cluster management", "Snapshots", "Bitmaps". A count that is too high is a leak: space is lost and
 * nothing else. All else is a corruption, as writing to the image could destroy what it holds.
 */
import { CorruptError, endsCall, readUpTo, UnsupportedError, viewOf, work } from '../../../base/index.js';
import { type Disk, PaddedDisk } from '../../../disk/index.js';
import { type ImageCheck, qcow2Layout } from '../../../formats/index.js';
import { TableCache } from '../../table-cache.js';
import { compressedPlace, isCompressed, isCopied, isZero, offsetOf } from '../entries.js';
import type { Header } from '../header.js';
import { listSnapshots } from '../snapshots.js';
import { CountCodec, readRefcountTable } from './refcounts.js';

const { bitmapEntry, limits, subclusters, tableEntry } = qcow2Layout;

/** The most clusters of a file: 16 TiB of the usual size, and 1 GiB of memory for their counts. */
const mostClusters = 2 ** 28;
/** Of one part of a check, for its progress. */
const stepsOfPart = 1000;
/** Clusters between two reports. */
const reportEvery = 65_536;
/** Problems that are told one by one. */
const mostTold = 100;
const entrySize = tableEntry.size;

/** What is found, and how often each cluster of the file is referred to. */
interface Qcow2Check extends ImageCheck {
  readonly references: Uint32Array;
  /** Corruptions that cannot be repaired from the tables that map the disk. */
  readonly lost: number;
}

class Checker {
  readonly problems: string[] = [];
  corruptions = 0;
  lost = 0;
  leaks = 0;
  allocated = 0;
  compressed = 0;
  fragmented = 0;
  readonly references: Uint32Array;
  readonly clusterSize: number;
  readonly #file: Disk;
  readonly #header: Header;
  readonly #blocks: readonly number[];
  readonly #codec: CountCodec;
  readonly #counts: TableCache;
  readonly #tables: TableCache;
  readonly #progress: (position: number, total: number) => void;
  #lastData = 0;
  /** Parts that are done: each state of the disk, and then the comparison. */
  #partsDone = 0;

  constructor(file: Disk, header: Header, progress: (position: number, total: number) => void) {
    this.#file = file;
    this.#header = header;
    this.#progress = progress;
    this.clusterSize = 2 ** header.clusterBits;
    const clusters = Math.ceil(file.size / this.clusterSize);
    if (clusters > mostClusters)
      throw new UnsupportedError('qcow2 image', [`a check of more than ${mostClusters} clusters`], {
        elsewhere: 'nowhere',
      });
    work.bytes.spend(clusters * 4);
    this.references = new Uint32Array(clusters);
    this.#codec = new CountCodec(header.refcountBits);
    this.#blocks = readRefcountTable(file, header);
    const cache = { mostInSlice: this.clusterSize, budget: 2 * 1024 * 1024 };
    this.#counts = new TableCache(file, { name: 'qcow2 refcount block', ...cache });
    this.#tables = new TableCache(file, { name: 'qcow2 table', ...cache });
  }

  /** `isDerived`: of what can be told again from the tables that map the disk. */
  corrupt(problem: string, isDerived = false): void {
    this.corruptions++;
    if (!isDerived) this.lost++;
    this.#tell(problem);
  }

  /** `share`: of the part that is being done. */
  #report(share: number): void {
    const parts = this.#header.snapshotCount + 2;
    const done = Math.min(parts, this.#partsDone + share);
    this.#progress(Math.floor(done * stepsOfPart), parts * stepsOfPart);
  }

  #tell(problem: string): void {
    if (this.problems.length < mostTold) this.problems.push(problem);
  }

  /** Counts a reference to all clusters of a range. */
  refer(what: string, offset: number, size: number): void {
    if (size === 0) return;
    const last = Math.floor((offset + size - 1) / this.clusterSize);
    for (let cluster = Math.floor(offset / this.clusterSize); cluster <= last; cluster++) {
      work.lookups.spend(1);
      if (cluster >= this.references.length) {
        this.corrupt(`${what} at ${offset} reaches past the end of the file`);
        return;
      }
      this.references[cluster] = (this.references[cluster] ?? 0) + 1;
    }
  }

  /** The count that the image has for a cluster. */
  storedCount(cluster: number): number {
    const perBlock = this.#codec.countsIn(this.clusterSize);
    const block = this.#blocks[Math.floor(cluster / perBlock)] ?? 0;
    if (block === 0 || block % this.clusterSize !== 0 || block >= this.#file.size) return 0;
    const { sliceSize } = this.#counts;
    const perSlice = this.#codec.countsIn(sliceSize);
    const slice = block + Math.floor((cluster % perBlock) / perSlice) * sliceSize;
    return this.#codec.read(this.#counts.slice(slice), cluster % perSlice);
  }

  /** The tables of counts themselves. */
  counts(): void {
    const { refcountTableOffset, refcountTableClusters } = this.#header;
    this.refer('the refcount table', refcountTableOffset, refcountTableClusters * this.clusterSize);
    for (const [index, block] of this.#blocks.entries()) {
      if (block === 0) continue;
      if (block % this.clusterSize !== 0)
        this.corrupt(`refcount block ${index} at ${block} is not aligned to a cluster`);
      else this.refer(`refcount block ${index}`, block, this.clusterSize);
    }
  }

  /** An L1 table and what it leads to. `isActive`: of the present state, whose flags say what is used once. */
  state(what: string, l1Offset: number, l1Entries: number, isActive: boolean): void {
    if (l1Offset % this.clusterSize !== 0 || l1Entries * entrySize > limits.l1Bytes) {
      this.corrupt(`the L1 table of ${what} at ${l1Offset} has an impossible place or size`);
      return;
    }
    this.refer(`the L1 table of ${what}`, l1Offset, l1Entries * entrySize);
    if (l1Offset >= this.#file.size) return;
    const { sliceSize } = this.#tables;
    const bytes = new Uint8Array(l1Entries * entrySize);
    new PaddedDisk(this.#file, l1Offset + bytes.length).read(bytes, l1Offset);
    const l1 = viewOf(bytes);
    for (let at = 0; at < bytes.length; at += entrySize) {
      this.#report(at / bytes.length);
      const table = offsetOf(l1, at);
      if (table === 0) continue;
      const name = `L2 table ${at / entrySize} of ${what}`;
      if (table % this.clusterSize !== 0) {
        this.corrupt(`${name} at ${table} is not aligned to a cluster`);
        continue;
      }
      this.refer(name, table, this.clusterSize);
      if (isActive) this.#checkFlag(name, table, isCopied(l1, at));
      if (table >= this.#file.size) continue;
      for (let slice = table; slice < table + this.clusterSize; slice += sliceSize)
        this.#entries(name, this.#tables.slice(slice), isActive);
    }
    this.#partsDone++;
  }

  #entries(name: string, table: DataView, isActive: boolean): void {
    const { clusterBits, extendedL2, hasDataFile } = this.#header;
    const size = extendedL2 ? subclusters.size : entrySize;
    for (let at = 0; at < table.byteLength; at += size) {
      work.lookups.spend(1);
      if (isCompressed(table, at)) {
        const place = compressedPlace(table, at, clusterBits);
        this.compressed++;
        this.allocated++;
        if (hasDataFile) this.corrupt(`${name} has a compressed cluster although the data is elsewhere`);
        if (isCopied(table, at)) this.corrupt(`${name} has a compressed cluster that is marked as used once`);
        // The last of its sectors may be behind the end of the file.
        const end = Math.ceil(Math.min(place.offset + place.size, this.#file.size) / 512) * 512;
        this.refer(`a compressed cluster of ${name}`, place.offset, Math.max(1, end - place.offset));
        continue;
      }
      const host = offsetOf(table, at);
      if (extendedL2) {
        const { zero, stored } = subclusters.decode(table, at);
        if ((zero & stored) !== 0 || (stored !== 0 && host === 0 && !hasDataFile))
          this.corrupt(`${name} has a subcluster that is both stored and not`);
      }
      if (host === 0) continue;
      if (host % this.clusterSize !== 0) {
        this.corrupt(`${name} has an entry at ${host} that is not aligned to a cluster`);
        continue;
      }
      if (!isZero(table, at) || extendedL2) {
        this.allocated++;
        if (this.#lastData !== 0 && host !== this.#lastData + this.clusterSize) this.fragmented++;
        this.#lastData = host;
      }
      if (hasDataFile) continue;
      this.refer(`a cluster of ${name}`, host, this.clusterSize);
      if (isActive) this.#checkFlag(`a cluster of ${name}`, host, isCopied(table, at));
    }
  }

  /** Bit 63 says that a cluster is used once. */
  #checkFlag(what: string, offset: number, copied: boolean): void {
    const count = this.storedCount(offset / this.clusterSize);
    if ((count === 1) === copied) return;
    const flag = copied ? 'marked as used once' : 'not marked as used once';
    this.corrupt(`${what} at ${offset} is ${flag}, and its count is ${count}`, true);
  }

  bitmaps(): void {
    const { bitmapDirectory: directory, autoclear } = this.#header;
    // Whoever cleared the bit did not know bitmaps: what the extension says is void, its clusters are lost.
    if (directory === undefined || (autoclear & qcow2Layout.autoclear.bitmaps) === 0n) return;
    const { offset, sizeInBytes, count } = directory;
    if (sizeInBytes > limits.bitmapDirectoryBytes || count > limits.bitmaps) {
      this.corrupt('the bitmap directory has an impossible size');
      return;
    }
    this.refer('the bitmap directory', offset, sizeInBytes);
    const bytes = readUpTo(this.#file, offset, sizeInBytes);
    for (let index = 0, at = 0; index < count; index++) {
      if (at + bitmapEntry.size > bytes.length) {
        this.corrupt(`the bitmap directory ends before bitmap ${index}`);
        return;
      }
      const bitmap = bitmapEntry.decode(bytes, at);
      const size = bitmap.bitmap_table_size * entrySize;
      const name = `bitmap ${index}`;
      this.refer(`the table of ${name}`, bitmap.bitmap_table_offset, size);
      if (size <= limits.bitmapDirectoryBytes)
        this.#bitmap(name, readUpTo(this.#file, bitmap.bitmap_table_offset, size));
      else this.corrupt(`the table of ${name} has an impossible size`);
      at += Math.ceil((bitmapEntry.size + bitmap.extra_data_size + bitmap.name_size) / 8) * 8;
    }
  }

  #bitmap(name: string, bytes: Uint8Array): void {
    const table = viewOf(bytes);
    for (let at = 0; at + entrySize <= bytes.length; at += entrySize) {
      work.lookups.spend(1);
      const cluster = offsetOf(table, at);
      if (cluster % this.clusterSize !== 0)
        this.corrupt(`${name} has an entry that is not aligned to a cluster`);
      else if (cluster !== 0) this.refer(name, cluster, this.clusterSize);
    }
  }

  /** Compares what was counted with what the image says. */
  compare(): void {
    this.#partsDone = this.#header.snapshotCount + 1;
    for (let cluster = 0; cluster < this.references.length; cluster++) {
      work.lookups.spend(1);
      if (cluster % reportEvery === 0) this.#report(cluster / this.references.length);
      const found = this.references[cluster] ?? 0;
      const stored = this.storedCount(cluster);
      if (stored === found) continue;
      const what = `the cluster at ${cluster * this.clusterSize} is used ${found} times, and its count is ${stored}`;
      if (stored < found) this.corrupt(what, true);
      else {
        this.leaks++;
        this.#tell(`leak: ${what}`);
      }
    }
  }
}

/** Checks the image of which `header` is the header. What cannot be read of it is a corruption. */
export function checkQcow2(
  file: Disk,
  header: Header,
  progress: (position: number, total: number) => void = () => {},
): Qcow2Check {
  const checker = new Checker(file, header, progress);
  const { clusterSize } = checker;
  const parts: readonly (() => void)[] = [
    () => checker.refer('the header', 0, clusterSize),
    () => checker.counts(),
    () => checker.state('the disk', header.l1Offset, header.l1Entries, true),
    () => {
      let end = header.snapshotTableOffset;
      for (const { id, l1Offset, l1Entries, endOffset } of listSnapshots(file, header)) {
        checker.state(`snapshot ${id}`, l1Offset, l1Entries, false);
        end = endOffset;
      }
      if (header.snapshotCount > 0)
        checker.refer('the snapshot table', header.snapshotTableOffset, end - header.snapshotTableOffset);
    },
    () => checker.bitmaps(),
    () => {
      const { encryptionHeader } = header;
      if (encryptionHeader)
        checker.refer('the encryption header', encryptionHeader.offset, encryptionHeader.length);
    },
    () => checker.compare(),
  ];
  for (const part of parts) {
    try {
      part();
    } catch (thrown) {
      if (endsCall(thrown) || !(thrown instanceof CorruptError)) throw thrown;
      checker.corrupt(thrown.message);
    }
  }
  const { references } = checker;
  let end = references.length;
  while (end > 0 && references[end - 1] === 0) end--;
  return {
    format: 'qcow2',
    corruptions: checker.corruptions,
    leaks: checker.leaks,
    problems: checker.problems,
    imageEndOffset: end * clusterSize,
    totalClusters: Math.ceil(header.sizeInBytes / clusterSize),
    allocatedClusters: checker.allocated,
    compressedClusters: checker.compressed,
    fragmentedClusters: checker.fragmented,
    isMarkedCorrupt: header.corrupt,
    isMarkedDirty: header.dirty,
    references,
    lost: checker.lost,
  };
}
