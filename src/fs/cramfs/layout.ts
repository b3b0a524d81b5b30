/**
 * The structures of cramfs. Specification: the kernel's include/uapi/linux/cramfs_fs.h and
 * Documentation/filesystems/cramfs.rst. All numbers are in the byte order of the machine that made the filesystem.
 */
import { bytes, type Endian, struct, u16, u32 } from '../../base/index.js';

export const CRAMFS_MAGIC = 0x28cd3d45;
/** The superblock lies at the start, or behind a boot sector. */
export const superblockOffsets = [0, 512] as const;

const superblockFields = {
  magic: u32(0),
  size: u32(4),
  flags: u32(8),
  future: u32(12),
  signature: bytes(16, 16),
  crc: u32(32),
  edition: u32(36),
  blocks: u32(40),
  files: u32(44),
  name: bytes(48, 16),
};

/** `struct cramfs_super` without the inode of the root, which follows. */
export const superblock = {
  little: struct('cramfs superblock', 'little', 64, () => superblockFields),
  big: struct('cramfs superblock', 'big', 64, () => superblockFields),
} as const;

/** `super.flags`. Kernels ignore bits below 0x100 that they do not know, and refuse a filesystem with others. */
export const flags = {
  CRAMFS_FLAG_FSID_VERSION_2: 0x0000_0001,
  CRAMFS_FLAG_SORTED_DIRS: 0x0000_0002,
  CRAMFS_FLAG_HOLES: 0x0000_0100,
  CRAMFS_FLAG_WRONG_SIGNATURE: 0x0000_0200,
  CRAMFS_FLAG_SHIFTED_ROOT_OFFSET: 0x0000_0400,
  CRAMFS_FLAG_EXT_BLOCK_POINTERS: 0x0000_0800,
} as const;
export const CRAMFS_SUPPORTED_FLAGS = 0x0000_0fff;

export const inodeSize = 12;

/** A field of bits in one of the 32-bit words of an inode: its word, its width, and its lowest bit by byte order. */
interface BitField extends Readonly<Record<Endian, number>> {
  readonly at: number;
  readonly width: number;
}

/**
 * `struct cramfs_inode`, whose bit fields begin at the lowest bit in little-endian order, and at the highest in
 * big-endian.
 */
const inodeFields = {
  mode: { at: 0, width: 16, little: 0, big: 16 },
  uid: { at: 0, width: 16, little: 16, big: 0 },
  size: { at: 4, width: 24, little: 0, big: 8 },
  gid: { at: 4, width: 8, little: 24, big: 0 },
  namelen: { at: 8, width: 6, little: 0, big: 26 },
  offset: { at: 8, width: 26, little: 6, big: 0 },
} as const satisfies Readonly<Record<string, BitField>>;

export type InodeFields = { readonly [Name in keyof typeof inodeFields]: number };

/** The fields of the inode at `at`, which the caller has checked to lie in the view. */
export function decodeInode(view: DataView, at: number, endian: Endian): InodeFields {
  const get = ({ at: word, width, [endian]: shift }: BitField): number =>
    (view.getUint32(at + word, endian === 'little') >>> shift) & (2 ** width - 1);
  return {
    mode: get(inodeFields.mode),
    uid: get(inodeFields.uid),
    size: get(inodeFields.size),
    gid: get(inodeFields.gid),
    namelen: get(inodeFields.namelen),
    offset: get(inodeFields.offset),
  };
}

/** `namelen` and `offset` count units of this many bytes. */
export const unitSize = 4;
/** CRAMFS_MAXPATHLEN: the longest name, in bytes. */
export const CRAMFS_MAXPATHLEN = 63 * unitSize;

/**
 * Bytes of a file that are compressed together: a page of the machines that cramfs is made for. No field tells the
 * size.
 */
export const blockSize = 4096;

export const pointerSize = 4;
/** Bits of a block pointer, where CRAMFS_FLAG_EXT_BLOCK_POINTERS is set. */
export const CRAMFS_BLK_FLAG_UNCOMPRESSED = 0x8000_0000;
export const CRAMFS_BLK_FLAG_DIRECT_PTR = 0x4000_0000;
export const CRAMFS_BLK_FLAGS = 0xc000_0000;
/** A direct pointer counts units of 2^2 bytes. */
export const directUnitSize = 4;
/** What lies in front of a compressed block to which a direct pointer leads: its length in bytes. */
export const blockHead = {
  little: struct('cramfs block', 'little', 2, () => ({ length: u16(0) })),
  big: struct('cramfs block', 'big', 2, () => ({ length: u16(0) })),
} as const;

/** A slash, which no name has. */
export const slash = 0x2f;
