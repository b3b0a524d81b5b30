/** The superblock: found, decoded and checked by the rules of Linux's cramfs_read_super. */
import { CorruptError, type Endian, typeOfMode, UnsupportedError, viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import {
  CRAMFS_MAGIC,
  CRAMFS_SUPPORTED_FLAGS,
  decodeInode,
  flags as flagBits,
  type InodeFields,
  inodeSize,
  superblockOffsets,
  superblock as superblocks,
  unitSize,
} from './layout.js';

export interface Superblock {
  readonly endian: Endian;
  /** Where the superblock lies, in bytes. */
  readonly at: number;
  /** Where the inode of the root directory lies, in bytes. */
  readonly rootAt: number;
  readonly root: InodeFields;
  /** The checksum with what it covers; undefined in the first version of the format, which has none. */
  readonly checksum: { readonly crc: number; readonly sizeInBytes: number } | undefined;
  /** Counts for `statvfs`; 0 in the first version of the format. */
  readonly blockCount: number;
  readonly fileCount: number;
  /** Whether block pointers have flags. */
  readonly extendedPointers: boolean;
}

/** Root directories may be read and searched by everybody: makers of filesystems set odd permissions there. */
const rootPermissions = 0o555;

/** The byte order of the superblock that `raw` begins with; undefined where that is none. */
export function byteOrderOf(raw: Uint8Array): Endian | undefined {
  const view = viewOf(raw);
  for (const endian of ['little', 'big'] as const)
    if (superblocks[endian].get(view, 0, 'magic') === CRAMFS_MAGIC) return endian;
  return undefined;
}

/** The first superblock of a disk. CorruptError where there is none. */
function find(disk: Disk): { raw: Uint8Array; at: number; endian: Endian } {
  for (const at of superblockOffsets) {
    const raw = new Uint8Array(superblocks.little.size + inodeSize);
    if (at + raw.length > disk.size) break;
    disk.read(raw, at);
    const endian = byteOrderOf(raw);
    if (endian !== undefined) return { raw, at, endian };
  }
  throw new CorruptError('cramfs superblock', 'is not there', { size: disk.size });
}

/** Names of feature bits that no kernel knows. */
function unknownFeatures(bits: number): string[] {
  const unknown = (bits & ~CRAMFS_SUPPORTED_FLAGS) >>> 0;
  return Array.from({ length: 32 }, (_, bit) => bit)
    .filter((bit) => ((unknown >>> bit) & 1) !== 0)
    .map((bit) => `feature bit ${bit}`);
}

/** Reads and checks the superblock. */
export function readSuperblock(disk: Disk): Superblock {
  const { raw, at, endian } = find(disk);
  const fields = superblocks[endian].decode(raw);
  const features = unknownFeatures(fields.flags);
  if (features.length > 0) throw new UnsupportedError('cramfs', features);
  const isSet = (flag: keyof typeof flagBits): boolean => (fields.flags & flagBits[flag]) !== 0;
  const inode = decodeInode(viewOf(raw), superblocks[endian].size, endian);
  if (typeOfMode(inode.mode) !== 'directory')
    throw new CorruptError('cramfs superblock', 'has a root that is no directory', { mode: inode.mode });
  const rootOffset = inode.offset * unitSize;
  const isUsual = rootOffset === 0 || superblockOffsets.some((start) => rootOffset === start + raw.length);
  if (!isUsual && !isSet('CRAMFS_FLAG_SHIFTED_ROOT_OFFSET'))
    throw new CorruptError('cramfs superblock', 'has a bad root offset', { offset: rootOffset });
  const isSecondVersion = isSet('CRAMFS_FLAG_FSID_VERSION_2');
  return {
    endian,
    at,
    rootAt: at + superblocks[endian].size,
    root: { ...inode, mode: inode.mode | rootPermissions },
    checksum: isSecondVersion ? { crc: fields.crc, sizeInBytes: fields.size } : undefined,
    blockCount: isSecondVersion ? fields.blocks : 0,
    fileCount: isSecondVersion ? fields.files : 0,
    extendedPointers: isSet('CRAMFS_FLAG_EXT_BLOCK_POINTERS'),
  };
}
