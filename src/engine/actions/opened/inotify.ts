/** Watching files of the guest for what other actions change, as inotify(7). */
import { GuestfsError, sortBytewise } from '../../../base/index.js';
import { type WatchEvent, Watches } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';

function watching({ session }: Call): Watches {
  if (session.watches === undefined)
    throw new GuestfsError('EINVAL', 'nothing is watched: call inotify_init first');
  return session.watches;
}

const read = (call: Call): WatchEvent[] => watching(call).read(call.session.mounts.mounts());

export const inotifyHandlers = {
  inotify_init({ session }, limit) {
    // Anything else is an error of libguestfs's where nothing is mounted.
    session.tree.resolve('/');
    session.watches = new Watches(limit);
  },
  inotify_close(call) {
    watching(call);
    call.session.watches = undefined;
  },
  inotify_add_watch(call, path, mask) {
    const watches = watching(call);
    return watches.add(
      call.session.tree.resolve(path, { followLast: Watches.followsLast(mask) }),
      path,
      mask,
    );
  },
  inotify_rm_watch: (call, number) => watching(call).remove(number),
  inotify_read: read,
  inotify_files: (call) =>
    sortBytewise([...new Set(read(call).map(({ inName }) => inName))].filter((name) => name !== '')),
} satisfies TopicHandlers;
