/**
 * SGI's volume header (parted's `dvh`): sixteen partitions in sectors. Some of them are the header and the whole
 * disk.
 */
import { viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { PartitionCollector } from './collector.js';
import {
  labelSectorSize,
  sgiHeader,
  sgiMagic,
  sgiPartition,
  sgiPartitionCount,
  sgiPartitionsOffset,
  sgiWholeDisk,
} from './layout.js';
import type { PartitionScheme } from './scheme.js';
import { readSectors } from './sectors.js';

/** The header's sector, if it has the signature and the sum of its 32-bit words is zero. */
function findHeader(disk: Disk): DataView | undefined {
  const sector = readSectors(disk, 0);
  if (sector === undefined) return undefined;
  const view = viewOf(sector);
  if (sgiHeader.get(view, 0, 'vh_magic') !== sgiMagic) return undefined;
  let sum = 0;
  for (let at = 0; at < labelSectorSize; at += 4) sum = (sum + view.getUint32(at)) >>> 0;
  return sum === 0 ? view : undefined;
}

export const sgi: PartitionScheme = {
  name: 'dvh',

  probe: (disk) => findHeader(disk) !== undefined,

  open(disk) {
    const collector = new PartitionCollector(disk, labelSectorSize);
    const view = findHeader(disk);
    for (let index = 0; view !== undefined && index < sgiPartitionCount; index++) {
      const { pt_nblks, pt_firstlbn, pt_type } = sgiPartition.decode(
        view,
        sgiPartitionsOffset + index * sgiPartition.size,
      );
      if (pt_nblks === 0) continue;
      collector.add(index + 1, pt_firstlbn, pt_nblks, {
        labelType: pt_type,
        ...(pt_type === sgiWholeDisk ? { isListed: false } : {}),
      });
    }
    return { scheme: 'dvh', partitions: collector.inOrder, warnings: collector.warnings };
  },
};
