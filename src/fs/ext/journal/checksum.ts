/**
 * Checksums in the journal. Versions 2 and 3 are CRC-32C of each descriptor block and each data block; version 1 is a
 * big-endian CRC-32 over all blocks of a transaction, stored in its commit block. Specification: the kernel's
 * Documentation/filesystems/ext4/journal.rst.
 */
import { checksumHolds, crc32c, viewOf } from '../../../base/index.js';
import { commitHeader, journalSuperblock, journalTailSize, transactionIdentity } from './layout.js';

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

/** CRC-32C of a block, with the four bytes at `at`, where the sum itself is stored, as zero. */
function sumWithout(seed: number, block: Uint8Array, at: number): number {
  let sum = crc32c(seed, block.subarray(0, at));
  sum = crc32c(sum, new Uint8Array(4));
  return crc32c(sum, block.subarray(at + 4));
}

/** Of a descriptor or revoke block, whose sum is at the end. */
export function tailChecksum(block: Uint8Array, seed: number): number {
  return sumWithout(seed, block, block.length - journalTailSize);
}

export function tailChecksumHolds(block: Uint8Array, seed: number): boolean {
  return checksumHolds(
    tailChecksum(block, seed),
    viewOf(block).getUint32(block.length - journalTailSize, false),
  );
}

export function commitChecksum(block: Uint8Array, seed: number): number {
  return sumWithout(seed, block, commitHeader.fields.h_chksum.at);
}

export function commitChecksumHolds(block: Uint8Array, seed: number): boolean {
  return checksumHolds(
    commitChecksum(block, seed),
    viewOf(block).getUint32(commitHeader.fields.h_chksum.at, false),
  );
}

/** Of the 1024 bytes of the journal's superblock. */
export function journalSuperblockChecksum(superblock: Uint8Array): number {
  return sumWithout(0xffffffff, superblock, journalSuperblock.fields.s_checksum.at);
}

/** For a data block in the journal, in the transaction `sequence`. */
export function dataChecksum(block: Uint8Array, sequence: number, seed: number): number {
  return crc32c(crc32c(seed, transactionIdentity.encode({ sequence })), block);
}
