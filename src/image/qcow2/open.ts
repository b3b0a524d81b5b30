/** Opens a qcow2 image: its header, its chain, and its clusters as a disk. */
import { CorruptError, GuestfsError, UnsupportedError } from '../../base/index.js';
import { type Disk, isGrowable, MappedDisk } from '../../disk/index.js';
import { qcow2Layout } from '../../formats/index.js';
import type { ImageContext, ImageInfo, ImageSnapshot } from '../format.js';
import { TableCache } from '../table-cache.js';
import { ClusterMap } from './clusters.js';
import { type Header, readHeader } from './header.js';
import { getSnapshot, listSnapshots } from './snapshots.js';
import { checkQcow2Writable, openWritable, repairQcow2 } from './write/index.js';

const { limits } = qcow2Layout;

const defaultBudget = 2 * 1024 * 1024;

/** What the header says. */
export function readQcow2Info(file: Disk): ImageInfo {
  return infoOf(readHeader(file));
}

/** The snapshots in the order of their table. */
export function* listQcow2Snapshots(file: Disk): Generator<ImageSnapshot, void> {
  for (const { l1Offset: _, l1Entries: __, endOffset: ___, ...snapshot } of listSnapshots(
    file,
    readHeader(file),
  ))
    yield snapshot;
}

/** The guest's disk. */
export function openQcow2(file: Disk, context: ImageContext): Disk {
  let header = readHeader(file);
  if (header.encryption) {
    throw new UnsupportedError('qcow2 image', [`${header.encryption.toUpperCase()} encryption`]);
  }
  if (context.writable === true) {
    // As qemu does.
    if (header.dirty && !header.corrupt && isGrowable(file)) {
      repairQcow2(file, 'all');
      context.warn('the qcow2 image was not closed properly; its reference counts were made anew');
      header = readHeader(file);
    }
    checkQcow2Writable(header);
  }
  if (header.corrupt) context.warn('the qcow2 image is marked corrupt; it is only read');
  if (header.dirty)
    context.warn('the qcow2 image was not closed properly; its reference counts may be wrong');
  const state =
    context.snapshot === undefined ? header : getSnapshot(listSnapshots(file, header), context.snapshot);
  const size = 'virtualSizeInBytes' in state ? state.virtualSizeInBytes : state.sizeInBytes;
  checkL1(header, state.l1Offset, state.l1Entries, size);

  if (context.writable === true && context.snapshot !== undefined)
    throw new GuestfsError('EROFS', 'an internal snapshot can only be read');

  const budget = context.memoryBudgetInBytes ?? defaultBudget;
  const owned: Disk[] = [];
  try {
    const dataFile = header.hasDataFile ? openDataFile(header, context) : file;
    if (dataFile !== file) owned.push(dataFile);
    const backing =
      header.backingFile === undefined
        ? undefined
        : context.openNamed(header.backingFile, 'backing', header.backingFormat);
    if (backing) owned.push(backing);
    if (context.writable === true)
      return openWritable(file, dataFile, header, {
        ...{ backing, budget, owns: [file, ...owned] },
        warn: context.warn,
      });
    const common = {
      clusterBits: header.clusterBits,
      version: header.version,
      extendedL2: header.extendedL2,
      compression: header.compression,
      l1Offset: state.l1Offset,
      l1Entries: state.l1Entries,
      sizeInBytes: size,
      file,
      backing,
    };
    const disk = {
      name: 'qcow2 image',
      owns: [file, ...owned],
      sectorSize: file.sectorSize,
      keepBytes: budget,
    };
    const tables = new TableCache(file, {
      name: 'qcow2 table',
      mostInSlice: 2 ** header.clusterBits,
      budget,
    });
    return new MappedDisk(size, new ClusterMap({ ...common, tables, dataFile }).lookup, disk);
  } catch (thrown) {
    for (const disk of owned) disk.close();
    throw thrown;
  }
}

/** The facts of `qemu-img info`, under its names. */
function infoOf(header: Header): ImageInfo {
  const { version, backingFile, backingFormat, dataFile } = header;
  const facts: Record<string, string | number | boolean> = {
    'cluster-size': 2 ** header.clusterBits,
    'dirty-flag': header.dirty,
    compat: version === 2 ? '0.10' : '1.1',
    'compression-type': header.compression,
    'refcount-bits': header.refcountBits,
  };
  if (version >= 3) {
    facts['lazy-refcounts'] = header.lazyRefcounts;
    facts.corrupt = header.corrupt;
    facts['extended-l2'] = header.extendedL2;
  }
  if (header.hasDataFile) facts['data-file-raw'] = header.dataFileRaw;
  if (header.encryption) facts['encryption-format'] = header.encryption;
  if (header.bitmapCount !== undefined) facts.bitmaps = header.bitmapCount;
  return {
    format: 'qcow2',
    virtualSizeInBytes: header.sizeInBytes,
    ...(backingFile === undefined ? {} : { backingFile }),
    ...(backingFormat === undefined ? {} : { backingFormat }),
    ...(dataFile === undefined ? {} : { dataFile }),
    encrypted: header.encryption !== undefined,
    facts,
    snapshotCount: header.snapshotCount,
  };
}

function openDataFile(header: Header, context: ImageContext): Disk {
  if (header.dataFile === undefined) {
    throw new CorruptError('qcow2 header', 'does not name the external data file that holds its data');
  }
  return context.openNamed(header.dataFile, 'data', 'raw');
}

/** An L1 table must be aligned, within qemu's limit, and cover the whole disk. */
function checkL1(header: Header, l1Offset: number, l1Entries: number, size: number): void {
  const clusterSize = 2 ** header.clusterBits;
  const reach = clusterSize * (clusterSize / (header.extendedL2 ? 16 : 8));
  const needed = Math.ceil(size / reach);
  if (l1Offset % clusterSize !== 0) {
    throw new CorruptError('qcow2 L1 table', 'is not aligned to a cluster', { offset: l1Offset });
  }
  if (l1Entries * 8 > limits.l1Bytes) {
    throw new CorruptError('qcow2 L1 table', 'is larger than 32 MiB', { entries: l1Entries });
  }
  if (needed > l1Entries) {
    throw new CorruptError('qcow2 L1 table', 'is too small for the disk', { entries: l1Entries, needed });
  }
}
