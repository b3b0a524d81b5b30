/** The contents of an inode as a disk: its blocks, or the bytes inside the inode (inline data). */
import { CorruptError, GuestfsError, UnsupportedError } from '../../base/index.js';
import { type Disk, type Lookup, MappedDisk, MemoryDisk } from '../../disk/index.js';
import { blockMapOf } from './blockmap.js';
import { readInlineData } from './inline.js';
import { type Inode, inodeName } from './inode.js';
import { inodeFlags } from './layout.js';
import { has } from './superblock.js';
import type { ExtVolume } from './volume.js';

/** The bytes of an inode up to its size, whatever its kind. Throws UnsupportedError for an encrypted one. */
export function openData(volume: ExtVolume, inode: Inode): Disk {
  checkUnencrypted(inode);
  const name = inodeName(inode.number);
  const size = inode.stat.sizeInBytes;
  if (has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL)) return openInline(readInlineData(inode), size, name);
  if (size === 0) return new MemoryDisk(new Uint8Array(0));
  const { disk } = volume;
  const { blockSize } = volume.superblock;
  const map = blockMapOf(volume, inode);
  const lookup: Lookup = (offset, length) => {
    const skip = offset % blockSize;
    const run = map.find((offset - skip) / blockSize, Math.ceil((skip + length) / blockSize));
    const runLength = run.count * blockSize - skip;
    return run.block === undefined
      ? { kind: 'hole', length: runLength }
      : { kind: 'data', length: runLength, disk, offset: run.block * blockSize + skip };
  };
  return new MappedDisk(size, lookup, { name });
}

/** A file that was made longer without being written has fewer inline bytes than its size: the rest is zero. */
function openInline(bytes: Uint8Array, size: number, name: string): Disk {
  if (size <= bytes.length) return new MemoryDisk(bytes.subarray(0, size));
  const disk = new MemoryDisk(bytes);
  return new MappedDisk(
    size,
    (offset) =>
      offset < bytes.length
        ? { kind: 'data', length: bytes.length - offset, disk, offset }
        : { kind: 'hole', length: size - offset },
    { name },
  );
}

function checkUnencrypted({ kind, flags, number }: Inode): void {
  if (kind === 'file' && has(flags, inodeFlags.EXT4_ENCRYPT_FL))
    throw new UnsupportedError(inodeName(number), ['encrypt: the contents of this file are encrypted'], {
      elsewhere: 'nowhere',
    });
}

/** EISDIR or EINVAL for what is no regular file, UnsupportedError for an encrypted one. */
export function checkFile(inode: Inode): void {
  const { kind, number } = inode;
  if (kind === 'directory') throw new GuestfsError('EISDIR', `${inodeName(number)}: is a directory`);
  if (kind !== 'file') throw new GuestfsError('EINVAL', `${inodeName(number)}: not a regular file`);
  checkUnencrypted(inode);
}

/** The contents of a regular file. Other kinds are EISDIR or EINVAL. */
export function openFile(volume: ExtVolume, inode: Inode): Disk {
  checkFile(inode);
  return openData(volume, inode);
}

/** At most `limit` bytes of an inode that must not be longer: symbolic links, attribute values. */
export function readContents(volume: ExtVolume, inode: Inode, limit: number): Uint8Array {
  const size = inode.stat.sizeInBytes;
  if (size > limit)
    throw new CorruptError(inodeName(inode.number), 'is too long for its kind', { size, limit });
  const bytes = new Uint8Array(size);
  openData(volume, inode).read(bytes, 0);
  return bytes;
}
