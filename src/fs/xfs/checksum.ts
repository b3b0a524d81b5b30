/**
 * Checksums of version 5: CRC-32C of a whole structure with its own field as zero, inverted, and stored as
 * little-endian (the kernel's fs/xfs/libxfs/xfs_cksum.h).
 */
import { crc32cOfView, viewOf } from '../../base/index.js';

const noChecksum = viewOf(new Uint8Array(4));

/** The sum of the structure of `length` bytes at `base`, whose own field lies `crcAt` bytes in it. */
export function checksumOf(view: DataView, base: number, length: number, crcAt: number): number {
  let sum = crc32cOfView(0xffffffff, view, base, base + crcAt);
  sum = crc32cOfView(sum, noChecksum, 0, 4);
  sum = crc32cOfView(sum, view, base + crcAt + 4, base + length);
  return ~sum >>> 0;
}

export function storedChecksum(view: DataView, base: number, crcAt: number): number {
  return view.getUint32(base + crcAt, true);
}
