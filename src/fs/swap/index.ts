/**
 * Recognises swap areas, with label and UUID, and makes them; they cannot be opened. The rules are those of blkid
 * (util-linux 2.38, `swap` and `swsuspend`).
 */
import { decodeLatin1, decodeText, formatUuid, trimBlanks } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import type { FileSystemDriver } from '../driver.js';
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

export { nameSwap, swapHeader, whyNoSwap } from './format.js';

function readBytes(disk: Disk, offset: number, length: number): Uint8Array {
  const into = new Uint8Array(length);
  disk.read(into, offset);
  return into;
}

/** The label and UUID of a header, if the padding after them is zero. */
function identity(disk: Disk): { label: string; uuid: string } {
  const header = swapHeaderLittle.decode(readBytes(disk, headerOffset, swapHeaderLittle.size));
  if (header.padding_32 !== 0 || header.padding_33 !== 0) return { label: '', uuid: '' };
  const end = header.volume_name.indexOf(0);
  const name = end < 0 ? header.volume_name : header.volume_name.subarray(0, end);
  return {
    label: trimBlanks(decodeText(name)),
    uuid: header.uuid.every((byte) => byte === 0) ? '' : formatUuid(header.uuid),
  };
}

/** Whether bytes can be a header of version 1, in either byte order. */
function isPlausible(disk: Disk): boolean {
  const raw = readBytes(disk, headerOffset, swapHeaderLittle.size);
  const little = swapHeaderLittle.decode(raw);
  return (little.version === 1 || swapHeaderBig.decode(raw).version === 1) && little.last_page !== 0;
}

function isTuxOnIce(disk: Disk): boolean {
  if (disk.size < pageSizes[0]) return false;
  return decodeLatin1(readBytes(disk, 0, tuxOnIceMark.length)) === tuxOnIceMark;
}

/** The signatures at the end of the first page, for each page size. */
function* marks(disk: Disk): Generator<string> {
  for (const pageSize of pageSizes) {
    if (pageSize <= disk.size) yield decodeLatin1(readBytes(disk, pageSize - markSize, markSize));
  }
}

/** Looks for the memory of a hibernating machine. Never throws. */
function probeSuspended(disk: Disk): Probed | undefined {
  const told = (version: string): Probed => ({
    type: 'swsuspend',
    ...identity(disk),
    facts: { VERSION: version, USAGE: 'other' },
  });
  if (isTuxOnIce(disk)) return told('tuxonice');
  for (const mark of marks(disk)) {
    for (const [known, version] of hibernationMarks) if (mark.startsWith(known)) return told(version);
  }
  return undefined;
}

/** Looks for a swap area. Never throws. */
function probeSwap(disk: Disk): Probed | undefined {
  if (isTuxOnIce(disk)) return undefined;
  for (const mark of marks(disk)) {
    const version = swapMarks.get(mark);
    if (version === undefined) continue;
    if (version === '1' && !isPlausible(disk)) return undefined;
    const named = version === '1' ? identity(disk) : { label: '', uuid: '' };
    return { type: 'swap', ...named, facts: { VERSION: version, USAGE: 'other' } };
  }
  return undefined;
}

/** Ten pages: mkswap(8) makes none that is smaller. */
const minimumSize = 10 * 4096;

export const swap: FileSystemDriver = {
  name: 'swap',
  role: 'filesystem',
  types: ['swap'],
  usage: 'other',
  minimumSize,
  probe: probeSwap,
};
export const swsuspend: FileSystemDriver = {
  name: 'swsuspend',
  role: 'filesystem',
  types: ['swsuspend'],
  usage: 'other',
  minimumSize,
  probe: probeSuspended,
};
