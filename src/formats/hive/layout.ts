/**
 * The structures of a registry hive ("regf", version 1). Microsoft published no specification: the names are those of
 * libhivex. Numbers are little-endian. In a hive, an offset counts from the first bin, which follows the header; here
 * and above it counts from the beginning of the file, as libhivex's handles do.
 */
import { bits64, encodeText, struct, text, u16, u32 } from '../../base/index.js';

/** The header fills one block, and every bin is a number of blocks. */
export const blockLength = 0x1000;

/** What is in front of every offset of a hive. */
export const binsAt = blockLength;

export const HIVE_MAGIC = 'regf';
export const HBIN_MAGIC = 'hbin';

export const header = struct('registry hive header', 'little', 512, () => ({
  magic: text(0, 4),
  sequence1: u32(4),
  sequence2: u32(8),
  major_ver: u32(20),
  minor_ver: u32(24),
  /** The cell of the root key. */
  offset: u32(36),
  /** The length of all bins. */
  blocks: u32(40),
  csum: u32(508),
}));

/** A bin: cells, one behind the other, after this head. */
export const hbin = struct('registry hive bin', 'little', 32, () => ({
  magic: text(0, 4),
  /** Its own offset. */
  offset_first: u32(4),
  page_size: u32(8),
}));

/** What begins a cell: its length, negative while the cell is in use. Cells lie at multiples of this many bytes. */
export const cellHead = 4;

/** Two letters tell what a cell is; lists of values and data have none. */
const cellIdAt = cellHead;
const cellIdLength = 2;

/** The identifier of a cell; empty for a cell that is too short for one. Most of a reader's time goes through here. */
export const idOfCell = (cell: Uint8Array): string =>
  cell.length < cellIdAt + cellIdLength
    ? ''
    : String.fromCharCode(cell[cellIdAt] ?? 0, cell[cellIdAt + 1] ?? 0);

export function writeId(cell: Uint8Array, id: string): void {
  cell.set(encodeText(id), cellIdAt);
}

/** A key, which libhivex calls a node. The name follows. */
export const nk = struct('registry key', 'little', 80, () => ({
  flags: u16(6),
  timestamp: bits64(8),
  parent: u32(20),
  nr_subkeys: u32(24),
  subkey_lf: u32(32),
  subkey_lf_volatile: u32(36),
  nr_values: u32(40),
  vallist: u32(44),
  sk: u32(48),
  classname: u32(52),
  /** In bytes of UTF-16, as the longest name of a value; the longest data are in bytes. */
  max_subkey_name_len: u16(56),
  max_vk_name_len: u32(64),
  max_vk_data_len: u32(68),
  name_len: u16(76),
  classname_len: u16(78),
}));

/** Who may do what with the keys that share it: one of a ring of all of them in the hive. The descriptor follows. */
export const sk = struct('registry security', 'little', 24, () => ({
  sk_next: u32(8),
  sk_prev: u32(12),
  refcount: u32(16),
}));
/** An offset of nothing. */
export const nowhere = 0xffff_ffff;

/** A value. The name follows. */
export const vk = struct('registry value', 'little', 24, () => ({
  name_len: u16(6),
  data_len: u32(8),
  /** The cell of the data, or the data themselves. */
  data_offset: u32(12),
  data_type: u32(16),
  flags: u16(20),
}));
/** Where the data lie that need no cell of their own. */
export const inlineDataAt = 12;
export const longestInlineData = 4;

/** Whether a name has a byte for each character, in Latin-1; otherwise it is UTF-16. */
export const latin1Key = 0x20;
export const latin1Value = 0x01;
export const isLatin1Key = (flags: number): boolean => (flags & latin1Key) !== 0;
export const isLatin1Value = (flags: number): boolean => (flags & latin1Value) !== 0;

/** The highest bit of `data_len` tells that the data are in `data_offset`. */
export const inlineMark = 0x8000_0000;
export const isInlineData = (data_len: number): boolean => data_len >= inlineMark;
export const lengthOfData = (data_len: number): number => data_len % inlineMark;

/** A list of keys, or of such lists: its entries follow. */
export const keyList = struct('list of registry keys', 'little', 8, () => ({ count: u16(6) }));
/** How long an entry of each list is, in bytes: all begin with an offset, and in two of them a hash follows. */
export const keyListEntries: ReadonlyMap<string, number> = new Map([
  ['lf', 8],
  ['lh', 8],
  ['li', 4],
  ['ri', 4],
]);
/** The list whose entries are lists. */
export const listOfLists = 'ri';

export const bigDataId = 'db';
/** Data that are longer than a cell may be: a list of cells. */
export const db = struct('big registry data', 'little', 12, () => ({
  nr_blocks: u16(6),
  blocklist_offset: u32(8),
}));
/** The last bytes of each cell of big data belong to nobody. */
export const bigDataTail = 4;
/** How much is in one of them. Data that are longer are big, where the minor version is this one or above. */
export const bigDataPart = 16_344;
export const bigDataSince = 4;

/** `data_type` of the values that are texts. */
export const textTypes: ReadonlySet<number> = new Set([1, 2, 6]);
export const valueTypes = { binary: 3, dword: 4, dwordBigEndian: 5 } as const;
