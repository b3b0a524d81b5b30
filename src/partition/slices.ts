/**
 * Labels of other systems inside a primary partition of an MBR: BSD's disk labels, Solaris's tables of contents, and
 * Minix's boot records. Linux numbers their parts after the logical partitions.
 */
import { viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { readBootRecord } from './boot-record.js';
import {
  bsdLabel,
  bsdMagic,
  bsdPartition,
  bsdPartitionsOffset,
  labelSectorSize,
  solarisSlice,
  solarisSlicesOffset,
  solarisVtoc,
  sunVtocSanity,
  sunVtocVersion,
} from './layout.js';
import { readSectors } from './sectors.js';

/** A part of a slice, in units of 512 bytes from the start of the disk. */
interface Subpartition {
  readonly start: number;
  readonly size: number;
  /** The kind of filesystem by BSD's numbers. */
  readonly labelType?: number;
}

/** A range of the disk, in units of 512 bytes. */
interface Range {
  readonly start: number;
  readonly size: number;
}

/** An entry of a BSD label. Its place is unchanged, in units of 512 bytes. */
export interface BsdEntry {
  readonly start: number;
  readonly size: number;
  /** The kind of filesystem; 0: unused. */
  readonly labelType: number;
}

/** The entries of a BSD label, at most `most`, in the order of their letters; undefined without a label. */
export function readBsdLabel(
  disk: Disk,
  place: { readonly sector: number; readonly offset: number },
  most: number,
): readonly BsdEntry[] | undefined {
  const sector = readSectors(disk, place.sector);
  if (sector === undefined) return undefined;
  const view = viewOf(sector.subarray(place.offset));
  const label = bsdLabel.decode(view);
  if (label.d_magic !== bsdMagic) return undefined;
  const room = Math.floor((view.byteLength - bsdPartitionsOffset) / bsdPartition.size);
  return Array.from({ length: Math.min(label.d_npartitions, room, most) }, (_, index) => {
    const entry = bsdPartition.decode(view, bsdPartitionsOffset + index * bsdPartition.size);
    return { start: entry.p_offset, size: entry.p_size, labelType: entry.p_fstype };
  });
}

/**
 * FreeBSD counts from the start of the slice if the whole slice (`c`) begins at 0; other systems count from the start
 * of the disk.
 */
function readBsd(disk: Disk, slice: Range, most: number, mayBeRelative: boolean): Subpartition[] {
  const entries = readBsdLabel(disk, { sector: slice.start + 1, offset: 0 }, most) ?? [];
  const origin = mayBeRelative && entries[2]?.start === 0 ? slice.start : 0;
  return entries.flatMap(({ start, size, labelType }) => {
    if (labelType === 0) return [];
    const first = start + origin;
    const isWhole = first === slice.start && size === slice.size;
    const isInside = first >= slice.start && first + size <= slice.start + slice.size;
    return isWhole || !isInside ? [] : [{ start: first, size, labelType }];
  });
}

function readSolaris(disk: Disk, slice: Range): Subpartition[] {
  const sector = readSectors(disk, slice.start + 1);
  if (sector === undefined) return [];
  const view = viewOf(sector);
  const vtoc = solarisVtoc.decode(view);
  if (vtoc.v_sanity !== sunVtocSanity || vtoc.v_version !== sunVtocVersion) return [];
  const found: Subpartition[] = [];
  for (let index = 0; index < (vtoc.v_nparts > 8 ? 16 : 8); index++) {
    const { p_start, p_size } = solarisSlice.decode(view, solarisSlicesOffset + index * solarisSlice.size);
    if (p_size > 0) found.push({ start: p_start + slice.start, size: p_size });
  }
  return found;
}

/** The type of Minix's partitions, also in the boot record of the slice. */
const minixType = 0x81;

function readMinix(disk: Disk, slice: Range): Subpartition[] {
  const record = readBootRecord(disk, slice.start * labelSectorSize);
  // The sector is a table only if the first entry is of Minix's type; else it is a boot block.
  if (record?.entries[0]?.type !== minixType) return [];
  return record.entries.filter(({ type }) => type === minixType).map(({ start, size }) => ({ start, size }));
}

/** The parts of a primary partition of that type; none if its label is missing. */
export function readSubpartitions(disk: Disk, type: number, slice: Range): Subpartition[] {
  switch (type) {
    case 0xa5:
      return readBsd(disk, slice, 16, true);
    case 0xa6:
      return readBsd(disk, slice, 16, false);
    case 0xa9:
      return readBsd(disk, slice, 16, false);
    case minixType:
      return readMinix(disk, slice);
    case 0x82:
    case 0xbf:
      return readSolaris(disk, slice);
    default:
      return [];
  }
}
