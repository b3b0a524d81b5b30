/**
 * Checksums in the journal. Versions 2 and 3 are CRC-32C of each descriptor block and each data block; version 1 is a
 * big-endian CRC-32 over all blocks of a transaction, stored in its commit block. Specification: the kernel's
 * Documentation/filesystems/ext4/journal.rst.
 */
import { checksumHolds, crc32c, viewOf } from '../../../base/index.js';
import { commitHeader, journalTailSize, transactionIdentity } from './layout.js';

let table: Int32Array | undefined;

/** Continues a CRC-32 that takes the highest bit first (polynomial 0x04c11db7), unlike the one in base. */
export function crc32BigEndian(crc: number, data: Uint8Array): number {
  table ??= Int32Array.from({ length: 256 }, (_, n) => {
    let c = n << 24;
    for (let k = 0; k < 8; k++) c = c < 0 ? (c << 1) ^ 0x04c11db7 : c << 1;
    return c;
  });
  let c = crc | 0;
  for (const byte of data) c = (c << 8) ^ (table[((c >>> 24) ^ byte) & 0xff] ?? 0);
  return c >>> 0;
}

/** For a descriptor or revoke block: the sum of the whole block, with the sum itself, at the end, as zero. */
export function tailChecksumHolds(block: Uint8Array, seed: number): boolean {
  const at = block.length - journalTailSize;
  const sum = crc32c(crc32c(seed, block.subarray(0, at)), new Uint8Array(journalTailSize));
  return checksumHolds(sum, viewOf(block).getUint32(at, false));
}

/** Of a commit block. */
export function commitChecksumHolds(block: Uint8Array, seed: number): boolean {
  const at = commitHeader.fields.h_chksum.at;
  let sum = crc32c(seed, block.subarray(0, at));
  sum = crc32c(sum, new Uint8Array(4));
  sum = crc32c(sum, block.subarray(at + 4));
  return checksumHolds(sum, viewOf(block).getUint32(at, false));
}

/** For a data block in the journal, in the transaction `sequence`. */
export function dataChecksum(block: Uint8Array, sequence: number, seed: number): number {
  return crc32c(crc32c(seed, transactionIdentity.encode({ sequence })), block);
}
