/**
 * Apple's partition map: a driver descriptor in the first block, then one entry a block; the map itself is among the
 * entries. Surprising: the descriptor defines the block size (2048 on discs), whatever the disk's sector size is.
 */
import { viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { PartitionCollector } from './collector.js';
import {
  appleDescriptor,
  appleDescriptorSignature,
  appleEntry,
  appleEntrySignature,
  appleNothing,
  labelSectorSize,
} from './layout.js';
import { highestPartitionNumber, type PartitionScheme } from './scheme.js';
import { readSectors } from './sectors.js';

/** The size of a block in bytes; undefined if the disk has no map. */
function blockSizeOf(disk: Disk): number | undefined {
  const sector = readSectors(disk, 0);
  if (sector === undefined) return undefined;
  const { sbSig, sbBlkSize } = appleDescriptor.decode(sector);
  if (sbSig !== appleDescriptorSignature || sbBlkSize < labelSectorSize || sbBlkSize % labelSectorSize !== 0)
    return undefined;
  return readEntry(disk, 1, sbBlkSize) === undefined ? undefined : sbBlkSize;
}

function readEntry(disk: Disk, block: number, blockSize: number) {
  const offset = block * blockSize;
  if (offset + appleEntry.size > disk.size) return undefined;
  const bytes = new Uint8Array(appleEntry.size);
  disk.read(bytes, offset);
  const entry = appleEntry.decode(viewOf(bytes));
  return entry.pmSig === appleEntrySignature ? entry : undefined;
}

export const apple: PartitionScheme = {
  name: 'mac',

  probe: (disk) => blockSizeOf(disk) !== undefined,

  open(disk) {
    const blockSize = blockSizeOf(disk) ?? labelSectorSize;
    const collector = new PartitionCollector(disk, blockSize);
    const claimed = readEntry(disk, 1, blockSize)?.pmMapBlkCnt ?? 0;
    const count = Math.min(claimed, highestPartitionNumber);
    if (count < claimed)
      collector.warnings.push(`the map says that it has ${claimed} entries: only ${count} are read`);
    for (let number = 1; number <= count; number++) {
      const entry = readEntry(disk, number, blockSize);
      if (entry === undefined) {
        collector.warnings.push(`entry ${number} of the map has no signature: the rest is left out`);
        break;
      }
      collector.add(number, entry.pmPyPartStart, entry.pmPartBlkCnt, {
        name: entry.pmPartName,
        labelType: entry.pmParType,
        ...(appleNothing.test(entry.pmParType) ? { isListed: false } : {}),
      });
    }
    return { scheme: 'mac', partitions: collector.inOrder, warnings: collector.warnings };
  },
};
