/** The label of a physical volume: its identity, and the places of its data and its metadata. */
import { CorruptError, decodeLatin1, viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { diskLocn, labelHeader, pvExtUsed, pvHeader, pvHeaderExtension } from './layout.js';
import { findLabel } from './probe.js';

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

function toNumber(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER))
    throw new CorruptError('LVM pv_header', `has a ${what} beyond 2^53`, { value });
  return Number(value);
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
