/**
 * The checksum of a whole filesystem: CRC-32 from the superblock to the end, with the sum itself taken as zeroes, as
 * fsck.cramfs computes it. Linux does not look at it, so that a wrong sum is a warning.
 */
import { checksumHolds, crc32Raw, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { heeding } from '../driver.js';
import { superblock as layout } from './layout.js';
import type { Superblock } from './superblock.js';

/** Bytes that are read at once. */
const pieceSize = 256 * 1024;
/** What CRC-32 begins with. */
const initialSum = 0xffff_ffff;

/** The CRC-32 of the bytes from `start` to `end` of a disk, of which those of the stored sum are taken as zeroes. */
function sumOf(disk: Disk, start: number, end: number): number {
  const { at, length } = layout.little.fields.crc;
  const piece = new Uint8Array(Math.min(pieceSize, end - start));
  let sum = initialSum;
  for (let offset = start; offset < end; offset += piece.length) {
    work.checkpoint();
    const part = piece.subarray(0, Math.min(piece.length, end - offset));
    disk.read(part, offset);
    if (offset === start) part.fill(0, at, at + length);
    sum = crc32Raw(sum, part);
  }
  return ~sum >>> 0;
}

/** Warns of a filesystem that is cut short, that cannot be read to its end, or whose checksum is wrong. */
export function checkSum(disk: Disk, { at, checksum }: Superblock, warn: (message: string) => void): void {
  if (checksum === undefined) return;
  const { crc, sizeInBytes } = checksum;
  if (sizeInBytes > disk.size) {
    warn(`cramfs: the filesystem has ${sizeInBytes} bytes and its disk ${disk.size}: files may be cut short`);
    return;
  }
  const sum = heeding(
    ({ message }) => warn(`cramfs: the checksum cannot be verified: ${message}`),
    () => sumOf(disk, at, Math.max(at, sizeInBytes)),
  );
  if (sum !== undefined && !checksumHolds(sum, crc))
    warn('cramfs: the checksum is wrong: files may be damaged');
}
