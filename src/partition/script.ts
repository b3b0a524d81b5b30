/**
 * Lines for sfdisk, as far as they are plain: `start,size,type,bootable`, in sectors or whole MiB and GiB. What sfdisk
 * of util-linux 2.38 makes of others is its own affair.
 */
import { UnsupportedError } from '../base/index.js';
import { extendedTypes, linuxType } from './layout.js';

interface ScriptedPartition {
  /** Sectors. */
  readonly first: number;
  readonly last: number;
  readonly mbrId: number;
  readonly bootable: boolean;
}

const mebibyte = 1024 * 1024;
const units: Readonly<Record<string, number>> = { M: mebibyte, G: 1024 * mebibyte };
const letters: Readonly<Record<string, number>> = { '': linuxType, L: linuxType, S: 0x82, U: 0xef };
const mostPartitions = 4;
const line =
  /^(\d*)\s*(?:[,;]\s*(?:\+|(\d*)([MG]?))\s*(?:[,;]\s*([LSU]|[\da-f]{2}|[1-46-9]|)\s*(?:[,;]\s*([*-]?)\s*)?)?)?$/;

/**
 * The partitions that lines make on an empty disk of so many sectors: each begins at a whole MiB behind the one before,
 * where no place is given, and has all that is left, where no size is. UnsupportedError for what else sfdisk may know.
 */
export function readScript(
  lines: readonly string[],
  sectors: number,
  sectorSize: number,
): ScriptedPartition[] {
  const unit = mebibyte / sectorSize;
  const found: ScriptedPartition[] = [];
  let next = unit;
  for (const text of lines) {
    const words = text.trim();
    if (words === '' || words.startsWith('#')) continue;
    const refuse = (): never => {
      throw new UnsupportedError('sfdisk', [`the line “${words}”`], { elsewhere: 'appliance' });
    };
    const [, start = '', count = '', suffix = '', type = '', mark = ''] = line.exec(words) ?? refuse();
    const first = start === '' ? next : Number(start);
    const scale = units[suffix];
    const size =
      count === '' ? sectors - first : Number(count) * (scale === undefined ? 1 : scale / sectorSize);
    const last = first + size - 1;
    const mbrId = letters[type] ?? Number.parseInt(type, 16);
    const isExtended = extendedTypes.has(mbrId);
    const isPlain =
      size >= 1 && last < sectors && mbrId !== 0 && !isExtended && (count !== '' || suffix === '');
    if (!isPlain || first < Math.max(1, found.at(-1)?.last ?? 0) || found.length === mostPartitions) refuse();
    if (mark === '*' && found.some(({ bootable }) => bootable)) refuse();
    found.push({ first, last, mbrId, bootable: mark === '*' });
    next = Math.ceil((last + 1) / unit) * unit;
  }
  if (found.length === 0)
    throw new UnsupportedError('sfdisk', ['a script without a partition'], { elsewhere: 'appliance' });
  return found;
}
