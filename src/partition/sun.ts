/**
 * Sun's disk label: eight partitions in cylinders. Surprising: by convention the third is the whole disk, and Linux
 * makes a device of it as of any other.
 */
import { viewOf } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import { PartitionCollector } from './collector.js';
import {
  labelSectorSize,
  sunInfo,
  sunInfosOffset,
  sunLabel,
  sunMagic,
  sunMap,
  sunMapsOffset,
  sunPartitionCount,
  sunVtocSanity,
  sunVtocVersion,
  sunWholeDisk,
} from './layout.js';
import type { PartitionScheme } from './scheme.js';
import { readSectors } from './sectors.js';

/** The label's sector, if it has the signature and the exclusive or of its 16-bit words is zero. */
function findLabel(disk: Disk): DataView | undefined {
  const sector = readSectors(disk, 0);
  if (sector === undefined) return undefined;
  const view = viewOf(sector);
  if (sunLabel.get(view, 0, 'dkl_magic') !== sunMagic) return undefined;
  let sum = 0;
  for (let at = 0; at < labelSectorSize; at += 2) sum ^= view.getUint16(at);
  return sum === 0 ? view : undefined;
}

export const sun: PartitionScheme = {
  name: 'sun',

  probe: (disk) => findLabel(disk) !== undefined,

  open(disk) {
    const collector = new PartitionCollector(disk, labelSectorSize);
    const view = findLabel(disk);
    if (view !== undefined) {
      const label = sunLabel.decode(view);
      const hasVtoc =
        label.v_version === sunVtocVersion &&
        label.v_sanity === sunVtocSanity &&
        label.v_nparts <= sunPartitionCount;
      const sectorsPerCylinder = label.dkl_nhead * label.dkl_nsect;
      const count = hasVtoc ? label.v_nparts : sunPartitionCount;
      for (let index = 0; index < count; index++) {
        const map = sunMap.decode(view, sunMapsOffset + index * sunMap.size);
        if (map.dkl_nblk === 0) continue;
        const { p_tag } = sunInfo.decode(view, sunInfosOffset + index * sunInfo.size);
        collector.add(index + 1, map.dkl_cylno * sectorsPerCylinder, map.dkl_nblk, {
          ...(hasVtoc ? { labelType: p_tag } : {}),
          ...(hasVtoc && p_tag === sunWholeDisk ? { isListed: false } : {}),
        });
      }
    }
    return { scheme: 'sun', partitions: collector.inOrder, warnings: collector.warnings };
  },
};
