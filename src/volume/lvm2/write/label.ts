/**
 * Writes the label of a physical volume: making one, changing it, removing it. A label and its pv_header are one sector,
 * so that a crash leaves the old or the new.
 */
import { crc32Raw, encodeText, GuestfsError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import type { Area } from '../label.js';
import {
  diskLocn,
  initialCrc,
  labelCrcStart,
  labelHeader,
  labelId,
  labelSectors,
  labelType,
  mdaCrcStart,
  mdaHeader,
  mdaHeaderSize,
  mdaMagic,
  pvExtUsed,
  pvHeader,
  pvHeaderExtension,
  sectorSize,
} from '../layout.js';
import { findLabel } from '../probe.js';
import { randomIdentifier } from './identifiers.js';

/** lvm2's defaults (lvm.conf): the first data lie at 1 MiB, and the metadata area fills what is before them. */
const dataStart = 1024 * 1024;
const areaStart = 4096;
/** lvm.conf: pv_min_size. */
export const smallestVolume = 2 * 1024 * 1024;
const labelSector = 1;
const extensionVersion = 2;

const u64 = (value: number): bigint => BigInt(value);

/** Puts the checksum into a sector with a label. */
function seal(sector: Uint8Array): Uint8Array {
  labelHeader.encode({ crc_xl: crc32Raw(initialCrc, sector.subarray(labelCrcStart)) }, sector);
  return sector;
}

/** The sector of a new label. */
function newLabel(uuid: string, sizeInBytes: number): Uint8Array {
  const sector = new Uint8Array(sectorSize);
  labelHeader.encode(
    { id: labelId, sector_xl: u64(labelSector), crc_xl: 0, offset_xl: labelHeader.size, type: labelType },
    sector,
  );
  let at = labelHeader.size;
  const put = (size: number, encode: (at: number) => void): void => {
    encode(at);
    at += size;
  };
  const area = (offset: number, size: number): void =>
    put(diskLocn.size, (place) => diskLocn.encode({ offset: u64(offset), size: u64(size) }, sector, place));
  put(pvHeader.size, (place) =>
    pvHeader.encode({ pv_uuid: encodeText(uuid), device_size_xl: u64(sizeInBytes) }, sector, place),
  );
  area(dataStart, 0);
  area(0, 0);
  area(areaStart, dataStart - areaStart);
  area(0, 0);
  pvHeaderExtension.encode({ version: extensionVersion, flags: 0 }, sector, at);
  return seal(sector);
}

/** The header of a metadata area without any text. */
function emptyArea(): Uint8Array {
  const header = new Uint8Array(mdaHeaderSize);
  mdaHeader.encode(
    { magic: encodeText(mdaMagic), version: 1, start: u64(areaStart), size: u64(dataStart - areaStart) },
    header,
  );
  mdaHeader.encode({ checksum_xl: crc32Raw(initialCrc, header.subarray(mdaCrcStart)) }, header);
  return header;
}

/**
 * Makes a physical volume of no group, by the function that is returned: the metadata area before the label that names
 * it. EINVAL for a disk that is too small.
 */
export function createPhysicalVolume(disk: Disk, name: string): () => void {
  const { size } = disk;
  if (size < smallestVolume)
    throw new GuestfsError('EINVAL', `${name}: is too small: a physical volume has at least 2 MiB`);
  disk.checkWritable(0, dataStart);
  const label = newLabel(randomIdentifier(), size);
  return () => {
    disk.write(new Uint8Array(labelSectors * sectorSize), 0);
    disk.write(emptyArea(), areaStart);
    disk.flush();
    disk.write(label, labelSector * sectorSize);
    disk.flush();
  };
}

/** Makes a physical volume unknown. What is in its metadata areas is found no more. */
export function removePhysicalVolume(disk: Disk): void {
  for (let sector = findLabel(disk); sector !== undefined; sector = findLabel(disk))
    disk.write(new Uint8Array(sectorSize), placeOf(sector));
  disk.flush();
}

// safe: found by findLabel, which compares the number
const placeOf = (sector: Uint8Array): number => Number(labelHeader.decode(sector).sector_xl) * sectorSize;

/** What may change in a label. */
interface LabelChange {
  readonly uuid?: string;
  readonly sizeInBytes?: number;
  /** Whether it belongs to a group. */
  readonly used?: boolean;
  /** A metadata area that lies elsewhere from now on. */
  readonly moved?: { readonly from: Area; readonly to: Area };
}

/** Changes a label in its place. It is on the disk after the next barrier. */
export function changeLabel(disk: Disk, { uuid, sizeInBytes, used, moved }: LabelChange): void {
  const sector = findLabel(disk);
  if (sector === undefined) throw new GuestfsError('EINVAL', 'the disk is no physical volume');
  const header = labelHeader.decode(sector).offset_xl;
  pvHeader.encode(
    {
      ...(uuid === undefined ? {} : { pv_uuid: encodeText(uuid) }),
      ...(sizeInBytes === undefined ? {} : { device_size_xl: u64(sizeInBytes) }),
    },
    sector,
    header,
  );
  let at = header + pvHeader.size;
  // Two lists of areas, of data and of metadata, each with its end. Bounded by the sector: decode refuses to go past it.
  for (let lists = 0; lists < 2; at += diskLocn.size) {
    const { offset } = diskLocn.decode(sector, at);
    if (offset === 0n) lists++;
    else if (lists === 1 && moved !== undefined && offset === u64(moved.from.offset))
      diskLocn.encode({ offset: u64(moved.to.offset), size: u64(moved.to.size) }, sector, at);
  }
  if (used !== undefined) {
    const { version, flags } = pvHeaderExtension.decode(sector, at);
    // Version 1 has no flags.
    if (version >= extensionVersion)
      pvHeaderExtension.encode({ flags: used ? flags | pvExtUsed : flags & ~pvExtUsed }, sector, at);
  }
  disk.write(seal(sector), placeOf(sector));
}
