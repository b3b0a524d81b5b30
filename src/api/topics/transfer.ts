/**
 * Between the guest and the host: files, archives, whole trees.
 *
 * Arguments that are files of the host also take streams, so that nothing needs to touch the host's disk. Who ends these is
 * said once, of `SinkControls` in types.ts, and in the hover text of each method.
 */
import {
  device,
  devOrPathname,
  fileIn,
  fileOut,
  gives,
  int64,
  optional,
  pathname,
  string,
  topic,
} from '../action.js';

const hostSource = fileIn('filename', 'path or stream on the host to read');
const remoteFile = devOrPathname('remotefilename', 'a file or device of the guest');
const offset = int64('offset', "where to begin in the guest's file, in bytes");
const hostSink = fileOut('filename', 'path or stream on the host to write');
const directory = pathname('directory', 'a directory of the guest');
const packed = string('directory', 'a directory of the guest');
const archiveIn = fileIn('tarball', 'path or stream on the host with the archive');
const archiveOut = fileOut('tarball', 'path or stream on the host that takes the archive');
const compressionType = string('ctype', '`compress`, `gzip`, `bzip2`, `xz` or `lzop`');
const level = optional.int('how hard to try, 1 to 9, or 0 to 9 for some');
const archive = optional.bool('keep owners, permissions, times and links');
const deletedest = optional.bool('remove what the source does not have');
const remote = string('remote', 'place on the other machine, such as `rsync://host/module/`');

