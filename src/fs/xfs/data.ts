/** The contents of an inode as a disk. */
import { GuestfsError, UnsupportedError } from '../../base/index.js';
import { type Disk, type Lookup, MappedDisk, MemoryDisk } from '../../disk/index.js';
import { ExtentMap } from './extents.js';
import { type Inode, inodeName } from './inode.js';
import type { XfsVolume } from './volume.js';

/** The contents of a regular file. Other kinds are EISDIR or EINVAL, one on a realtime device UnsupportedError. */
export function openFile(volume: XfsVolume, inode: Inode): Disk {
  const name = inodeName(inode.number);
  if (inode.kind === 'directory') throw new GuestfsError('EISDIR', `${name}: is a directory`);
  if (inode.kind !== 'file') throw new GuestfsError('EINVAL', `${name}: not a regular file`);
  const size = inode.stat.sizeInBytes;
  if (size === 0) return new MemoryDisk(new Uint8Array(0));
  if (inode.isRealtime)
    throw new UnsupportedError(name, ['realtime: the contents of this file are on a realtime device'], {
      elsewhere: 'appliance',
    });
  const { disk } = volume;
  const { blockSize } = volume.superblock;
  const map = new ExtentMap(volume, inode, inode.data);
  const lookup: Lookup = (offset) => {
    const skip = offset % blockSize;
    const run = map.find((offset - skip) / blockSize);
    const length = run.count * blockSize - skip;
    return run.block === undefined
      ? { kind: 'hole', length }
      : { kind: 'data', length, disk, offset: volume.offsetOf(run.block) + skip };
  };
  return new MappedDisk(size, lookup, { name });
}
