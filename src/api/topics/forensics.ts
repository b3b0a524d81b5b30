/**
 * Forensics: deleted files, blocks that no file owns, and rules that recognise malware.
 *
 * The filesystems need not be mounted, and those of The Sleuth Kit are supported.
 */
import { fileIn, fileOut, gives, int64, mountable, optional, pathname, topic } from '../action.js';

const volume = mountable('device', 'device with the filesystem');
const inode = int64('inode', 'number of the inode');
const sink = fileOut('filename', 'path or stream on the host to write');

export const forensics = topic('Forensics', () => ({
  filesystem_walk: {
    args: [volume],
    result: gives.structs('tsk_dirent'),
    since: '1.33.39',
    group: 'libtsk',
    progress: true,
    cancellable: true,
    reads: true,
    short: 'list all files of a filesystem, also deleted ones',
    help: 'Gives path, inode, type, size, times and flags of each. Bit 0 of `tskFlags` means that it is there, not deleted; bit 1 that its inode belongs to another file by now; bit 2 that it is compressed. A deleted one may have the inode 0 and the size -1.',
  },
  find_inode: {
    args: [volume, inode],
    result: gives.structs('tsk_dirent'),
    since: '1.35.6',
    group: 'libtsk',
    progress: true,
    cancellable: true,
    reads: true,
    short: 'list all files of a filesystem with an inode, also deleted ones',
    help: 'Gives every name that leads to `inode`, in the form of `filesystem_walk`.',
  },
  download_inode: {
    args: [volume, inode, sink],
    result: gives.nothing,
    proc: 464,
    since: '1.33.14',
    group: 'sleuthkit',
    progress: true,
    cancellable: true,
    reads: true,
    short: 'copy a file to the host by its inode',
    help: "Writes the contents of `inode` on `device` to the host's `filename`, deleted or not. Of a deleted one, blocks may belong to other files by now.",
  },
  download_blocks: {
    args: [volume, int64('start', 'first block'), int64('stop', 'last block'), sink],
    options: { unallocated: optional.bool('only blocks that no file owns') },
    result: gives.nothing,
    proc: 468,
    since: '1.33.45',
    group: 'sleuthkit',
    progress: true,
    cancellable: true,
    reads: true,
    short: 'copy the blocks of a filesystem to the host',
    help: "Writes the blocks from `start` to `stop` of `device`, in the filesystem's own unit, to the host's `filename`. With `unallocated` true, only those that no file owns.",
  },
  yara_load: {
    args: [fileIn('filename', 'path or stream on the host with the rules')],
    result: gives.nothing,
    proc: 472,
    since: '1.37.13',
    group: 'libyara',
    progress: true,
    cancellable: true,
    by: 'appliance',
    reads: true,
    short: 'load rules of YARA',
    help: 'From `filename` on the host, as source without includes, or compiled by the program yarac. Rules that were loaded before are replaced.',
  },
  yara_scan: {
    args: [pathname('path', 'a file or directory')],
    result: gives.structs('yara_detection'),
    since: '1.37.13',
    group: 'libyara',
    progress: true,
    cancellable: true,
    by: 'appliance',
    reads: true,
    short: 'find which rules a file fulfils',
    help: 'Gives file and rule for each match in the file `path`, or in the files below it. Rules must have been loaded by `yara_load`.',
  },
  yara_destroy: {
    args: [],
    result: gives.nothing,
    proc: 473,
    since: '1.37.13',
    group: 'libyara',
    by: 'appliance',
    reads: true,
    short: 'unload the rules of YARA',
    help: 'Frees what `yara_load` took. No rules loaded is no error.',
  },
}));
