/**
 * Swap areas: which there are, with label and UUID; nothing can be opened. The rules are those of blkid
 * (util-linux 2.38, `swap` and `swsuspend`).
 */
import { decodeLatin1, decodeText, formatUuid } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { FileSystemDriver, Probed } from '../driver.js';
import {
  headerOffset,
  hibernationMarks,
  markSize,
  pageSizes,
  swapHeaderBig,
  swapHeaderLittle,
  swapMarks,
  tuxOnIceMark,
} from './layout.js';

function readBytes(disk: Disk, offset: number, length: number): Uint8Array {
  const into = new Uint8Array(length);
  disk.read(into, offset);
  return into;
}

/** The label and UUID of a header, where what must be zero after them is. */
function identity(disk: Disk): { label: string; uuid: string } {
  const header = swapHeaderLittle.decode(readBytes(disk, headerOffset, swapHeaderLittle.size));
  if (header.padding_32 !== 0 || header.padding_33 !== 0) return { label: '', uuid: '' };
  const end = header.volume_name.indexOf(0);
  const name = end < 0 ? header.volume_name : header.volume_name.subarray(0, end);
  return {
    label: decodeText(name).replace(/[ \t\n\v\f\r]+$/, ''),
    uuid: header.uuid.every((byte) => byte === 0) ? '' : formatUuid(header.uuid),
  };
}

/** Whether a header of version 1 can be one, in either byte order. */
function isPlausible(disk: Disk): boolean {
  const raw = readBytes(disk, headerOffset, swapHeaderLittle.size);
  const little = swapHeaderLittle.decode(raw);
  return (little.version === 1 || swapHeaderBig.decode(raw).version === 1) && little.last_page !== 0;
}

/** Looks for a swap area on a disk. Never throws on any bytes. */
function probe(disk: Disk): Probed | undefined {
  if (disk.size < pageSizes[0]) return undefined;
  if (decodeLatin1(readBytes(disk, 0, tuxOnIceMark.length)) === tuxOnIceMark) {
    return { type: 'swsuspend', ...identity(disk), facts: { VERSION: 'tuxonice', USAGE: 'other' } };
  }
  for (const pageSize of pageSizes) {
    if (pageSize > disk.size) return undefined;
    const mark = decodeLatin1(readBytes(disk, pageSize - markSize, markSize));
    const version = swapMarks.get(mark);
    if (version !== undefined) {
      if (version === '1' && !isPlausible(disk)) continue;
      const named = version === '1' ? identity(disk) : { label: '', uuid: '' };
      return { type: 'swap', ...named, facts: { VERSION: version, USAGE: 'other' } };
    }
    for (const [known, kind] of hibernationMarks) {
      if (!mark.startsWith(known)) continue;
      return { type: 'swsuspend', ...identity(disk), facts: { VERSION: kind, USAGE: 'other' } };
    }
  }
  return undefined;
}

export const swap: FileSystemDriver = { name: 'swap', types: ['swap'], probe };
