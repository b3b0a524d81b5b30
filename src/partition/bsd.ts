/**
 * BSD's disk label on a whole disk, without an MBR. Linux knows such labels only in slices: parted lists these
 * partitions, but Linux makes no devices for them.
 */
import type { Disk } from '../disk/index.js';
import { PartitionCollector } from './collector.js';
import { labelSectorSize } from './layout.js';
import type { PartitionScheme } from './scheme.js';
import { type BsdEntry, readBsdLabel } from './slices.js';

/** As many as parted reads: `a` to `h`. */
const mostPartitions = 8;

/** The place of the label: in the boot block, as on the Alpha, or after it, as on the PC. */
const places = [
  { sector: 0, offset: 64 },
  { sector: 1, offset: 0 },
] as const;

function findEntries(disk: Disk): readonly BsdEntry[] | undefined {
  for (const place of places) {
    const entries = readBsdLabel(disk, place, mostPartitions);
    if (entries !== undefined) return entries;
  }
  return undefined;
}

export const bsd: PartitionScheme = {
  name: 'bsd',

  probe: (disk) => findEntries(disk) !== undefined,

  open(disk) {
    const collector = new PartitionCollector(disk, labelSectorSize);
    for (const [index, { start, size, labelType }] of (findEntries(disk) ?? []).entries())
      if (labelType !== 0 && size > 0) collector.add(index + 1, start, size, { labelType });
    return { scheme: 'bsd', partitions: collector.inOrder, hasDevices: false, warnings: collector.warnings };
  },
};
