/**
 * A metadata area: a header of one sector, then a circular buffer in which each new version of the volume group's
 * text follows the last. A text that reaches the end of the buffer continues at its start.
 */
import { CorruptError, checksumHolds, crc32Raw, decodeLatin1, viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Area } from './label.js';
import {
  initialCrc,
  mdaCrcStart,
  mdaHeader,
  mdaHeaderSize,
  mdaMagic,
  rawLocn,
  rawLocnIgnored,
  rawLocnOffset,
  sectorSize,
} from './layout.js';

/** A text of 16 MiB describes tens of thousands of volumes; lvm2's own limit is the buffer, usually under 1 MiB. */
const largestText = 16 * 1024 * 1024;

/** A metadata area that was read and checked. */
export interface MetadataArea {
  /** The committed text; undefined if none was written yet, or the area is marked as ignored. */
  readonly text: Uint8Array | undefined;
  readonly ignored: boolean;
  /** The room for another version in bytes, as in `pv_mda_free`. */
  readonly freeInBytes: number;
}

/** Reads the area. Anything wrong with it is a CorruptError. */
export function readMetadataArea(disk: Disk, area: Area): MetadataArea {
  const structure = `LVM metadata area at ${area.offset}`;
  if (area.offset + mdaHeaderSize > disk.size)
    throw new CorruptError(structure, 'lies outside the disk', { diskSize: disk.size });
  const bytes = new Uint8Array(mdaHeaderSize);
  disk.read(bytes, area.offset);
  const view = viewOf(bytes);
  const header = mdaHeader.decode(view);
  const crc = crc32Raw(initialCrc, bytes.subarray(mdaCrcStart));
  if (!checksumHolds(crc, header.checksum_xl))
    throw new CorruptError(structure, 'has a bad checksum', { stored: header.checksum_xl, computed: crc });
  if (decodeLatin1(header.magic) !== mdaMagic) throw new CorruptError(structure, 'has no magic');
  if (header.version !== 1)
    throw new CorruptError(structure, 'is of a version not known', { version: header.version });
  if (header.start !== BigInt(area.offset))
    throw new CorruptError(structure, 'says it is elsewhere', { start: header.start });
  // Compared as bigint; after this the size is at most disk.size, a safe number.
  if (header.size < BigInt(mdaHeaderSize) || BigInt(area.offset) + header.size > BigInt(disk.size))
    throw new CorruptError(structure, 'has a bad size', { size: header.size, diskSize: disk.size });
  const size = Number(header.size);
  const location = rawLocn.decode(view, rawLocnOffset);
  const ignored = (location.flags & rawLocnIgnored) !== 0;
  const text =
    location.offset === 0n || ignored ? undefined : readText(disk, area.offset, size, location, structure);
  // Half of the buffer less a sector, because the old version must stay until the new one is committed.
  const room = (size - mdaHeaderSize) / 2 - sectorSize - (text?.length ?? 0);
  const freeInBytes = Math.max(0, Math.floor(room / sectorSize)) * sectorSize;
  return { text, ignored, freeInBytes };
}

function readText(
  disk: Disk,
  start: number,
  areaSize: number,
  location: { readonly offset: bigint; readonly size: bigint; readonly checksum: number },
  structure: string,
): Uint8Array {
  const room = areaSize - mdaHeaderSize;
  if (location.offset < BigInt(mdaHeaderSize) || location.offset >= BigInt(areaSize))
    throw new CorruptError(structure, 'has its text outside', { offset: location.offset, areaSize });
  if (location.size < 1n || location.size > BigInt(Math.min(room, largestText)))
    throw new CorruptError(structure, 'has a text of a bad size', { size: location.size, room });
  // Both fit in the area, so they are safe numbers.
  const offset = Number(location.offset);
  const text = new Uint8Array(Number(location.size));
  const straight = Math.min(text.length, areaSize - offset);
  disk.read(text.subarray(0, straight), start + offset);
  // The rest, at most `room`, is at the start of the buffer.
  if (straight < text.length) disk.read(text.subarray(straight), start + mdaHeaderSize);
  const crc = crc32Raw(initialCrc, text);
  if (!checksumHolds(crc, location.checksum))
    throw new CorruptError(structure, 'has a text with a bad checksum', {
      stored: location.checksum,
      computed: crc,
    });
  return text;
}
