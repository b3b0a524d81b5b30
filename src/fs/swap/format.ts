/** Makes and names swap areas, and tells whether Linux could swap to one. As mkswap(8) of util-linux 2.38. */
import { encodeText, GuestfsError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { currentMark, headerOffset, markSize, pageSizes, swapHeaderLittle } from './layout.js';

/** The page of the machines that libguestfs runs on. */
const pageSize = pageSizes[0];
/** mkswap makes no smaller area. */
const fewestPages = 10;
/** Pages are counted in 32 bits; what lies behind is not used. */
const mostPages = 0xffffffff;
/** In bytes. The name on the disk ends with a NUL. */
const longestLabel = 15;

interface SwapIdentity {
  /** Empty for none. As in mkswap, bytes after the first fifteen are left out. */
  readonly label: Uint8Array;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
}

/** The first page of a swap area that fills a disk. EINVAL for a disk that is too small. */
export function swapHeader(sizeInBytes: number, { label, uuid }: SwapIdentity): Uint8Array {
  const pages = Math.min(Math.floor(sizeInBytes / pageSize), mostPages);
  if (pages < fewestPages)
    throw new GuestfsError('EINVAL', `a swap area needs at least ${(fewestPages * pageSize) / 1024} KiB`);
  const page = new Uint8Array(pageSize);
  swapHeaderLittle.encode(
    { version: 1, last_page: pages - 1, nr_badpages: 0, uuid, volume_name: storedLabel(label) },
    page,
    headerOffset,
  );
  page.set(encodeText(currentMark), pageSize - markSize);
  return page;
}

/** Gives the swap area on a disk another label, or another UUID, as swaplabel(8) does. */
export function nameSwap(disk: Disk, { label, uuid }: Partial<SwapIdentity>): void {
  const header = new Uint8Array(swapHeaderLittle.size);
  disk.read(header, headerOffset);
  if (uuid !== undefined) swapHeaderLittle.encode({ uuid }, header);
  if (label !== undefined) swapHeaderLittle.encode({ volume_name: storedLabel(label) }, header);
  disk.write(header, headerOffset);
}

/** As on the disk: cut, and with a NUL at its end. */
function storedLabel(label: Uint8Array): Uint8Array {
  const stored = new Uint8Array(longestLabel + 1);
  stored.set(label.subarray(0, longestLabel));
  return stored;
}

/** Why Linux would not swap to a disk; undefined if it would. */
export function whyNoSwap(disk: Disk): string | undefined {
  if (disk.size < pageSize) return 'it is too small for a swap header';
  const page = new Uint8Array(pageSize);
  disk.read(page, 0);
  const mark = encodeText(currentMark);
  if (page.subarray(pageSize - markSize).some((byte, index) => byte !== mark[index]))
    return 'it has no swap header';
  const { version, last_page } = swapHeaderLittle.decode(page, headerOffset);
  if (version !== 1) return 'its swap header is of a version or byte order that is not supported';
  if (last_page === 0) return 'its swap area is empty';
  if ((last_page + 1) * pageSize > disk.size) return 'it is smaller than its swap header says';
  return undefined;
}
