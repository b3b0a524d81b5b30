/**
 * The header of a swap area: Linux's `union swap_header` (mkswap(8)). Its first 1024 bytes are left to boot loaders, and a
 * mark lies in the last ten bytes of the first page. It is in the byte order of the machine that made it.
 */
import { bytes, struct, u32 } from '../../base/index.js';

export const headerOffset = 1024;

const fields = {
  version: u32(0),
  last_page: u32(4),
  nr_badpages: u32(8),
  uuid: bytes(12, 16),
  volume_name: bytes(28, 16),
  /** Words of the padding that are zero in every area there is. */
  padding_32: u32(44 + 32 * 4),
  padding_33: u32(44 + 33 * 4),
};

export const swapHeaderLittle = struct('swap header', 'little', 512, fields);
export const swapHeaderBig = struct('swap header', 'big', 512, fields);

export const markSize = 10;

/** The sizes of pages that Linux has had, from 4 KiB to 64 KiB: where the mark may be. */
export const pageSizes = [4096, 8192, 16384, 32768, 65536] as const;

/** Marks of swap areas, with the version that blkid tells. */
export const swapMarks: ReadonlyMap<string, '0' | '1'> = new Map([
  ['SWAP-SPACE', '0'],
  ['SWAPSPACE2', '1'],
]);

/**
 * Beginnings of marks of swap areas that hold the memory of a hibernating machine, with the version that blkid tells: the
 * kernel's, uswsusp's and an early kernel's.
 */
export const hibernationMarks: ReadonlyMap<string, string> = new Map([
  ['S1SUSPEND', 's1suspend'],
  ['S2SUSPEND', 's2suspend'],
  ['ULSUSPEND', 'ulsuspend'],
  ['LINHIB0001', 'linhib0001'],
]);

/** TuxOnIce leaves the mark of the swap area in place, and puts its own at the start. */
export const tuxOnIceMark = '\xed\xc3\x02\xe9\x98\x56\xe5\x0c';
