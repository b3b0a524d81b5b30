/** The label of a physical volume: its identity, and the places of its data and its metadata. */
import { CorruptError, checksumHolds, crc32Raw, decodeLatin1, viewOf } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import {
  diskLocn,
  initialCrc,
  labelCrcStart,
  labelHeader,
  labelId,
  labelSectors,
  labelType,
  pvExtUsed,
  pvHeader,
  pvHeaderExtension,
  sectorSize,
} from './layout.js';

/** A range of the disk; a size of 0 means up to the end of the disk. */
export interface Area {
  readonly offset: number;
  readonly size: number;
}

/** A physical volume, as in its label. Offsets and sizes in bytes. */
export interface PvLabel {
  /** 32 characters, without dashes. */
  readonly uuid: string;
  readonly sizeInBytes: number;
  readonly dataAreas: readonly Area[];
  readonly metadataAreas: readonly Area[];
  /** Whether it belongs to a volume group, by the header. */
  readonly used: boolean;
}

/** An LVM identifier with its dashes, as commands show it: groups of 6-4-4-4-4-4-6. */
export function dashed(uuid: string): string {
  const ends = [6, 10, 14, 18, 22, 26, 32];
  return ends.map((end, index) => uuid.slice(ends[index - 1] ?? 0, end)).join('-');
}

function toNumber(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new CorruptError('LVM pv_header', `has a ${what} beyond 2^53`, { value });
  return Number(value);
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
function findLabel(disk: Disk): Uint8Array | undefined {
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

/** The label; undefined without one. CorruptError for a label with invalid contents. */
export function readLabel(disk: Disk): PvLabel | undefined {
  const sector = findLabel(disk);
  if (!sector) return undefined;
  const view = viewOf(sector);
  let at = labelHeader.decode(view).offset_xl;
  const header = pvHeader.decode(view, at);
  at += pvHeader.size;
  const uuid = decodeLatin1(header.pv_uuid);
  if (!/^[\x21-\x7e]{32}$/.test(uuid)) throw new CorruptError('LVM pv_header', 'has a bad identifier');

  // Bounded by the sector: decode refuses to go past it.
  const readAreas = (what: string): Area[] => {
    const areas: Area[] = [];
    for (;;) {
      const { offset, size } = diskLocn.decode(view, at);
      at += diskLocn.size;
      if (offset === 0n) return areas;
      areas.push({ offset: toNumber(offset, `${what} offset`), size: toNumber(size, `${what} size`) });
    }
  };
  const dataAreas = readAreas('data area');
  const metadataAreas = readAreas('metadata area');
  let used = false;
  if (at + pvHeaderExtension.size <= sector.length) {
    const extension = pvHeaderExtension.decode(view, at);
    // Version 1 has no flags.
    used = extension.version >= 2 && (extension.flags & pvExtUsed) !== 0;
  }
  return {
    uuid,
    sizeInBytes: toNumber(header.device_size_xl, 'size'),
    dataAreas,
    metadataAreas,
    used,
  };
}
