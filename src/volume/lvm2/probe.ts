/** Recognises a physical volume by its label, as libblkid does. */
import { checksumHolds, crc32Raw, decodeLatin1 } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import {
  initialCrc,
  labelCrcStart,
  labelHeader,
  labelId,
  labelSectors,
  labelType,
  sectorSize,
} from './layout.js';

/** An LVM identifier with its dashes, as commands show it: groups of 6-4-4-4-4-4-6. */
export function dashed(uuid: string): string {
  const ends = [6, 10, 14, 18, 22, 26, 32];
  return ends.map((end, index) => uuid.slice(ends[index - 1] ?? 0, end)).join('-');
}

/** Whether the sector holds an intact LVM2 label that names its own sector. */
function isLabel(sector: Uint8Array, number: number): boolean {
  const label = labelHeader.decode(sector);
  return (
    label.id === labelId &&
    label.type === labelType &&
    label.sector_xl === BigInt(number) &&
    checksumHolds(crc32Raw(initialCrc, sector.subarray(labelCrcStart)), label.crc_xl)
  );
}

/** The sector with the label, if the disk has one. */
export function findLabel(disk: Disk): Uint8Array | undefined {
  const count = Math.min(labelSectors, Math.floor(disk.size / sectorSize));
  if (count === 0) return undefined;
  const start = new Uint8Array(count * sectorSize);
  disk.read(start, 0);
  for (let number = 0; number < count; number++) {
    const sector = start.subarray(number * sectorSize, (number + 1) * sectorSize);
    if (isLabel(sector, number)) return sector;
  }
  return undefined;
}

/** The place from which libblkid takes the identifier: after the label's own header. */
const identifier = { start: 32, end: 64 } as const;

/** blkid's facts about a physical volume. As in lvm2, a damaged label counts as none. Never throws. */
export function probeLabel(disk: Disk): Probed | undefined {
  const sector = findLabel(disk);
  if (sector === undefined) return undefined;
  const id = decodeLatin1(sector.subarray(identifier.start, identifier.end)).replace(/\0.*$/s, '');
  return {
    type: 'LVM2_member',
    label: '',
    uuid: id.length === identifier.end - identifier.start ? dashed(id) : id,
    facts: { VERSION: labelType, USAGE: 'raid' },
  };
}
