/** Actions of btrfs only, as the program btrfs answers them: subvolumes, quotas, devices. */
import { formatUuid, GuestfsError, UnsupportedError } from '../../base/index.js';
import { type BtrfsDetails, btrfsDetails, type FileSystem, type SubvolumeFacts } from '../../fs/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';
import { directoryAt } from './listing.js';

function detailsOf(fileSystem: FileSystem, where: string): BtrfsDetails {
  const details = btrfsDetails(fileSystem);
  if (details === undefined) throw new GuestfsError('EINVAL', `${where}: not on a btrfs filesystem`);
  return details;
}

/** The filesystem that a path is on. */
function at({ session }: Call, path: string): BtrfsDetails {
  return detailsOf(session.tree.resolve(path).fileSystem, path);
}

/**
 * Asks the filesystem of a mountable, mounted or not, or the one that a path is on. `within`: the number of the
 * subvolume that the path is in.
 */
function ask<T>(
  { session }: Call,
  where: string,
  question: (details: BtrfsDetails, within?: number) => T,
): T {
  if (where.startsWith('/') && !where.startsWith('/dev/')) {
    const { fileSystem, inode } = session.tree.resolve(where);
    return question(detailsOf(fileSystem, where), fileSystem.volumeOf?.(inode));
  }
  const { device } = session.devices.parseMountable(where);
  const { fileSystem, release } = session.fileSystems.open(device);
  try {
    return question(detailsOf(fileSystem, where));
  } finally {
    release();
  }
}

/** The daemon makes an empty value of the program's dash. */
const orNone = (text: string | undefined): string => text ?? '';

const uuidText = (uuid: Uint8Array): string =>
  orNone(uuid.some((byte) => byte !== 0) ? formatUuid(uuid) : undefined);

/** `2026-11-30 09:43:55 +0000`, as the appliance's clock has no other zone. */
function timeText(seconds: number): string {
  if (seconds === 0) return orNone(undefined);
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) throw new GuestfsError('ERANGE', `${seconds}: is no time of a calendar`);
  return `${time.toISOString().slice(0, 19).replace('T', ' ')} +0000`;
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** With two digits of the greatest unit that it has one of: `4.77MiB`. What is less than the next unit is cut off. */
function sizeText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  for (; size >= 1024 * 1024; unit++) size = Math.floor(size / 1024);
  return size < 1024 ? `${size.toFixed(2)}${units[unit]}` : `${(size / 1024).toFixed(2)}${units[unit + 1]}`;
}

/** Subvolumes in the order of a walk from the topmost: each before those in it, and these by number. */
function inOrderOfPlace(subvolumes: readonly SubvolumeFacts[]): SubvolumeFacts[] {
  const within = new Map<number, SubvolumeFacts[]>();
  for (const each of subvolumes) {
    const siblings = within.get(each.parent);
    if (siblings === undefined) within.set(each.parent, [each]);
    else siblings.push(each);
  }
  const ordered: SubvolumeFacts[] = [];
  const waiting = (within.get(topLevel) ?? []).toReversed();
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    ordered.push(next);
    waiting.push(...(within.get(next.id) ?? []).toReversed());
  }
  return ordered;
}

/** The number of the topmost subvolume. */
const topLevel = 5;

