/** Tables that are recognised by name only: their partitions cannot be read. */
import { decodeLatin1, viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { readBootRecord } from './boot-record.js';
import { aixMagic, bootRecordSize, pc98Mark, pc98MarkOffset } from './layout.js';
import type { PartitionScheme } from './scheme.js';
import { readSectors } from './sectors.js';

function isAix(disk: Disk): boolean {
  const sector = readSectors(disk, 0);
  return sector !== undefined && viewOf(sector).getUint32(0) === aixMagic;
}

/** AIX: Linux has a parser that Debian leaves out, and parted knows only the signature. */
export const aix: PartitionScheme = {
  name: 'aix',
  probe: isAix,
  open: () => ({ scheme: 'aix', partitions: [], hasDevices: false, warnings: [] }),
};

/** NEC's PC-98: Linux takes its boot block for an MBR without partitions, and parted knows it. */
export const pc98: PartitionScheme = {
  name: 'pc98',
  probe(disk) {
    const bytes = readBootRecord(disk, 0)?.bytes ?? new Uint8Array(bootRecordSize);
    const end = pc98MarkOffset + pc98Mark.length;
    return decodeLatin1(bytes.subarray(pc98MarkOffset, end)) === pc98Mark;
  },
  open: () => ({ scheme: 'pc98', partitions: [], hasDevices: false, warnings: [] }),
};
