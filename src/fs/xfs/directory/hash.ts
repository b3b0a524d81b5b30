/** The hash of names in directories and of attributes (the kernel's fs/xfs/libxfs/xfs_da_btree.c, xfs_da_hashname). */

function rotate(hash: number, bits: number): number {
  return (hash << bits) | (hash >>> (32 - bits));
}

/** The hash of a name's bytes; 32 bits. */
export function hashName(name: Uint8Array): number {
  let hash = 0;
  let at = 0;
  const byte = (skip: number): number => name[at + skip] ?? 0;
  for (; at + 4 <= name.length; at += 4)
    hash = (byte(0) << 21) ^ (byte(1) << 14) ^ (byte(2) << 7) ^ byte(3) ^ rotate(hash, 28);
  switch (name.length - at) {
    case 3:
      hash = (byte(0) << 14) ^ (byte(1) << 7) ^ byte(2) ^ rotate(hash, 21);
      break;
    case 2:
      hash = (byte(0) << 7) ^ byte(1) ^ rotate(hash, 14);
      break;
    case 1:
      hash = byte(0) ^ rotate(hash, 7);
      break;
  }
  return hash >>> 0;
}

/** A byte of a name without its case: ASCII, and the capital letters of Latin-1. */
function lower(byte: number): number {
  const isCapital =
    (byte >= 0x41 && byte <= 0x5a) || (byte >= 0xc0 && byte <= 0xd6) || (byte >= 0xd8 && byte <= 0xde);
  return isCapital ? byte + 0x20 : byte;
}

/** A name without its case, as filesystems made with `-n version=ci` compare names. */
export function foldName(name: Uint8Array): Uint8Array {
  return name.map(lower);
}

/** The hash of such filesystems: byte by byte. */
export function hashFolded(folded: Uint8Array): number {
  let hash = 0;
  for (const byte of folded) hash = byte ^ rotate(hash, 7);
  return hash >>> 0;
}
