/** Which partition table a disk has. */
import { GuestfsError } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { gpt } from './gpt.js';
import { mbr } from './mbr.js';
import type { PartitionScheme, PartitionTable } from './scheme.js';

/** In the order in which they are asked: a GPT disk also holds a protective MBR. */
export const partitionSchemes: readonly PartitionScheme[] = [gpt, mbr];

/**
 * The partition table of a disk, or undefined where it has none (a filesystem or volume on the whole disk, or nothing).
 * `sectorSize` is the disk's logical sector size, 512 or 4096 bytes. A table beyond use is a CorruptError; Linux shows
 * such a disk as one with no partitions.
 */
export function readPartitionTable(disk: Disk, sectorSize: number): PartitionTable | undefined {
  if (sectorSize !== 512 && sectorSize !== 4096)
    throw new GuestfsError('EINVAL', `a sector size of ${sectorSize} bytes is not supported`);
  return partitionSchemes.find((scheme) => scheme.probe(disk, sectorSize))?.open(disk, sectorSize);
}
