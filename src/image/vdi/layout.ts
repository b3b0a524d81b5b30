/**
 * On-disk structures of VDI. Sources: qemu's block/vdi.c and VirtualBox's VDICore.h, for the offsets of the fields.
 * Everything is little-endian; offsets and sizes are in bytes.
 */
import { bytes, struct, text, u32, u64 } from '../../base/index.js';

export const signature = 0xbeda_107f;

/** Major 1, minor 1. */
export const version = 0x0001_0001;

export const header = struct('VDI header', 'little', 512, () => ({
  file_info: text(0, 64),
  signature: u32(64),
  version: u32(68),
  header_size: u32(72),
  image_type: u32(76),
  image_flags: u32(80),
  comment: text(84, 256),
  offset_blocks: u32(340),
  offset_data: u32(344),
  sector_size: u32(360),
  disk_size: u64(368),
  block_size: u32(376),
  /** Bytes in front of each block. */
  block_extra: u32(380),
  blocks_in_image: u32(384),
  blocks_allocated: u32(388),
  uuid_create: bytes(392, 16),
  /** Changes when the image is written to. */
  uuid_modify: bytes(408, 16),
  /** Of the parent: its uuid_create. */
  uuid_linkage: bytes(424, 16),
  /** Of the parent: its uuid_modify when the difference was made. */
  uuid_parent_modify: bytes(440, 16),
}));

export const imageType = { dynamic: 1, static: 2, undo: 3, differencing: 4 } as const;

/** An entry of the map: the number of the block in the file. */
export const mapEntry = struct('VDI map entry', 'little', 4, () => ({ block: u32(0) }));
/** Entries of blocks that are not in the file: one that was never written, and one of zeroes. */
export const unallocated = 0xffff_ffff;
export const zeroes = 0xffff_fffe;

export const sectorSize = 512;
export const limits = {
  blockMost: 256 * 1024 * 1024,
  /** Our own limit: how many files near a difference may be looked at for its parent. */
  candidates: 1000,
} as const;
