/** Groups of quotas: what subvolumes, and groups of them, take and may take. */
import { work } from '../../base/index.js';
import { itemTypes, objects, qgroupInfo, qgroupLevelShift, qgroupLimit } from './layout.js';
import { key } from './tree/keys.js';
import type { BtrfsVolume } from './volume.js';

/** In bytes: what is referred to, and how much of that would be free without it. */
interface Usage {
  readonly referenced: number;
  readonly exclusive: number;
}

export interface QuotaGroup extends Usage {
  readonly level: number;
  /** Of level 0, that of the subvolume. */
  readonly number: number;
}

/** What a subvolume takes, and may take; 0 for no limit. */
export interface Quota extends Usage {
  readonly mostReferenced: number;
  readonly mostExclusive: number;
}

/** All groups by level and number; undefined where quotas are not enabled. */
export function listQuotaGroups(volume: BtrfsVolume): QuotaGroup[] | undefined {
  const tree = volume.findTree(objects.quotaTree, 'btrfs quota tree');
  if (tree === undefined) return undefined;
  const groups: QuotaGroup[] = [];
  for (const { view, start, size, offsetBits } of tree.items(0, itemTypes.qgroupInfo)) {
    work.entries.spend(1);
    if (size < qgroupInfo.size) continue;
    const { rfer: referenced, excl: exclusive } = qgroupInfo.decode(view, start);
    const level = Number(offsetBits >> qgroupLevelShift);
    groups.push({ level, number: Number(BigInt.asUintN(48, offsetBits)), referenced, exclusive });
  }
  return groups;
}

/** The quota of a subvolume; undefined if it has none. */
export function findQuota(volume: BtrfsVolume, id: number): Quota | undefined {
  const tree = volume.findTree(objects.quotaTree, 'btrfs quota tree');
  const info = tree?.find(key(0, itemTypes.qgroupInfo, id));
  if (info === undefined || info.size < qgroupInfo.size) return undefined;
  const { rfer: referenced, excl: exclusive } = qgroupInfo.decode(info.view, info.start);
  const item = tree?.find(key(0, itemTypes.qgroupLimit, id));
  const limit =
    item === undefined || item.size < qgroupLimit.size
      ? undefined
      : qgroupLimit.decode(item.view, item.start);
  return {
    referenced,
    exclusive,
    mostReferenced: limit?.max_rfer ?? 0,
    mostExclusive: limit?.max_excl ?? 0,
  };
}