export const transfer = topic('Transfer', {
  upload: {
    args: [hostSource, remoteFile],
    result: gives.nothing,
    proc: 66,
    since: '1.0.2',
    progress: true,
    cancellable: true,
    short: 'copy a file of the host into the guest',
    help: 'Writes `filename`, a path or a stream of the host, to `remotefilename`, a file or device of the guest. A file that exists is replaced; of a device only the beginning is.',
  },
  upload_offset: {
    args: [hostSource, remoteFile, offset],
    result: gives.nothing,
    proc: 273,
    since: '1.5.17',
    progress: true,
    cancellable: true,
    short: 'copy a file of the host over a part of a file in the guest',
    help: "Writes the host's `filename` to `remotefilename` from the byte `offset` on; what lies before and after stays. A file that does not exist is made.",
  },
  download: {
    args: [remoteFile, hostSink],
    result: gives.nothing,
    proc: 67,
    since: '1.0.2',
    progress: true,
    cancellable: true,
    short: 'copy a file of the guest to the host',
    help: 'Writes all of `remotefilename`, a file or device of the guest, to `filename`, a path or a stream of the host.',
  },
  download_offset: {
    args: [remoteFile, hostSink, offset, int64('size', 'how many bytes')],
    result: gives.nothing,
    proc: 274,
    since: '1.5.17',
    progress: true,
    cancellable: true,
    short: 'copy a part of a file of the guest to the host',
    help: "Writes `size` bytes of `remotefilename` from the byte `offset` on to the host's `filename`. Where the source ends before that, what is there is written.",
  },
  copy_in: {
    args: [
      string('localpath', 'a file or directory of the host'),
      pathname('remotedir', 'a directory of the guest'),
    ],
    result: gives.nothing,
    since: '1.29.24',
    visibility: 'noShell',
    repeats: true,
    short: 'copy a file or a tree of the host into a directory of the guest',
    help: "Puts `localpath`, with everything below it if it is a directory, into the guest's directory `remotedir`, which must exist, under its own last name. Where that is `.` or `..`, what is in the directory goes in. Owners, permissions and times are kept. There are no wildcards.",
  },
  copy_out: {
    args: [
      pathname('remotepath', 'a file or directory of the guest'),
      string('localdir', 'a directory of the host'),
    ],
    result: gives.nothing,
    since: '1.29.24',
    visibility: 'noShell',
    repeats: true,
    short: 'copy a file or a tree of the guest into a directory of the host',
    help: "Puts `remotepath`, with everything below it if it is a directory, into the host's directory `localdir`, which must exist, under its own last name; of `/` and of a path that ends in `/.`, the contents alone. Permissions and times are kept, owners only if this process is root. Several names of one file stay that, where the host can link. No path that the guest names leads out of `localdir`. What the host cannot hold is left out with a warning: devices, pipes and sockets, names that mean something else there, a second name that is the same to it as the first. There are no wildcards. What is damaged is left out, or stands as zeroes where only a part of a file is, with a warning each; when all else is there, the call fails with a PartialError.",
  },
  tar_in: {
    args: [fileIn('tarfile', 'path or stream on the host with the archive'), directory],
    options: {
      compress: optional.string(
        'how the archive is compressed: `gzip`, `bzip2`, `xz`, `lzop`, `compress` and others; not at all by default',
      ),
      xattrs: optional.bool('restore the extended attributes in the archive'),
      selinux: optional.bool('restore the SELinux labels in the archive'),
      acls: optional.bool('restore the access control lists in the archive'),
      keepdirlink: optional.bool(
        'let a symbolic link to a directory stand for that directory, and do not replace it',
      ),
    },
    result: gives.nothing,
    proc: 69,
    since: '1.0.3',
    cancellable: true,
    aliases: ['tar-in-opts'],
    short: 'unpack a tar archive of the host into the guest',
    help: "Unpacks `tarfile` in the guest's directory `directory`.",
  },
  tar_out: {
    args: [packed, fileOut('tarfile', 'path or stream on the host that takes the archive')],
    options: {
      compress: optional.string(
        'how to compress the archive: `gzip`, `bzip2`, `xz`, `lzop`, `compress` and others; not at all by default',
      ),
      numericowner: optional.bool('store numbers of owners, and not the names that belong to them'),
      excludes: optional.stringList('patterns of what to leave out'),
      xattrs: optional.bool('store extended attributes'),
      selinux: optional.bool('store SELinux labels'),
      acls: optional.bool('store access control lists'),
    },
    result: gives.nothing,
    proc: 70,
    since: '1.0.3',
    cancellable: true,
    aliases: ['tar-out-opts'],
    short: 'pack a directory of the guest into a tar archive on the host',
    help: 'Writes everything in `directory` to `tarfile`, with paths that begin with `./`. What is damaged is left out, or stands as zeroes where only a part of a file is, with a warning each; when all else is there, the call fails with a PartialError.',
  },
  tgz_in: {
    args: [archiveIn, directory],
    result: gives.nothing,
    proc: 71,
    since: '1.0.3',
    cancellable: true,
    deprecatedBy: 'tar_in',
    short: 'unpack a gzip-compressed tar archive of the host into the guest',
    help: 'Use `tar_in` with `compress` set to `gzip`.',
  },
  tgz_out: {
    args: [directory, archiveOut],
    result: gives.nothing,
    proc: 72,
    since: '1.0.3',
    cancellable: true,
    deprecatedBy: 'tar_out',
    short: 'pack a directory of the guest into a gzip-compressed tar archive on the host',
    help: 'Use `tar_out` with `compress` set to `gzip`.',
  },
  txz_in: {
    args: [archiveIn, directory],
    result: gives.nothing,
    proc: 229,
    since: '1.3.2',
    group: 'xz',
    cancellable: true,
    deprecatedBy: 'tar_in',
    short: 'unpack an xz-compressed tar archive of the host into the guest',
    help: 'Use `tar_in` with `compress` set to `xz`.',
  },
  txz_out: {
    args: [directory, archiveOut],
    result: gives.nothing,
    proc: 230,
    since: '1.3.2',
    group: 'xz',
    cancellable: true,
    deprecatedBy: 'tar_out',
    short: 'pack a directory of the guest into an xz-compressed tar archive on the host',
    help: 'Use `tar_out` with `compress` set to `xz`.',
  },
  cpio_out: {
    args: [packed, fileOut('cpiofile', 'path or stream on the host that takes the archive')],
    options: { format: optional.string('`newc`, the default, or `crc`') },
    result: gives.nothing,
    proc: 419,
    since: '1.27.9',
    cancellable: true,
    short: 'pack a directory of the guest into a cpio archive on the host',
    help: 'Writes everything in `directory` to `cpiofile`. `format` is `newc`, which is the default, or `crc`. What is damaged is left out, or stands as zeroes where only a part of a file is, with a warning each; when all else is there, the call fails with a PartialError.',
  },
  base64_in: {
    args: [
      fileIn('base64file', 'path or stream on the host with the text'),
      pathname('filename', 'path of the new file in the guest'),
    ],
    result: gives.nothing,
    proc: 242,
    since: '1.3.5',
    cancellable: true,
    short: 'decode a base64 file of the host into the guest',
    help: "Decodes the host's `base64file` and writes the bytes to `filename`. Text that is no base64 is an error.",
  },
  base64_out: {
    args: [
      pathname('filename', 'path of the file in the guest'),
      fileOut('base64file', 'path or stream on the host that takes the text'),
    ],
    result: gives.nothing,
    proc: 243,
    since: '1.3.5',
    cancellable: true,
    short: 'encode a file of the guest as base64 on the host',
    help: "Writes the bytes of `filename` to the host's `base64file` as base64, in lines.",
  },
  compress_out: {
    args: [
      compressionType,
      pathname('file', 'path of the file in the guest'),
      fileOut('zfile', 'path or stream on the host that takes the result'),
    ],
    options: { level },
    result: gives.nothing,
    proc: 291,
    since: '1.13.15',
    cancellable: true,
    short: 'compress a file of the guest to the host',
    help: "Writes the compressed `file` to the host's `zfile`. `ctype` is `compress`, `gzip`, `bzip2`, `xz` or `lzop`, and `level` how hard to try, 1 to 9, or 0 to 9 for some.",
  },
  compress_device_out: {
    args: [
      compressionType,
      device('device', 'a disk, partition or volume'),
      fileOut('zdevice', 'path or stream on the host that takes the result'),
    ],
    options: { level },
    result: gives.nothing,
    proc: 292,
    since: '1.13.15',
    cancellable: true,
    short: 'compress a device to the host',
    help: "Writes everything on `device`, compressed, to the host's `zdevice`: types and `level` are those of `compress_out`. Zero the free space first (`zero_free_space`) for a small result.",
  },
  mksquashfs: {
    args: [
      pathname('path', 'a directory of the guest'),
      fileOut('filename', 'path or stream on the host that takes the image'),
    ],
    options: {
      compress: optional.string(
        '`gzip`, `lzma`, `lzo`, `lz4`, `xz` or `zstd`, as far as the appliance has it',
      ),
      excludes: optional.stringList('paths or patterns to leave out'),
    },
    result: gives.nothing,
    proc: 471,
    since: '1.35.25',
    group: 'squashfs',
    cancellable: true,
    short: 'pack a directory of the guest into a squashfs image on the host',
    help: "Writes everything in `path` to the host's `filename`. `compress` is `gzip`, `lzma`, `lzo`, `lz4`, `xz` or `zstd`, as far as the appliance has it; `excludes` lists paths or patterns to leave out.",
  },
  rsync: {
    args: [
      pathname('src', 'directory of the guest to copy from'),
      pathname('dest', 'directory of the guest to copy to'),
    ],
    options: { archive, deletedest },
    result: gives.nothing,
    proc: 344,
    since: '1.19.29',
    group: 'rsync',
    short: 'make one directory of the guest like another',
    help: 'Copies what differs from `src` to `dest`, both in the guest, as the program rsync does: a slash at the end of `src` means its contents and not itself. `archive` keeps owners, permissions, times and links; `deletedest` removes what `src` does not have.',
  },
  rsync_in: {
    args: [remote, pathname('dest', 'directory of the guest to copy to')],
    options: { archive, deletedest },
    result: gives.nothing,
    proc: 345,
    since: '1.19.29',
    group: 'rsync',
    short: 'bring a directory of another machine into the guest',
    help: "Copies what differs from `remote`, such as `rsync://host/module/`, to the guest's `dest`; the options are those of `rsync`. The network must have been turned on with `set_network` before launch.",
  },
  rsync_out: {
    args: [pathname('src', 'directory of the guest to copy from'), remote],
    options: { archive, deletedest },
    result: gives.nothing,
    proc: 346,
    since: '1.19.29',
    group: 'rsync',
    short: 'bring a directory of the guest to another machine',
    help: "Copies what differs from the guest's `src` to `remote`, such as `rsync://host/module/`; the options are those of `rsync`. The network must have been turned on with `set_network` before launch, and no password can be given. Wildcards are not expanded: see `glob_expand`.",
  },
});
