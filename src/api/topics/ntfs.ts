/**
 * NTFS filesystems.
 */
import {
  bool,
  device,
  fileIn,
  fileOut,
  gives,
  int,
  int64,
  mountable,
  optional,
  string,
  topic,
} from '../action.js';

const volume = device('device', 'device with the filesystem');

export const ntfs = topic('NTFS', {
  ntfs_3g_probe: {
    args: [bool('rw', 'whether it is to be written to'), volume],
    result: gives.int,
    proc: 110,
    since: '1.0.43',
    group: 'ntfs3g',
    short: 'tell whether an NTFS filesystem can be mounted',
    help: 'Gives 0 if it can, for writing too if `rw` is true, and otherwise the status of the program ntfs-3g.probe: 14 for a hibernated Windows, 15 for one that was not shut down, 12 for no NTFS at all.',
  },
  ntfsfix: {
    args: [volume],
    options: {
      clearbadsectors: optional.bool(
        'forget which sectors were bad, as is right after copying to a new disk',
      ),
    },
    result: gives.nothing,
    proc: 307,
    since: '1.17.9',
    group: 'ntfs3g',
    short: 'make an NTFS filesystem mountable again',
    help: 'Repairs the most necessary, empties the journal and marks it so that Windows checks it at its next start. It is no full check. `clearbadsectors` forgets which sectors were bad, as is right after copying to a new disk.',
  },
  ntfsresize: {
    args: [volume],
    options: {
      size: optional.int64('the new size in bytes; that of its device by default'),
      force: optional.bool('resize again before Windows has checked it'),
    },
    result: gives.nothing,
    proc: 288,
    since: '1.3.2',
    group: 'ntfsprogs',
    aliases: ['ntfsresize-opts'],
    short: 'resize an NTFS filesystem',
    help: 'To `size` bytes, or to the size of its device. Windows must have been shut down, and has to check it at its next start; until then a second resize is refused, unless `force` is true.',
  },
  ntfsresize_size: {
    args: [volume, int64('size', 'the new size in bytes')],
    result: gives.nothing,
    proc: 250,
    since: '1.3.14',
    group: 'ntfsprogs',
    deprecatedBy: 'ntfsresize',
    short: 'resize an NTFS filesystem to so many bytes',
    help: 'Use `ntfsresize` with the option `size`.',
  },
  ntfs_chmod: {
    args: [volume, int('mode', 'permission bits'), string('path', 'path on the filesystem')],
    options: { recursive: optional.bool('everything below it too') },
    result: gives.nothing,
    proc: 520,
    since: '1.55.13',
    group: 'ntfs3g',
    short: 'set the permissions of files on an NTFS filesystem',
    help: 'Sets `mode` for `path` on the unmounted filesystem, and for everything below it if `recursive` is true, as an access control list that Windows understands.',
  },
  ntfsclone_out: {
    args: [volume, fileOut('backupfile', 'path or stream on the host that takes the copy')],
    options: {
      metadataonly: optional.bool('leave out the contents of files'),
      rescue: optional.bool('go on after blocks that cannot be read'),
      ignorefscheck: optional.bool('do not check it before'),
      preservetimestamps: optional.bool('with `metadataonly`: keep the times of files'),
      force: optional.bool('go on where ntfsclone would refuse'),
    },
    result: gives.nothing,
    proc: 308,
    since: '1.17.9',
    group: 'ntfs3g',
    cancellable: true,
    short: 'save an NTFS filesystem to a file on the host',
    help: 'Writes only what is in use, to `backupfile` on the host, in the form of the program ntfsclone.',
  },
  ntfsclone_in: {
    args: [
      fileIn('backupfile', 'path or stream on the host with the copy'),
      device('device', 'device to write to'),
    ],
    result: gives.nothing,
    proc: 309,
    since: '1.17.9',
    group: 'ntfs3g',
    cancellable: true,
    short: 'restore an NTFS filesystem from a file on the host',
    help: 'Writes back to `device` what `ntfsclone_out` saved. What was on it is lost, and it must be large enough.',
  },
  ntfscat_i: {
    args: [
      mountable('device', 'device with the filesystem'),
      int64('inode', 'number of the file'),
      fileOut('filename', 'path or stream on the host to write'),
    ],
    result: gives.nothing,
    proc: 463,
    since: '1.33.14',
    progress: true,
    cancellable: true,
    short: 'copy a file of an NTFS filesystem to the host, by its number',
    help: 'Gets also at files that no path leads to, such as those of the filesystem itself. It must not be mounted.',
  },
});
