/**
 * Watching the guest's files for changes that other actions make.
 */
import { gives, int, pathname, topic } from '../action.js';

export const inotify = topic('Watching files', () => ({
  inotify_init: {
    args: [int('maxevents', 'how many events are kept until they are read; 0 for the default')],
    result: gives.nothing,
    proc: 179,
    since: '1.0.66',
    group: 'inotify',
    reads: true,
    short: 'begin to watch',
    help: 'Keeps up to `maxevents` events until they are read, 0 for the default number; beyond, events are lost, and one with the bit 0x4000 says so.',
  },
  inotify_close: {
    args: [],
    result: gives.nothing,
    proc: 184,
    since: '1.0.66',
    group: 'inotify',
    reads: true,
    short: 'stop watching',
    help: 'Forgets all watches, and events that were not read.',
  },
  inotify_add_watch: {
    args: [pathname('path', 'a file or directory'), int('mask', 'bits of the events, as Linux has them')],
    result: gives.int64,
    proc: 180,
    since: '1.0.66',
    group: 'inotify',
    reads: true,
    short: 'watch a path',
    help: 'For the events of `mask`, in bits as Linux has them: 2 modified, 0x100 created, 0x200 deleted, 0xfff all. A directory is watched with its entries, but not with what is further below. Gives the number of the watch.',
  },
  inotify_rm_watch: {
    args: [int('wd', 'number of the watch')],
    result: gives.nothing,
    proc: 181,
    since: '1.0.66',
    group: 'inotify',
    reads: true,
    short: 'stop watching a path',
    help: '`wd` is the number that `inotify_add_watch` gave.',
  },
  inotify_read: {
    args: [],
    result: gives.structs('inotify_event'),
    proc: 182,
    since: '1.0.66',
    group: 'inotify',
    reads: true,
    short: 'give the events so far',
    help: 'Each has its watch, its bits and, in a directory, a name. No more than fit into one answer are given, so read until there are none.',
  },
  inotify_files: {
    args: [],
    result: gives.strings,
    proc: 183,
    since: '1.0.66',
    group: 'inotify',
    reads: true,
    short: 'list the files that had events',
    help: 'Reads the events as `inotify_read` does, and gives only the names, sorted, each once.',
  },
}));
