/** The Amiga's rigid disk block: a list of partition blocks, which give their places in cylinders. */
import { decodeLatin1, viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { PartitionCollector } from './collector.js';
import {
  amigaBlock,
  amigaPartition,
  amigaPartitionId,
  labelSectorSize,
  rigidDiskBlock,
  rigidDiskId,
  rigidDiskLimit,
} from './layout.js';
import { highestPartitionNumber, type PartitionScheme } from './scheme.js';
import { readSectors } from './sectors.js';

/** What ends the list. */
const endOfList = 0xffffffff;

/** The block in a sector, if it is of that kind and the sum of its 32-bit words is zero. */
function readBlock(disk: Disk, sector: number, id: number): DataView | undefined {
  const bytes = readSectors(disk, sector);
  if (bytes === undefined) return undefined;
  const view = viewOf(bytes);
  const block = amigaBlock.decode(view);
  if (block.id !== id) return undefined;
  let sum = 0;
  // As in Linux, only the words of this sector are summed, whatever size the block claims.
  const words = Math.min(block.summed_longs, labelSectorSize / 4);
  for (let word = 0; word < words; word++) sum = (sum + view.getUint32(word * 4)) >>> 0;
  return sum === 0 ? view : undefined;
}

function findRigidDisk(disk: Disk): DataView | undefined {
  for (let sector = 0; sector < rigidDiskLimit; sector++) {
    const view = readBlock(disk, sector, rigidDiskId);
    if (view !== undefined) return view;
  }
  return undefined;
}

/** In units of 512 bytes; undefined if the block's own fields make no sense. */
function blockSizeOf(view: DataView): number | undefined {
  const { rdb_BlockBytes } = rigidDiskBlock.decode(view);
  const size = rdb_BlockBytes / labelSectorSize;
  return Number.isInteger(size) && size >= 1 && size <= 128 ? size : undefined;
}

export const amiga: PartitionScheme = {
  name: 'amiga',

  probe(disk) {
    const view = findRigidDisk(disk);
    return view !== undefined && blockSizeOf(view) !== undefined;
  },

  open(disk) {
    const collector = new PartitionCollector(disk, labelSectorSize);
    const rigid = findRigidDisk(disk);
    const size = rigid && blockSizeOf(rigid);
    if (rigid !== undefined && size !== undefined) {
      const visited = new Set<number>();
      let block = rigidDiskBlock.decode(rigid).rdb_PartitionList;
      for (let number = 1; block !== endOfList && block !== 0 && number <= highestPartitionNumber; number++) {
        const view = visited.has(block) ? undefined : readBlock(disk, block * size, amigaPartitionId);
        if (view === undefined) {
          collector.warnings.push(
            `the list of partitions leads to block ${block}, which is none: it ends there`,
          );
          break;
        }
        visited.add(block);
        const entry = amigaPartition.decode(view);
        const cylinder = entry.de_Surfaces * entry.de_BlocksPerTrack * size;
        const start = entry.de_LowCyl * cylinder;
        const sectors = (entry.de_HighCyl + 1 - entry.de_LowCyl) * cylinder;
        if (!Number.isSafeInteger(start * labelSectorSize) || sectors <= 0)
          collector.warnings.push(`partition ${number} has no place on the disk: left out`);
        else
          collector.add(number, start, sectors, {
            name: decodeLatin1(entry.pb_DriveName.subarray(0, Math.min(entry.pb_DriveNameLength, 31))),
          });
        block = entry.pb_Next;
      }
    }
    return { scheme: 'amiga', partitions: collector.inOrder, warnings: collector.warnings };
  },
};
