/**
 * Mounting: putting filesystems together into one tree, as the guest would have them.
 *
 * Mount the root filesystem at `/` first, and then the others below it.
 */
import { devOrPathname, gives, mountable, optional, pathname, string, topic } from '../action.js';

const filesystem = mountable('mountable', 'device or subvolume with the filesystem');
const mountpoint = string('mountpoint', 'directory to mount at; `/` for the first');
const mountOptions = string('options', 'mount options of Linux, joined by commas');
const exemptPath = string('exemptpath', 'path of the directory');

export const mount = topic('Mounting', {
  mount: {
    args: [filesystem, mountpoint],
    result: gives.nothing,
    proc: 1,
    since: '0.3',
    short: 'mount a filesystem',
    help: 'Puts the filesystem on `mountable` at the directory `mountpoint`, which must exist, save for `/`. Mount `/` first. Changes are written to the image unless its drive is read-only. A device that does not exist or has no filesystem that can be read is an error.',
  },
  mount_ro: {
    args: [filesystem, mountpoint],
    result: gives.nothing,
    proc: 73,
    since: '1.0.10',
    short: 'mount a filesystem read-only',
    help: 'Like `mount`, but nothing can be written to it. A dirty journal may still have to be replayed, in the appliance also to a drive that is writable.',
  },
  mount_options: {
    args: [mountOptions, filesystem, mountpoint],
    result: gives.nothing,
    proc: 74,
    since: '1.0.10',
    short: 'mount a filesystem with options',
    help: 'Like `mount`, with the mount options of Linux in `options`, joined by commas: `ro`, `noatime`, and those of the filesystem, for instance `noload`. Options that are not known are an error.',
  },
  mount_vfs: {
    args: [
      mountOptions,
      string('vfstype', 'type of the filesystem, by the name that Linux has'),
      filesystem,
      mountpoint,
    ],
    result: gives.nothing,
    proc: 75,
    since: '1.0.10',
    short: 'mount a filesystem of a given type',
    help: 'Like `mount_options`, with the type `vfstype` instead of the one that would be detected.',
  },
  mount_loop: {
    args: [pathname('file', 'file with the filesystem'), pathname('mountpoint', 'directory to mount at')],
    result: gives.nothing,
    proc: 129,
    since: '1.0.54',
    short: 'mount a filesystem that is a file in the guest',
    help: 'Puts the filesystem in the file `file` of the guest, an ISO or squashfs image for example, at `mountpoint`.',
  },
  remount: {
    args: [pathname('mountpoint', 'directory where it is mounted')],
    options: { rw: optional.bool('true for writable, false for read-only; must be given') },
    result: gives.nothing,
    proc: 402,
    since: '1.23.2',
    short: 'make a mounted filesystem read-only or writable',
    help: '`rw` says which of the two, and must be given: without it nothing would change, and that is an error.',
  },
  umount: {
    args: [devOrPathname('pathordevice', 'directory where it is mounted, or the device')],
    options: {
      force: optional.bool('for filesystems that no longer answer'),
      lazyunmount: optional.bool(
        'take it out of the tree at once, and let go of it when it is no longer in use',
      ),
    },
    result: gives.nothing,
    proc: 45,
    since: '0.8',
    aliases: ['unmount', 'umount-opts'],
    short: 'unmount a filesystem',
    help: '`pathordevice` is where it is mounted, or the device it is on. Nothing else may be mounted below. `lazyunmount` takes it out of the tree at once and lets go of it when it is no longer in use; `force` is for filesystems that no longer answer.',
  },
  umount_all: {
    args: [],
    result: gives.nothing,
    proc: 47,
    since: '0.8',
    aliases: ['unmount-all'],
    short: 'unmount everything',
    help: 'Unmounts all filesystems, those deepest in the tree first. Nothing mounted is not an error.',
  },
  mounts: {
    args: [],
    result: gives.mountables,
    proc: 46,
    since: '0.8',
    short: 'list what is mounted',
    help: 'Gives the devices of all mounted filesystems. See `mountpoints` for where they are.',
  },
  mountpoints: {
    args: [],
    result: gives.table('mountable', 'plain'),
    proc: 147,
    since: '1.0.62',
    short: 'list where things are mounted',
    help: 'Gives, for the device of each mounted filesystem, the directory it is mounted at.',
  },
  mkmountpoint: {
    args: [exemptPath],
    result: gives.nothing,
    proc: 148,
    since: '1.0.62',
    short: 'make a directory to mount at before anything is mounted',
    help: 'With these directories outside of any filesystem, several unrelated filesystems can be mounted side by side: `/a` and `/b`, without a root. Unmount them one by one with `umount`, and then use `rmmountpoint`.',
  },
  rmmountpoint: {
    args: [exemptPath],
    result: gives.nothing,
    proc: 149,
    since: '1.0.62',
    short: 'remove a directory made to mount at',
    help: 'Removes what `mkmountpoint` made. Nothing may be mounted there.',
  },
  statvfs: {
    args: [pathname('path', 'any path on the filesystem')],
    result: gives.struct('statvfs'),
    proc: 54,
    since: '1.9.2',
    short: 'tell how full a filesystem is',
    help: 'Gives the numbers for the filesystem that `path` is on: `blocks`, `bfree` and `bavail` are counted in units of `frsize` bytes; `files` and `ffree` in inodes. `bavail` is what users other than root may take.',
  },
  df: {
    args: [],
    result: gives.string,
    proc: 125,
    since: '1.0.54',
    short: 'show how full the mounted filesystems are',
    help: 'The table of the program df, in units of 1024 bytes: for people. Programs use `statvfs`.',
  },
  df_h: {
    args: [],
    result: gives.string,
    proc: 126,
    since: '1.0.54',
    short: 'show how full the mounted filesystems are, in handy units',
    help: 'As `df`, with sizes like `1.5G`. Programs use `statvfs`.',
  },
  mount_9p: {
    args: [string('mounttag', 'tag of the export'), string('mountpoint', 'directory to mount at')],
    options: { options: optional.string('without effect') },
    result: gives.nothing,
    proc: 286,
    since: '1.11.12',
    deprecatedBy: true,
    short: 'do nothing, and fail',
    help: 'Once mounted a directory of the host through the 9p protocol. It always fails now, whatever its `options`, and there is no other way.',
  },
  list_9p: {
    args: [],
    result: gives.strings,
    proc: 285,
    since: '1.11.12',
    deprecatedBy: true,
    short: 'list nothing, and fail',
    help: 'Once listed the directories that the host offered through the 9p protocol. It always fails now.',
  },
  mount_local: {
    args: [string('localmountpoint', 'an empty directory of the host')],
    options: {
      readonly: optional.bool('writing gives EROFS'),
      options: optional.string('mount options of FUSE, joined by commas'),
      cachetimeout: optional.int(
        'seconds for which the entries of directories are remembered; 60 by default',
      ),
      debugcalls: optional.bool('report every request'),
    },
    result: gives.nothing,
    since: '1.17.22',
    short: "make the guest's tree a directory of the host",
    help: "Exports everything that is mounted to the host's directory `localmountpoint`, through FUSE. It starts to answer once `mount_local_run` is called.",
  },
  mount_local_run: {
    args: [],
    result: gives.nothing,
    since: '1.17.22',
    cancellable: true,
    short: 'answer requests to the exported tree',
    help: 'Serves the directory of `mount_local`, and ends when that is unmounted on the host, by fusermount or by `umount_local`.',
  },
  umount_local: {
    args: [],
    options: { retry: optional.bool('try a few times more where the directory is in use') },
    result: gives.nothing,
    since: '1.17.22',
    short: 'take back the exported tree',
    help: 'Unmounts the directory of `mount_local` on the host. If it is in use there, that is an error; with `retry` it is tried a few times more before.',
  },
});
