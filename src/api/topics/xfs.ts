/**
 * XFS filesystems.
 */
import { device, devOrPathname, gives, optional, pathname, topic } from '../action.js';

const mounted = devOrPathname('pathordevice', 'a device, or a path on the mounted filesystem');

export const xfs = topic('XFS', {
  xfs_info2: {
    args: [mounted],
    result: gives.table('plain', 'plain'),
    proc: 522,
    since: '1.59.2',
    group: 'xfs',
    short: 'describe the geometry of an XFS filesystem',
    help: 'Gives names and values as the program xfs_info prints them, such as `meta-data.agcount` and `data.bsize`, for a device or the path of a mounted filesystem. All are text.',
  },
  xfs_info: {
    args: [mounted],
    result: gives.struct('xfsinfo'),
    proc: 337,
    since: '1.19.21',
    group: 'xfs',
    deprecatedBy: 'xfs_info2',
    short: 'describe the geometry of an XFS filesystem in fixed fields',
    help: 'Use `xfs_info2`, which can give what newer versions of XFS have.',
  },
  xfs_growfs: {
    args: [pathname('path', 'any path on the filesystem')],
    options: {
      datasec: optional.bool('grow the section for data'),
      logsec: optional.bool('grow the log'),
      rtsec: optional.bool('grow the real-time section'),
      datasize: optional.int64('size of the section for data, in blocks; all there is by default'),
      logsize: optional.int64('size of the log, in blocks; all there is by default'),
      rtsize: optional.int64('size of the real-time section, in blocks; all there is by default'),
      rtextsize: optional.int64('blocks of an extent of the real-time section'),
      maxpct: optional.int('share of the space that inodes may take, in percent'),
    },
    result: gives.nothing,
    proc: 343,
    since: '1.19.28',
    group: 'xfs',
    short: 'grow a mounted XFS filesystem',
    help: 'Grows the filesystem at `path`; XFS cannot shrink. Sections are chosen by `datasec`, `logsec` and `rtsec`, and their sizes given in blocks by `datasize`, `logsize` and `rtsize`; without these each takes all there is. `rtextsize` is the extent of the real-time section in blocks; `maxpct` the share that inodes may take.',
  },
  xfs_admin: {
    args: [device('device', 'device with the filesystem')],
    options: {
      extunwritten: optional.bool('turn on unwritten extents, where that can still be chosen'),
      imgfile: optional.bool('the device holds an image that is a file'),
      v2log: optional.bool('turn on the second version of the log, where that can still be chosen'),
      projid32bit: optional.bool('turn on project numbers of 32 bits, where that can still be chosen'),
      lazycounter: optional.bool('turn on lazy counters in the superblock, or off with false'),
      label: optional.string('label of at most 12 bytes; `--` for none'),
      uuid: optional.string('a UUID, or `nil`, `generate` or `restore`'),
    },
    result: gives.nothing,
    proc: 349,
    since: '1.19.33',
    group: 'xfs',
    short: 'change the parameters of an XFS filesystem',
    help: 'Changes what is given; the filesystem must not be mounted.',
  },
  xfs_repair: {
    args: [devOrPathname('device', 'device with the filesystem, or a file that is an image of one')],
    options: {
      forcelogzero: optional.bool('throw away a log that cannot be replayed, losing its changes'),
      nomodify: optional.bool('change nothing, and tell whether there is damage'),
      noprefetch: optional.bool('do not read ahead'),
      forcegeometry: optional.bool('go on with an odd geometry'),
      maxmem: optional.int64('megabytes to use at most'),
      ihashsize: optional.int64('entries of the cache of inodes'),
      bhashsize: optional.int64('entries of the cache of blocks'),
      agstride: optional.int64('how many allocation groups one thread takes'),
      logdev: optional.string('device of the log, if elsewhere'),
      rtdev: optional.string('device of the real-time section, if elsewhere'),
    },
    result: gives.int,
    proc: 366,
    since: '1.19.36',
    group: 'xfs',
    short: 'check or repair an XFS filesystem',
    help: 'The filesystem must not be mounted. With `nomodify` nothing is changed, and the result is 1 if there is damage and 0 if there is none.',
  },
});
