/** What writing to a qcow2 image needs: its space, and the marks of a first write. */
import { CorruptError, GuestfsError, work } from '../../../base/index.js';
import { type Disk, MappedDisk } from '../../../disk/index.js';
import { qcow2Layout } from '../../../formats/index.js';
import { TableCache } from '../../table-cache.js';
import { ClusterMap } from '../clusters.js';
import { offsetOf } from '../entries.js';
import type { Header } from '../header.js';
import { listSnapshots } from '../snapshots.js';
import { ClusterAllocator } from './allocator.js';
import { ChangedTables } from './changed-tables.js';
import { ImageFile } from './image-file.js';
import { Refcounts } from './refcounts.js';

const { autoclear, bitmapEntry, bitmapFlags, header3, limits } = qcow2Layout;

interface PartsOptions {
  readonly budget: number;
  /** The size of the disk below; 0 without one. */
  readonly backingSize: number;
  readonly warn?: (message: string) => void;
}

/** The parts of an image that is written to. */
interface Parts {
  readonly allocator: ClusterAllocator;
  readonly counts: Refcounts;
  readonly tables: ChangedTables;
  /** What clusters of the guest are mapped to. */
  readonly dataFile: Disk;
  readonly file: ImageFile;
}

/** Refuses what may not be written. Nothing is changed. */
export function checkQcow2Writable(header: Header): void {
  if (header.corrupt)
    throw new GuestfsError(
      'EROFS',
      'the qcow2 image is marked corrupt and can only be read; ‘guestfs check --repair all’ may repair it',
    );
  if (header.dirty)
    throw new GuestfsError(
      'EROFS',
      'the qcow2 image was not closed properly, so that its reference counts may be wrong; ' +
        '‘guestfs check --repair all’ repairs it',
    );
}

/** What changes an image; nothing is changed before the first write. */
export function openParts(base: Disk, dataFile: Disk, header: Header, options: PartsOptions): Parts {
  const { budget, backingSize, warn = () => {} } = options;
  const clusterSize = 2 ** header.clusterBits;
  const file = new ImageFile(base, clusterSize);
  markTables(file, base, header);
  const cache = new TableCache(base, { name: 'qcow2 table', mostInSlice: clusterSize, budget });
  const tables = new ChangedTables(file, cache);
  const counts = new Refcounts(file, base, header, budget);
  const data = dataFile === base ? file : new ImageFile(dataFile, clusterSize);
  const { version, clusterBits, extendedL2, l1Offset, sizeInBytes, dataFileRaw } = header;
  const allocator = new ClusterAllocator({
    ...{ version, clusterBits, extendedL2, l1Offset, sizeInBytes, dataFileRaw },
    ...{ file, dataFile: data, tables, counts, backingSize },
    prepare: () => markWritten(file, base, header, warn),
  });
  return { allocator, counts, tables, dataFile: data, file };
}

interface WritableOptions {
  readonly backing: Disk | undefined;
  /** Of what shows from below; by default all of `backing`. */
  readonly backingSize?: number;
  readonly budget: number;
  readonly warn: (message: string) => void;
  /** Closed with the disk. */
  readonly owns: readonly Disk[];
}

/** The guest's disk, for reading and writing. */
export function openWritable(base: Disk, dataFile: Disk, header: Header, options: WritableOptions): Disk {
  const { backing, backingSize = backing?.size ?? 0, budget, warn, owns } = options;
  const { allocator, ...parts } = openParts(base, dataFile, header, { budget, backingSize, warn });
  const { lookup } = new ClusterMap({ ...header, ...parts, backing, writable: true });
  return new MappedDisk(header.sizeInBytes, lookup, {
    name: 'qcow2 image',
    owns,
    sectorSize: base.sectorSize,
    keepBytes: budget,
    allocator,
  });
}

/** Clears bits of the incompatible features, which only version 3 has. */
export function clearFeatures(file: ImageFile, bits: bigint): void {
  const sector = new Uint8Array(512);
  file.read(sector, 0);
  const { incompatible_features } = header3.decode(sector);
  if ((incompatible_features & bits) === 0n) return;
  header3.encode({ incompatible_features: incompatible_features & ~bits }, sector);
  file.writeTable(sector, 0);
}

