/** Changes the size of a qcow2 image. A crash leaves the image with the old size or with the new one. */
import { GuestfsError, UnsupportedError } from '../../../base/index.js';
import { type Disk, type GrowableDisk, isGrowable } from '../../../disk/index.js';
import { qcow2Layout } from '../../../formats/index.js';
import type { ResizeContext } from '../../format.js';
import { type Header, readHeader } from '../header.js';
import { changeHeader } from './refcounts.js';
import { checkQcow2Writable, openParts, openWritable } from './writable.js';

const { limits, subclusters, tableEntry } = qcow2Layout;
const entrySize = tableEntry.size;
const sectorSize = 512;
const budget = 2 * 1024 * 1024;

/** Throws EINVAL, EFBIG, ENOTSUP and what opening for writing throws; nothing is changed then. */
export function resizeQcow2(file: GrowableDisk, sizeInBytes: number, context: ResizeContext): void {
  const header = readHeader(file);
  checkQcow2Writable(header);
  if (sizeInBytes % sectorSize !== 0)
    throw new GuestfsError(
      'EINVAL',
      `a qcow2 image has whole sectors of 512 bytes, not ${sizeInBytes} bytes`,
    );
  const isSmaller = sizeInBytes < header.sizeInBytes;
  const refuse = (what: string): never => {
    throw new UnsupportedError('qcow2 image', [what], { elsewhere: 'nowhere' });
  };
  if (isSmaller && header.snapshotCount > 0) refuse('shrinking an image that has internal snapshots');
  if (header.version < 3 && header.snapshotCount > 0)
    refuse('changing the size of a version 2 image that has internal snapshots');
  if ((header.bitmapCount ?? 0) > 0) refuse('changing the size of an image that has bitmaps');
  if (header.encryption !== undefined) refuse('changing the size of an encrypted image');
  if (sizeInBytes === header.sizeInBytes) return;
  const clusterSize = 2 ** header.clusterBits;
  const reach = clusterSize * (clusterSize / (header.extendedL2 ? subclusters.size : entrySize));
  const l1Entries = Math.ceil(sizeInBytes / reach);
  if (l1Entries * entrySize > limits.l1Bytes)
    throw new GuestfsError(
      'EFBIG',
      `a disk of ${sizeInBytes} bytes is too large for clusters of ${clusterSize} bytes`,
    );
  const owned: Disk[] = [];
  try {
    const dataFile = header.dataFile === undefined ? file : context.openNamed(header.dataFile, 'data', 'raw');
    if (dataFile !== file) owned.push(dataFile);
    if (isSmaller) shrink(file, dataFile, header, sizeInBytes);
    else {
      const backing =
        header.backingFile === undefined
          ? undefined
          : context.openNamed(header.backingFile, 'backing', header.backingFormat);
      if (backing !== undefined) owned.push(backing);
      grow(file, dataFile, header, { sizeInBytes, l1Entries, backing }, context.warn);
    }
    if (dataFile !== file && header.dataFileRaw && isGrowable(dataFile)) {
      dataFile.resize(sizeInBytes);
      dataFile.flush();
    }
  } finally {
    for (const disk of owned) disk.close();
  }
}

function grow(
  file: GrowableDisk,
  dataFile: Disk,
  header: Header,
  to: { readonly sizeInBytes: number; readonly l1Entries: number; readonly backing: Disk | undefined },
  warn: (message: string) => void,
): void {
  if (to.l1Entries > header.l1Entries) lengthenL1(file, header, to.l1Entries);
  const { sizeInBytes } = to;
  const now = { ...readHeader(file), sizeInBytes };
  // Nothing may show that was behind the end until now, of the last cluster or of a disk below.
  const clusterSize = 2 ** header.clusterBits;
  const clusterEnd = Math.ceil(header.sizeInBytes / clusterSize) * clusterSize;
  const shown = Math.min(sizeInBytes, Math.max(clusterEnd, to.backing?.size ?? 0));
  if (shown > header.sizeInBytes) {
    const disk = openWritable(file, dataFile, now, { budget, warn, backing: to.backing, owns: [] });
    disk.zero(header.sizeInBytes, shown - header.sizeInBytes, { discard: true });
    disk.close();
  }
  const { file: image } = openParts(file, dataFile, now, { budget, backingSize: 0 });
  changeHeader(image, { size: sizeInBytes });
  image.flush();
}

/** Finds a longer place for the L1 table. */
function lengthenL1(file: GrowableDisk, header: Header, l1Entries: number): void {
  const { allocator, counts, file: image } = openParts(file, file, header, { budget, backingSize: 0 });
  const clusterSize = 2 ** header.clusterBits;
  const run = counts.allocateTogether(Math.ceil((l1Entries * entrySize) / clusterSize));
  const table = new Uint8Array(run.count * clusterSize);
  image.read(table.subarray(0, header.l1Entries * entrySize), header.l1Offset);
  image.writeTable(table, run.offset);
  allocator.flush(() => {});
  changeHeader(image, { l1_size: l1Entries, l1_table_offset: run.offset });
  // The old one's counts are lowered behind a barrier, by which the header leads to the new one.
  const clusters = Math.ceil((header.l1Entries * entrySize) / clusterSize);
  for (let index = 0; index < clusters; index++) counts.giveUp(header.l1Offset + index * clusterSize);
  allocator.flush(() => {});
}

function shrink(file: GrowableDisk, dataFile: Disk, header: Header, sizeInBytes: number): void {
  const { allocator, counts, file: image } = openParts(file, dataFile, header, { budget, backingSize: 0 });
  allocator.prepare();
  allocator.truncate(sizeInBytes);
  allocator.flush(() => {});
  // Nothing refers to what is behind the end any more: the file may be shorter before the disk is.
  changeHeader(image, { size: sizeInBytes });
  const { usedEnd } = counts;
  if (usedEnd < file.size && isGrowable(file)) file.resize(usedEnd);
  image.flush();
}
