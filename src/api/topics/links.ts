/**
 * Links, special files, and what a path really leads to.
 */
import { filenameList, gives, int, pathname, string, topic } from '../action.js';

const linkname = pathname('linkname', 'path of the new name');
const permissions = int('mode', 'permission bits');
const newFile = pathname('path', 'path of the new file');
const major = int('devmajor', 'major number of the device');
const minor = int('devminor', 'minor number of the device');

export const links = topic('Links and paths', () => ({
  ln: {
    args: [string('target', 'the file to name'), linkname],
    result: gives.nothing,
    proc: 164,
    since: '1.0.66',
    short: 'make a second name for a file',
    help: 'Makes `linkname` another name (a hard link) of the file `target`, which must be on the same filesystem and no directory. A name that is taken is an error.',
  },
  ln_f: {
    args: [string('target', 'the file to name'), linkname],
    result: gives.nothing,
    proc: 165,
    since: '1.0.66',
    short: 'make a second name for a file, in the place of another',
    help: 'Like `ln`, but what is at `linkname` is removed before.',
  },
  ln_s: {
    args: [string('target', 'text of the link'), pathname('linkname', 'path of the new link')],
    result: gives.nothing,
    proc: 166,
    since: '1.0.66',
    short: 'make a symbolic link',
    help: 'Makes `linkname` a link that contains the text `target`, which is stored as it is and need not lead anywhere. A name that is taken is an error.',
  },
  ln_sf: {
    args: [string('target', 'text of the link'), pathname('linkname', 'path of the new link')],
    result: gives.nothing,
    proc: 167,
    since: '1.0.66',
    short: 'make a symbolic link, in the place of another',
    help: 'Like `ln_s`, but what is at `linkname` is removed before.',
  },
  readlink: {
    args: [pathname('path', 'path of the link')],
    result: gives.string,
    proc: 168,
    since: '1.0.66',
    reads: true,
    short: 'give the text in a symbolic link',
    help: 'Gives what is stored in the link, unresolved. Anything that is no symbolic link gives EINVAL.',
  },
  readlinklist: {
    args: [pathname('path', 'directory with the links'), filenameList('names', 'names in that directory')],
    result: gives.strings,
    since: '1.0.77',
    reads: true,
    short: 'give the texts in many symbolic links',
    help: 'Reads each of `names`, which are names in the directory `path`, and gives the texts in the same order. What cannot be read, or is no link, gives the empty string. Good for drawing a directory in one call.',
  },
  realpath: {
    args: [pathname('path', 'any path')],
    result: gives.string,
    proc: 163,
    since: '1.0.66',
    reads: true,
    short: 'give the path that a path leads to',
    help: "Resolves every symbolic link, `.` and `..` within the guest's tree and gives the absolute path that remains. It must exist.",
  },
  case_sensitive_path: {
    args: [pathname('path', 'a path in any spelling')],
    result: gives.string,
    proc: 197,
    since: '1.0.75',
    reads: true,
    short: 'find out how a path is really spelt',
    help: 'Windows takes no notice of capitals, the filesystem here does: this looks for each part of `path` whatever its capitals and gives the path as it is on the disk. The last part need not exist, so that a new file can be made. Two that differ in nothing but capitals are an error.',
  },
  mkfifo: {
    args: [permissions, newFile],
    result: gives.nothing,
    proc: 134,
    since: '1.0.55',
    group: 'mknod',
    short: 'make a FIFO',
    help: 'Makes the named pipe `path` with the permissions `mode` less the bits of `umask`. `mode` must contain permissions only, written in octal in the shell: 0644.',
  },
  mknod: {
    args: [int('mode', 'type bits with permission bits'), major, minor, newFile],
    result: gives.nothing,
    proc: 133,
    since: '1.0.55',
    group: 'mknod',
    short: 'make a special file',
    help: 'Makes what the type bits of `mode` say, a block or character device with the numbers `devmajor` and `devminor`, or a FIFO. The type bits must be there: `mknod_b`, `mknod_c` and `mkfifo` add them by themselves.',
  },
  mknod_b: {
    args: [permissions, major, minor, newFile],
    result: gives.nothing,
    proc: 135,
    since: '1.0.55',
    group: 'mknod',
    short: 'make a block device file',
    help: 'Makes `path` a file for the block device with these numbers, with the permissions `mode` less the bits of `umask`.',
  },
  mknod_c: {
    args: [permissions, major, minor, newFile],
    result: gives.nothing,
    proc: 136,
    since: '1.0.55',
    group: 'mknod',
    short: 'make a character device file',
    help: 'Makes `path` a file for the character device with these numbers, with the permissions `mode` less the bits of `umask`.',
  },
}));
