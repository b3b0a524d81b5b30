/**
 * The header of a swap area: Linux's `union swap_header` (mkswap(8)). Its first 1024 bytes are left to boot loaders,
 * and a signature is in the last ten bytes of the first page. It has the byte order of the machine that made it.
 */
import { bytes, struct, u32 } from '../../base/index.js';

export const headerOffset = 1024;

const fields = {
  version: u32(0),
  last_page: u32(4),
  nr_badpages: u32(8),
  uuid: bytes(12, 16),
  volume_name: bytes(28, 16),
  /** Words of the padding, which are zero in every real area. */
  padding_32: u32(44 + 32 * 4),
  padding_33: u32(44 + 33 * 4),
};

export const swapHeaderLittle = struct('swap header', 'little', 512, () => fields);
export const swapHeaderBig = struct('swap header', 'big', 512, () => fields);

export const markSize = 10;

/** Linux's page sizes, from 4 KiB to 64 KiB, which give the possible places of the signature. */
export const pageSizes = [4096, 8192, 16384, 32768, 65536] as const;

/** The signature that Linux writes today. */
export const currentMark = 'SWAPSPACE2';

/** Signatures of swap areas, with blkid's version for each. */
export const swapMarks: ReadonlyMap<string, '0' | '1'> = new Map([
  ['SWAP-SPACE', '0'],
  [currentMark, '1'],
]);

/**
 * Prefixes of signatures of swap areas with the memory of a hibernating machine, with blkid's version for each: the
 * kernel's, uswsusp's and an early kernel's.
 */
export const hibernationMarks: ReadonlyMap<string, string> = new Map([
  ['S1SUSPEND', 's1suspend'],
  ['S2SUSPEND', 's2suspend'],
  ['ULSUSPEND', 'ulsuspend'],
  ['LINHIB0001', 'linhib0001'],
]);

/** TuxOnIce keeps the signature of the swap area, and puts its own at the start. */
export const tuxOnIceMark = '\xed\xc3\x02\xe9\x98\x56\xe5\x0c';
