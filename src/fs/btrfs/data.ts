/** The contents of an inode as a disk. */
import { GuestfsError, lzoSegmentLength, UnsupportedError } from '../../base/index.js';
import {
  type Codec,
  type Disk,
  type Lookup,
  MappedDisk,
  type Mapping,
  MemoryDisk,
} from '../../disk/index.js';
import { type Compression, type Extent, extentAt } from './extents.js';
import { type Inode, inodeName } from './inode.js';
import type { BtrfsVolume } from './volume.js';

type EncodedUnit = Extract<Mapping, { kind: 'encoded' }>['unit'];

const codecs: Readonly<Record<Compression, Codec>> = { zlib: 'zlib', zstd: 'zstd', lzo: 'lzo-segments' };

/** The contents of a regular file. Other kinds are EISDIR or EINVAL. */
export function openFile(volume: BtrfsVolume, inode: Inode): Disk {
  const name = inodeName(inode.tree, inode.number);
  if (inode.kind === 'directory') throw new GuestfsError('EISDIR', `${name}: is a directory`);
  if (inode.kind !== 'file') throw new GuestfsError('EINVAL', `${name}: not a regular file`);
  return contentsOf(volume, inode);
}

/** The contents of any inode that has some. */
export function contentsOf(volume: BtrfsVolume, inode: Inode): Disk {
  const size = inode.stat.sizeInBytes;
  if (size === 0) return new MemoryDisk(new Uint8Array(0));
  const name = inodeName(inode.tree, inode.number);
  const { data } = volume;
  const { sectorSize } = volume.superblock;
  let last: Extent | undefined;
  const unitOf = (extent: Exclude<Extent, { kind: 'hole' }>, compression: Compression): EncodedUnit => {
    if (compression === 'lzo' && sectorSize !== lzoSegmentLength)
      throw new UnsupportedError(name, [`LZO in sectors of ${sectorSize} bytes`], { elsewhere: 'appliance' });
    // A writer that pads the last sector of a file compresses the padding too.
    const whole = extent.kind === 'inline' ? extent.length : extent.wholeLength;
    const decodedSize = Math.ceil(whole / sectorSize) * sectorSize;
    const place =
      extent.kind === 'inline'
        ? { disk: new MemoryDisk(extent.bytes.slice()), offset: 0, size: extent.bytes.length }
        : { disk: data, offset: extent.address, size: extent.storedLength };
    return {
      key: `${extent.offset}/${place.offset}`,
      codec: codecs[compression],
      ...place,
      decodedSize,
      shortfall: 'zeroes',
    };
  };
  const lookup: Lookup = (offset) => {
    if (last === undefined || offset < last.offset || offset >= last.offset + last.length)
      last = extentAt(inode, offset, size);
    const extent = last;
    const inExtent = offset - extent.offset;
    const length = extent.length - inExtent;
    if (extent.kind === 'hole') return { kind: 'hole', length };
    const skip = inExtent + (extent.kind === 'inline' ? 0 : extent.skip);
    if (extent.compression !== undefined)
      return { kind: 'encoded', length, unit: unitOf(extent, extent.compression), skip };
    if (extent.kind === 'inline')
      return { kind: 'data', length, disk: new MemoryDisk(extent.bytes.slice()), offset: skip };
    return { kind: 'data', length, disk: data, offset: extent.address + skip };
  };
  return new MappedDisk(size, lookup, { name });
}
