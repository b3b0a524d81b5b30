/**
 * Lines for sfdisk, as far as they are plain: `start,size,type,bootable`, in sectors or whole MiB and GiB. What sfdisk
 * of util-linux 2.38 makes of others is its own affair.
 */
import { GuestfsError, UnsupportedError } from '../base/index.js';
import type { SectorRange } from './editing/editor.js';
import { extendedTypes, linuxType } from './layout.js';

export interface ScriptedPartition {
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

/** What a line says of one partition; undefined where it leaves the choice. */
interface ScriptLine {
  /** Sectors. */
  readonly first: number | undefined;
  /** Sectors; `rest`: all that is free. */
  readonly size: number | 'rest' | undefined;
  /** The size is in MiB or GiB: sfdisk then moves an end that is within a MiB. */
  readonly isCoarse: boolean;
  readonly mbrId: number | undefined;
  readonly bootable: boolean | undefined;
}

function refused(what: string): UnsupportedError {
  return new UnsupportedError('sfdisk', [what], { elsewhere: 'appliance' });
}

const refusedLine = (words: string): UnsupportedError => refused(`the line “${words}”`);

const isComment = (words: string): boolean => words === '' || words.startsWith('#');

/** UnsupportedError for what is not plain. */
function readLine(words: string, sectorSize: number): ScriptLine {
  const match = line.exec(words);
  if (match === null) throw refusedLine(words);
  const [, start = '', count, suffix = '', type = '', mark = ''] = match;
  const scale = units[suffix];
  const size =
    count === '' || count === undefined ? undefined : (Number(count) * (scale ?? sectorSize)) / sectorSize;
  const mbrId = type === '' ? undefined : (letters[type] ?? Number.parseInt(type, 16));
  const isPlain =
    (size === undefined ? suffix === '' : size >= 1) &&
    mbrId !== 0 &&
    (mbrId === undefined || !extendedTypes.has(mbrId));
  if (!isPlain) throw refusedLine(words);
  return {
    first: start === '' ? undefined : Number(start),
    size: size ?? (/[,;]\s*\+/.test(words) ? 'rest' : undefined),
    isCoarse: scale !== undefined,
    mbrId,
    bootable: mark === '' ? undefined : mark === '*',
  };
}

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
    if (isComment(words)) continue;
    const said = readLine(words, sectorSize);
    const { first = next, size = 'rest', mbrId = linuxType, bootable = false } = said;
    if (said.isCoarse && first % unit !== 0) throw refusedLine(words);
    const last = size === 'rest' ? sectors - 1 : first + size - 1;
    const isInside = last >= first && last < sectors && first >= Math.max(1, found.at(-1)?.last ?? 0);
    if (!isInside || found.length === mostPartitions) throw refusedLine(words);
    if (bootable && found.some((each) => each.bootable)) throw refusedLine(words);
    found.push({ first, last, mbrId, bootable });
    next = Math.ceil((last + 1) / unit) * unit;
  }
  if (found.length === 0) throw refused('a script without a partition');
  return found;
}

/** The primary partitions of an MBR, by number. */
export type Primaries = ReadonlyMap<number, ScriptedPartition>;

/** Places that no partition has, in order: all that is behind the first MiB. */
function* freeRanges(taken: Iterable<SectorRange>, from: number, sectors: number): Generator<SectorRange> {
  let first = from;
  for (const range of [...taken].sort((a, b) => a.first - b.first)) {
    if (range.first > first) yield { first, last: range.first - 1 };
    first = Math.max(first, range.last + 1);
  }
  if (first < sectors) yield { first, last: sectors - 1 };
}

/**
 * What `sfdisk -N` makes of a partition by one line: what the line leaves out stays as it is, and a partition stays
 * between its neighbours. One that is not there is made, where there is room first. Undefined for an empty line. EINVAL
 * for a place that is not free, UnsupportedError for what else sfdisk may know.
 */
export function changeByLine(
  text: string,
  number: number,
  primaries: Primaries,
  sectors: number,
  sectorSize: number,
): ScriptedPartition | undefined {
  const words = text.trim();
  if (isComment(words)) return undefined;
  if (number > mostPartitions || [...primaries.values()].some(({ mbrId }) => extendedTypes.has(mbrId)))
    throw refused('an extended partition');
  const unit = mebibyte / sectorSize;
  const said = readLine(words, sectorSize);
  const old = primaries.get(number);
  const others = [...primaries].filter(([each]) => each !== number).map(([, each]) => each);
  if (said.bootable === true && others.some(({ bootable }) => bootable)) throw refusedLine(words);
  if (said.isCoarse && (said.first ?? old?.first ?? 0) % unit !== 0) throw refusedLine(words);
  const kept = {
    mbrId: said.mbrId ?? old?.mbrId ?? linuxType,
    bootable: said.bootable ?? old?.bootable ?? false,
  };
  if (old !== undefined) {
    const { first = old.first } = said;
    const free = [...freeRanges(others, unit, sectors)].find(
      (range) => range.first <= old.first && old.first <= range.last,
    );
    if (said.first === undefined && said.size === undefined) return { ...old, ...kept };
    if (free === undefined) throw refusedLine(words); // it begins in the first MiB
    const last = said.size === 'rest' ? free.last : first + (said.size ?? old.last - old.first + 1) - 1;
    if (first < free.first || last > free.last || last < first)
      throw new GuestfsError(
        'EINVAL',
        `partition ${number} cannot have sectors ${first} to ${last}: between its neighbours are ${free.first} to ${free.last}`,
      );
    return { first, last, ...kept };
  }
  const place = placeOf(words, said, others, unit, sectors);
  if (place === undefined)
    throw new GuestfsError('EINVAL', `partition ${number}: there is no such free place for it`);
  return { ...place, ...kept };
}

/** Where a new partition goes. */
function placeOf(
  words: string,
  { first, size }: ScriptLine,
  others: readonly SectorRange[],
  unit: number,
  sectors: number,
): SectorRange | undefined {
  if (first !== undefined) {
    const free = [...freeRanges(others, 1, sectors)].find(
      (range) => range.first <= first && first <= range.last,
    );
    if (first >= sectors) return undefined;
    if (free === undefined) throw refusedLine(words); // sfdisk may go to the next free place
    const last = typeof size === 'number' ? first + size - 1 : free.last;
    return last <= free.last ? { first, last } : undefined;
  }
  for (const free of freeRanges(others, unit, sectors)) {
    const aligned = Math.ceil(free.first / unit) * unit;
    const last = typeof size === 'number' ? aligned + size - 1 : free.last;
    if (aligned <= free.last && last <= free.last) return { first: aligned, last };
  }
  return undefined;
}
