/** How full a filesystem is, as ntfs-3g counts: files are in clusters too, so that the free ones count for more files. */
import { CorruptError, work } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { FileSystemUsage } from '../driver.js';
import { emptyUsage } from '../support.js';
import type { Attribute } from './attribute.js';
import { attributeTypes, fileNumbers } from './layout.js';
import type { NtfsVolume } from './volume.js';

/** Bytes of a bitmap that are read at once. */
const pieceSize = 64 * 1024;

const zeroesInNibble = [4, 3, 3, 2, 3, 2, 2, 1, 3, 2, 2, 1, 2, 1, 1, 0];

function countZeroes(bits: Disk): number {
  const zeroes = Uint8Array.from(
    { length: 256 },
    (_, byte) =>
      // safe: a nibble is below 16
      (zeroesInNibble[byte % 16] as number) + (zeroesInNibble[byte >>> 4] as number),
  );
  const piece = new Uint8Array(Math.min(pieceSize, bits.size));
  let count = 0;
  for (let at = 0; at < bits.size; at += piece.length) {
    work.checkpoint();
    const { length, hole } = bits.span(at, bits.size - at);
    const part = piece.subarray(0, Math.min(piece.length, bits.size - at));
    if (hole && length > part.length) {
      const pieces = Math.floor(length / part.length);
      count += pieces * part.length * 8;
      at += (pieces - 1) * part.length;
      continue;
    }
    bits.read(part, at);
    for (const byte of part) count += zeroes[byte] ?? 0;
  }
  return count;
}

function need(attribute: Attribute | undefined, what: string): Attribute {
  if (attribute === undefined) throw new CorruptError(`NTFS ${what}`, 'is not there');
  return attribute;
}

export function readUsage(volume: NtfsVolume): FileSystemUsage {
  const { clusterSize, clusterCount, recordSize } = volume.geometry;
  const clusters = need(volume.inode(fileNumbers.bitmap).data, 'bitmap of clusters');
  const files = need(volume.inode(fileNumbers.mft).attributes.find(attributeTypes.bitmap), 'bitmap of files');
  const free = countZeroes(volume.open(clusters));
  const freeRecords = countZeroes(volume.open(files)) + 8 * (files.allocatedSize - files.sizeInBytes);
  const filesInFree = Math.floor((free * clusterSize) / recordSize);
  return {
    ...emptyUsage,
    blockSize: clusterSize,
    fragmentSize: clusterSize,
    blocks: clusterCount,
    freeBlocks: free,
    availableBlocks: free,
    inodes: 8 * files.allocatedSize + filesInFree,
    freeInodes: filesInFree + freeRecords,
  };
}
