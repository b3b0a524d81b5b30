/** Which partition table a disk has. */
import { GuestfsError } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { amiga } from './amiga.js';
import { apple } from './apple.js';
import { atari } from './atari.js';
import { bsd } from './bsd.js';
import { gpt, sectorSizes } from './gpt.js';
import { mbr } from './mbr.js';
import { aix, pc98 } from './named.js';
import type { PartitionScheme, PartitionTable } from './scheme.js';
import { sgi } from './sgi.js';
import { sun } from './sun.js';

/**
 * In Linux's order: a GPT disk also holds a protective MBR, so GPT comes first. Schemes that Linux does not know come
 * last, except those that Linux takes for an MBR.
 */
export const partitionSchemes: readonly PartitionScheme[] = [
  gpt,
  sgi,
  pc98,
  mbr,
  sun,
  amiga,
  atari,
  apple,
  bsd,
  aix,
];

/**
 * The partition table of a disk; undefined if there is none (a filesystem or volume on the whole disk, or nothing).
 * `sectorSize` is the disk's logical sector size, 512 or 4096 bytes. An unusable table is a CorruptError; Linux shows
 * such a disk without partitions.
 */
export function readPartitionTable(disk: Disk, sectorSize: number): PartitionTable | undefined {
  if (!sectorSizes.includes(sectorSize))
    throw new GuestfsError('EINVAL', `a sector size of ${sectorSize} bytes is not supported`);
  return partitionSchemes.find((scheme) => scheme.probe(disk, sectorSize))?.open(disk, sectorSize);
}
