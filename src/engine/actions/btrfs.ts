/** Actions of btrfs only: its subvolumes. */
import { GuestfsError } from '../../base/index.js';
import { type BtrfsDetails, btrfsDetails, type FileSystem } from '../../fs/index.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

function detailsOf(fileSystem: FileSystem, where: string): BtrfsDetails {
  const details = btrfsDetails(fileSystem);
  if (details === undefined) throw new GuestfsError('EINVAL', `${where}: not on a btrfs filesystem`);
  return details;
}

/** Asks the filesystem of a mountable, mounted or not, or the one that a path is on. */
function ask<T>({ session }: Call, where: string, question: (details: BtrfsDetails) => T): T {
  if (where.startsWith('/') && !where.startsWith('/dev/'))
    return question(detailsOf(session.tree.resolve(where).fileSystem, where));
  const { device } = session.devices.parseMountable(where);
  const { fileSystem, release } = session.fileSystems.open(device);
  try {
    return question(detailsOf(fileSystem, where));
  } finally {
    release();
  }
}

export const btrfsHandlers = {
  btrfs_subvolume_get_default: (call, where) => ask(call, where, ({ defaultId }) => defaultId),
  btrfs_subvolume_list: (call, where) =>
    ask(call, where, (details) =>
      details.subvolumes().map(({ id, parent, path }) => ({
        btrfssubvolumeId: id,
        btrfssubvolumeTopLevelId: parent,
        btrfssubvolumePath: path,
      })),
    ),
} satisfies TopicHandlers;