/** Notes which clusters hold tables, over which no data may go. */
function markTables(file: ImageFile, base: Disk, header: Header): void {
  const clusterSize = 2 ** header.clusterBits;
  const mark = (offset: number, size: number): void => {
    const end = Math.ceil(base.size / clusterSize) * clusterSize;
    if (offset + size > end)
      throw new CorruptError('qcow2 image', 'has a table outside its file', {
        offset,
        size,
        fileSize: base.size,
      });
    const first = Math.floor(offset / clusterSize);
    file.tables.add(first, Math.ceil((offset + size) / clusterSize) - first);
  };
  mark(0, clusterSize);
  mark(header.l1Offset, header.l1Entries * 8);
  const l1 = new Uint8Array(header.l1Entries * 8);
  file.read(l1, header.l1Offset);
  const view = new DataView(l1.buffer);
  for (let at = 0; at < l1.length; at += 8) {
    const offset = offsetOf(view, at);
    if (offset !== 0) mark(offset, clusterSize);
  }
  let end = header.snapshotTableOffset;
  for (const snapshot of listSnapshots(base, header)) {
    work.entries.spend(1);
    if (snapshot.l1Entries * 8 > limits.l1Bytes)
      throw new CorruptError('qcow2 snapshot table', 'has an L1 table larger than 32 MiB', {
        id: snapshot.id,
      });
    mark(snapshot.l1Offset, snapshot.l1Entries * 8);
    end = snapshot.endOffset;
  }
  if (end > header.snapshotTableOffset) mark(header.snapshotTableOffset, end - header.snapshotTableOffset);
  const directory = header.bitmapDirectory;
  if (
    directory !== undefined &&
    directory.sizeInBytes > 0 &&
    directory.sizeInBytes <= limits.bitmapDirectoryBytes
  )
    mark(directory.offset, directory.sizeInBytes);
}

/**
 * What the header says before the first write: bits of features that this code does not know are cleared, and bitmaps
 * that note writes are marked as out of date, since these writes are not noted.
 */
function markWritten(file: ImageFile, base: Disk, header: Header, warn: (message: string) => void): void {
  if (header.version < 3) return;
  let kept = header.autoclear & (autoclear.bitmaps | autoclear.dataFileRaw);
  if (!header.hasDataFile) kept &= ~autoclear.dataFileRaw;
  if ((kept & autoclear.bitmaps) !== 0n) {
    if (header.bitmapDirectory === undefined) kept &= ~autoclear.bitmaps;
    else markBitmaps(file, base, header.bitmapDirectory, warn);
  }
  if (kept !== header.autoclear) {
    const sector = new Uint8Array(512);
    file.read(sector, 0);
    header3.encode({ autoclear_features: kept }, sector);
    file.writeTable(sector, 0);
  }
  file.flush();
}

function markBitmaps(
  file: ImageFile,
  base: Disk,
  { offset, sizeInBytes, count }: NonNullable<Header['bitmapDirectory']>,
  warn: (message: string) => void,
): void {
  const structure = 'qcow2 bitmap directory';
  if (count > limits.bitmaps || sizeInBytes > limits.bitmapDirectoryBytes || offset + sizeInBytes > base.size)
    throw new CorruptError(structure, 'has an impossible size', { count, sizeInBytes, offset });
  const bytes = new Uint8Array(sizeInBytes);
  base.read(bytes, offset);
  const marked: string[] = [];
  let at = 0;
  for (let index = 0; index < count; index++) {
    if (at + bitmapEntry.size > sizeInBytes)
      throw new CorruptError(structure, 'ends within a bitmap', { index });
    const { flags, extra_data_size, name_size } = bitmapEntry.decode(bytes, at);
    if ((flags & bitmapFlags.auto) !== 0 && (flags & bitmapFlags.inUse) === 0) {
      bitmapEntry.encode({ flags: flags | bitmapFlags.inUse }, bytes, at);
      const nameAt = at + bitmapEntry.size + extra_data_size;
      marked.push(new TextDecoder().decode(bytes.subarray(nameAt, nameAt + name_size)));
    }
    at += Math.ceil((bitmapEntry.size + extra_data_size + name_size) / 8) * 8;
  }
  if (marked.length === 0) return;
  file.writeTable(bytes, offset);
  warn(`the bitmaps of the qcow2 image are out of date from now on: ${marked.join(', ')}`);
}