/** The lines of `btrfs subvolume show` as the daemon takes them apart. */
function* shownOf(details: BtrfsDetails, subvolume: SubvolumeFacts): Generator<[string, string]> {
  const { id, path, parent, uuid, created } = subvolume;
  const isTop = id === topLevel;
  yield ['path', isTop ? '/' : path];
  yield ['Name', isTop ? '<FS_TREE>' : path.slice(path.lastIndexOf('/') + 1)];
  yield ['UUID', uuidText(uuid)];
  yield ['Parent UUID', uuidText(subvolume.parentUuid)];
  yield ['Received UUID', uuidText(subvolume.receivedUuid)];
  yield ['Creation time', timeText(created)];
  yield ['Subvolume ID', String(id)];
  yield ['Generation', String(subvolume.generation)];
  yield ['Gen at creation', String(subvolume.originalGeneration)];
  yield ['Parent ID', String(parent)];
  yield ['Top level ID', String(parent)];
  yield ['Flags', orNone(subvolume.isReadOnly ? 'readonly' : undefined)];
  yield ['Send transid', String(subvolume.sentGeneration)];
  // The program prints the time of the creation here.
  yield ['Send time', timeText(created)];
  yield ['Receive transid', String(subvolume.receivedGeneration)];
  yield ['Receive time', timeText(subvolume.received)];
  const snapshots = inOrderOfPlace(details.subvolumes()).filter(
    ({ parentUuid }) => formatUuid(parentUuid) === formatUuid(uuid),
  );
  yield ['Snapshot(s)', snapshots.map((each) => each.path).join(',')];
  const quota = details.quotaOf(id);
  if (quota === undefined) return;
  const limit = (bytes: number): string => orNone(bytes === 0 ? undefined : sizeText(bytes));
  yield ['Quota group', `0/${id}`];
  yield ['Limit referenced', limit(quota.mostReferenced)];
  yield ['Limit exclusive', limit(quota.mostExclusive)];
  yield ['Usage referenced', sizeText(quota.referenced)];
  yield ['Usage exclusive', sizeText(quota.exclusive)];
}

export const btrfsHandlers = {
  btrfs_balance_status(call, path) {
    if (at(call, path).hasBalance)
      throw new UnsupportedError(path, ['telling how far a balance is'], { elsewhere: 'appliance' });
    return {
      btrfsbalanceStatus: 'none',
      btrfsbalanceTotal: 0,
      btrfsbalanceBalanced: 0,
      btrfsbalanceConsidered: 0,
      btrfsbalanceLeft: 0,
    };
  },
  /** Linux keeps what a scrub found in memory and the program in a file of its machine: here there was none. */
  btrfs_scrub_status(call, path) {
    directoryAt(call, path);
    at(call, path);
    return {
      btrfsscrubDataExtentsScrubbed: 0,
      btrfsscrubTreeExtentsScrubbed: 0,
      btrfsscrubDataBytesScrubbed: 0,
      btrfsscrubTreeBytesScrubbed: 0,
      btrfsscrubReadErrors: 0,
      btrfsscrubCsumErrors: 0,
      btrfsscrubVerifyErrors: 0,
      btrfsscrubNoCsum: 0,
      btrfsscrubCsumDiscards: 0,
      btrfsscrubSuperErrors: 0,
      btrfsscrubMallocErrors: 0,
      btrfsscrubUncorrectableErrors: 0,
      btrfsscrubUnverifiedErrors: 0,
      btrfsscrubCorrectedErrors: 0,
      btrfsscrubLastPhysical: 0,
    };
  },
  btrfs_filesystem_show({ session }, name) {
    const device = session.devices.resolve(name);
    return session.fileSystems.membersOf(device, 'btrfs').map((member) => member.name);
  },
  btrfs_qgroup_show(call, path) {
    const groups = at(call, path).quotaGroups();
    if (groups === undefined) throw new GuestfsError('EINVAL', `${path}: quotas are not enabled`);
    return groups.map(({ level, number, referenced, exclusive }) => ({
      btrfsqgroupId: `${level}/${number}`,
      btrfsqgroupRfer: referenced,
      btrfsqgroupExcl: exclusive,
    }));
  },
  btrfs_subvolume_get_default: (call, where) => ask(call, where, ({ defaultId }) => defaultId),
  btrfs_subvolume_list: (call, where) =>
    ask(call, where, (details, within) => {
      const subvolumes = details.subvolumes();
      // What lies in the subvolume of the path has a path from there, and all others have it from the top.
      const above = `${subvolumes.find(({ id }) => id === within)?.path ?? ''}/`;
      return subvolumes.map(({ id, parent, path }) => ({
        btrfssubvolumeId: id,
        btrfssubvolumeTopLevelId: parent,
        btrfssubvolumePath: path.startsWith(above) ? path.slice(above.length) : path,
      }));
    }),
  btrfs_subvolume_show(call, path) {
    const details = at(call, path);
    const subvolume = details.subvolumeOf(call.session.tree.resolve(path).inode);
    if (subvolume === undefined) throw new GuestfsError('EINVAL', `${path}: not a subvolume`);
    return new Map(shownOf(details, subvolume));
  },
} satisfies TopicHandlers;
