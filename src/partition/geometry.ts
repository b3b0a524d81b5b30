/**
 * Cylinders, heads and sectors, which have had no meaning for decades: as Linux makes them up for a SCSI disk
 * (drivers/scsi/scsicam.c), and as sfdisk of util-linux 2.38 corrects them by an MBR.
 */
import { viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { readBootRecord } from './boot-record.js';
import { mbrEntriesOffset, mbrEntry, mbrEntryCount } from './layout.js';

interface DiskGeometry {
  readonly cylinders: number;
  readonly heads: number;
  /** Of a track. */
  readonly sectors: number;
}

/** Linux counts sectors of this size. */
const sectorSize = 512;
const most = { cylinders: 1024, sectors: 62, heads: 255, longestTrack: 63, countedSectors: 2 ** 32 };
/** Where the first choice has too many heads, or too long tracks; the larger one is for more than 128 GiB. */
const common = { heads: 64, sectors: 32 };
const large = { heads: 255, sectors: 63, fromUnits: 65_534, lastCylinder: 65_535 };
const sectorsPerUnit = 2048;
/** The last number that an entry has room for. */
const lastCylinder = 1023;

interface Place {
  readonly cylinder: number;
  readonly head: number;
  readonly sector: number;
}

/** Three bytes: the head, six bits for the sector below two of the cylinder, and its other eight. */
function decodePlace(bytes: Uint8Array): Place {
  const [head = 0, second = 0, third = 0] = bytes;
  return { head, sector: second % 64, cylinder: third + Math.floor(second / 64) * 256 };
}

interface Entry {
  readonly start: Place;
  readonly end: Place;
  readonly first: number;
  /** The sector behind it: a number of 32 bits, as in Linux. */
  readonly behind: number;
}

/** The entries that have a type. */
function entriesOf(disk: Disk): Entry[] {
  const bytes = readBootRecord(disk, 0)?.bytes;
  if (bytes === undefined) return [];
  const view = viewOf(bytes);
  return Array.from({ length: mbrEntryCount }, (_, i) =>
    mbrEntry.decode(view, mbrEntriesOffset + i * mbrEntry.size),
  )
    .filter(({ os_type }) => os_type !== 0)
    .map(({ starting_chs, ending_chs, starting_lba, size_in_lba }) => ({
      start: decodePlace(starting_chs),
      end: decodePlace(ending_chs),
      first: starting_lba,
      behind: (starting_lba + size_in_lba) % 2 ** 32,
    }));
}

/** By the entry that begins on the last cylinder, if its end is the same place by both ways of counting. */
function geometryOfEntry(disk: Disk, capacity: number): DiskGeometry | undefined {
  const [first, ...others] = entriesOf(disk);
  if (first === undefined) return undefined;
  const largest = others.reduce(
    (best, each) => (each.start.cylinder > best.start.cylinder ? each : best),
    first,
  );
  const { cylinder, head, sector } = largest.end;
  if (sector === 0) return undefined;
  const heads = head + 1;
  const ofTrack = head * sector + sector;
  const endOn = (on: number): number => (on * heads * sector + ofTrack) % 2 ** 32;
  const further = Math.floor(Math.floor(((largest.behind - ofTrack + 2 ** 32) % 2 ** 32) / heads) / sector);
  const agrees =
    largest.behind === endOn(cylinder) || (cylinder === lastCylinder && largest.behind === endOn(further));
  return agrees ? { heads, sectors: sector, cylinders: Math.floor(capacity / (heads * sector)) } : undefined;
}

/** With as many cylinders as can be named, and as few heads as then are enough. */
function fewestHeads(capacity: number): DiskGeometry {
  let { cylinders, sectors }: { cylinders: number; sectors: number } = most;
  let heads = Math.floor(capacity / (cylinders * sectors));
  if (capacity % (cylinders * sectors) !== 0) {
    heads++;
    sectors = Math.floor(capacity / (cylinders * heads));
    if (capacity % (cylinders * heads) !== 0) {
      sectors++;
      cylinders = Math.floor(capacity / (heads * sectors));
    }
  }
  return { cylinders, heads, sectors };
}

/** What Linux says of a disk. */
export function kernelGeometry(disk: Disk): DiskGeometry {
  const capacity = Math.floor(disk.size / sectorSize);
  const told = geometryOfEntry(disk, capacity);
  if (told !== undefined) return told;
  const found = capacity < most.countedSectors ? fewestHeads(capacity) : undefined;
  if (
    found !== undefined &&
    found.cylinders > 0 &&
    found.heads <= most.heads &&
    found.sectors <= most.longestTrack
  )
    return found;
  const units = Math.floor(capacity / sectorsPerUnit);
  const { heads, sectors } = units > large.fromUnits ? large : common;
  const isBeyond = capacity > large.lastCylinder * large.heads * large.sectors;
  return {
    heads,
    sectors,
    cylinders: isBeyond ? large.lastCylinder : Math.floor(capacity / (heads * sectors)),
  };
}

interface SfdiskView {
  /** What Linux says of the device; of a device of which it says nothing, the largest usual kind is meant. */
  readonly kernel: DiskGeometry | undefined;
  /** Whether its partition table is one whose entries name cylinders. */
  readonly hasMbr: boolean;
  readonly bytesPerSector: number;
}

/** Whether an entry begins and ends at the same places by both ways of counting. */
function fits(
  { start, end, first, behind }: Entry,
  { heads, sectors }: Omit<DiskGeometry, 'cylinders'>,
): boolean {
  const sectorAt = ({ cylinder, head, sector }: Place): number =>
    (cylinder * heads + head) * sectors + sector - 1;
  return sectorAt(start) === first && sectorAt(end) === behind - 1;
}

/** What sfdisk says of a device: cylinders of the device's own sectors, by the MBR where its entries agree. */
export function sfdiskGeometry(disk: Disk, { kernel, hasMbr, bytesPerSector }: SfdiskView): DiskGeometry {
  const total = Math.floor(disk.size / bytesPerSector);
  const entries = hasMbr ? entriesOf(disk) : [];
  const told = entries[0] && { heads: entries[0].end.head + 1, sectors: entries[0].end.sector };
  const agrees = told !== undefined && told.sectors > 0 && entries.every((entry) => fits(entry, told));
  const { heads, sectors } = agrees ? told : (kernel ?? large);
  return { heads, sectors, cylinders: Math.floor(total / (heads * sectors)) };
}
