/**
 * A registry hive for reading, as libhivex reads one: logs are ignored, also of a hive that was not written completely.
 * A node (a key) and a value are known by the offsets of their cells in the file, which are libhivex's handles too.
 */
import {
  type ByteSource,
  CorruptError,
  checksumHolds,
  decodeLatin1,
  GuestfsError,
  readMaybe,
  UnsupportedError,
  viewOf,
  work,
} from '../../base/index.js';
import { Bins, type Cell, type Cells } from './bins.js';
import {
  bigDataId,
  bigDataTail,
  binsAt,
  cellHead,
  db,
  HIVE_MAGIC,
  header,
  inlineDataAt,
  isInlineData,
  isLatin1Key,
  isLatin1Value,
  keyList,
  keyListEntries,
  lengthOfData,
  listOfLists,
  longestInlineData,
  nk,
  textTypes,
  valueTypes,
  vk,
} from './layout.js';

interface HiveOptions {
  /** Reads on behind damage, and leaves out what is wrong: libhivex's `unsafe`. */
  readonly tolerant?: boolean;
  /** The cells of a hive that is changed, which were checked. */
  readonly cells?: Cells;
}

export class Hive {
  /** The node of the root key. */
  readonly root: number;
  readonly #bins: Cells;
  readonly #source: ByteSource;
  readonly #tolerant: boolean;

  /**
   * Opens a hive. CorruptError for other files, and for damage: a tolerant reader meets damage only where it reads.
   */
  constructor(source: ByteSource, { tolerant = false, cells }: HiveOptions = {}) {
    const { offset, blocks } = readHeader(source);
    this.#source = source;
    this.#tolerant = tolerant;
    this.#bins = cells ?? openBins(source, blocks, tolerant);
    this.root = binsAt + offset;
    if (this.#find(this.root, 'nk') === undefined)
      throw new CorruptError('registry hive', 'has no root key where the header says', { at: this.root });
  }

  nodeName(node: number): string {
    return nameOfKey(this.#node(node));
  }

  /** What the key itself says of its parent. For the root this is nothing that can be relied on. */
  nodeParent(node: number): number {
    const parent = binsAt + nk.get(this.#node(node).view, 0, 'parent');
    return this.#bins.get(parent, 'parent of a registry key').at;
  }

  /** In the order of the hive, which is mostly that of their names. */
  nodeChildren(node: number): number[] {
    const { view } = this.#node(node);
    const count = nk.get(view, 0, 'nr_subkeys');
    if (count === 0) return [];
    const children = this.#listedKeys(binsAt + nk.get(view, 0, 'subkey_lf'), count);
    if (children.length !== count && !this.#tolerant)
      throw new CorruptError('registry key', 'has another number of subkeys than it says', {
        node,
        count,
        found: children.length,
      });
    return children;
  }

  /** The child of a name, in which only ASCII's letters may have another case. */
  nodeGetChild(node: number, name: string): number | undefined {
    const wanted = foldAscii(name);
    return this.nodeChildren(node).find((child) => {
      work.entries.spend(1);
      return this.#isCalled(this.#node(child), wanted, nameOfKey);
    });
  }

  nodeValues(node: number): number[] {
    const { view } = this.#node(node);
    const count = nk.get(view, 0, 'nr_values');
    if (count === 0) return [];
    const list = this.#bins.get(binsAt + nk.get(view, 0, 'vallist'), 'list of registry values');
    if (cellHead + count * 4 > list.bytes.length)
      throw new CorruptError('list of registry values', 'is longer than its cell', { node, count });
    const values: number[] = [];
    for (let i = 0; i < count; i++) {
      work.entries.spend(1);
      const at = binsAt + list.view.getUint32(cellHead + i * 4, true);
      if (this.#find(at, 'vk') !== undefined) values.push(at);
      else if (!this.#tolerant)
        throw new CorruptError('list of registry values', 'has an entry that is no value', { node, at });
    }
    return values;
  }

  /** The value of a name, compared as the names of children; the empty name is the default value's. */
  nodeGetValue(node: number, key: string): number | undefined {
    const wanted = foldAscii(key);
    return this.nodeValues(node).find((value) => this.#isCalled(this.#value(value), wanted, nameOfValue));
  }

  /** The node that names lead to from the root. */
  findNode(...names: readonly string[]): number | undefined {
    let node: number | undefined = this.root;
    for (const name of names) if (node !== undefined) node = this.nodeGetChild(node, name);
    return node;
  }

  valueKey(value: number): string {
    return nameOfValue(this.#value(value));
  }

  valueType(value: number): number {
    return vk.get(this.#value(value).view, 0, 'data_type');
  }

  /** Whether the type of a value is a text's. */
  isText(value: number): boolean {
    return textTypes.has(this.valueType(value));
  }

  /** The bytes of a value; a copy. */
  valueData(value: number): Uint8Array {
    const { view, bytes } = this.#value(value);
    const data_len = vk.get(view, 0, 'data_len');
    const length = lengthOfData(data_len);
    if (isInlineData(data_len)) {
      if (length > longestInlineData)
        throw new CorruptError('registry value', 'has more data than it has room for', { value, length });
      return bytes.slice(inlineDataAt, inlineDataAt + length);
    }
    if (length === 0) return new Uint8Array();
    if (length > this.#source.size)
      throw new CorruptError('registry value', 'is longer than the hive', { value, length });
    work.bytes.spend(length);
    const cell = this.#bins.get(binsAt + vk.get(view, 0, 'data_offset'), 'data of a registry value');
    if (length <= cell.bytes.length - cellHead) return cell.bytes.slice(cellHead, cellHead + length);
    if (cell.id !== bigDataId || cell.bytes.length < db.size)
      throw new CorruptError('registry value', 'is longer than the cell of its data', { value, length });
    return this.#bigData(cell, length);
  }

  /** The text of a value, up to its first zero. EINVAL if the type is none of a text's. */
  valueText(value: number): string {
    if (!this.isText(value))
      throw new GuestfsError(
        'EINVAL',
        `${value}: the value has the type ${this.valueType(value)}, which is no text`,
      );
    const data = this.valueData(value);
    let end = 0;
    while (end + 1 < data.length && (data[end] !== 0 || data[end + 1] !== 0)) end += 2;
    return decodeUtf16(data.subarray(0, end), 'registry value');
  }

  /** The number of a value of 32 bits, signed as in libhivex; undefined for a value of another type. */
  valueNumber(value: number): number | undefined {
    const type = this.valueType(value);
    if (type !== valueTypes.dword && type !== valueTypes.dwordBigEndian) return undefined;
    const data = this.valueData(value);
    return data.length < 4 ? undefined : viewOf(data).getInt32(0, type === valueTypes.dword);
  }

  /** The cell of a node. EINVAL for a number that is no node's: it came from the caller. */
  #node(node: number): Cell {
    const cell = this.#find(node, 'nk');
    if (cell === undefined) throw new GuestfsError('EINVAL', `${node}: no node of the hive that is open`);
    return cell;
  }

  #value(value: number): Cell {
    const cell = this.#find(value, 'vk');
    if (cell === undefined) throw new GuestfsError('EINVAL', `${value}: no value of the hive that is open`);
    return cell;
  }

  #find(at: number, id: 'nk' | 'vk'): Cell | undefined {
    const cell = this.#bins.find(at);
    const { size } = id === 'nk' ? nk : vk;
    return cell !== undefined && cell.id === id && cell.bytes.length >= size ? cell : undefined;
  }

  #isCalled(cell: Cell, wanted: string, nameOf: (cell: Cell) => string): boolean {
    try {
      return foldAscii(nameOf(cell)) === wanted;
    } catch (thrown) {
      if (this.#tolerant && thrown instanceof CorruptError) return false;
      throw thrown;
    }
  }

  /** The keys of a list, or of all lists in a list. Each list is read once, and no more keys than `limit`. */
  #listedKeys(first: number, limit: number): number[] {
    const keys: number[] = [];
    const seen = new Set<number>();
    const pending = [first];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      if (this.#tolerant && at !== first && this.#bins.find(at) === undefined) continue;
      const { id, bytes, view } = this.#bins.get(at, 'list of registry keys');
      if (seen.has(at)) throw new CorruptError('list of registry keys', 'contains itself', { at });
      seen.add(at);
      const entryLength = keyListEntries.get(id);
      if (entryLength === undefined || bytes.length < keyList.size)
        throw new CorruptError('list of registry keys', 'is no such list', { at });
      const count = keyList.get(view, 0, 'count');
      if (keyList.size + count * entryLength > bytes.length)
        throw new CorruptError('list of registry keys', 'is longer than its cell', { at, count });
      const entries: number[] = [];
      for (let i = 0; i < count; i++) {
        work.entries.spend(1);
        entries.push(binsAt + view.getUint32(keyList.size + i * entryLength, true));
      }
      // The last list that waits is the next one, so that the keys stay in order.
      if (id === listOfLists) pending.push(...entries.reverse());
      else this.#addKeys(keys, entries, limit);
    }
    return keys;
  }

  #addKeys(keys: number[], entries: readonly number[], limit: number): void {
    for (const at of entries) {
      if (this.#find(at, 'nk') === undefined) {
        if (this.#tolerant) continue;
        throw new CorruptError('list of registry keys', 'has an entry that is no key', { at });
      }
      if (keys.length >= limit) {
        if (this.#tolerant) return;
        throw new CorruptError('registry key', 'has more subkeys than it says', { limit });
      }
      keys.push(at);
    }
  }

  /** Data in several cells. Where they hold less than the value says, less is given. */
  #bigData(cell: Cell, length: number): Uint8Array {
    const { nr_blocks, blocklist_offset } = db.decode(cell.view);
    const list = this.#bins.get(binsAt + blocklist_offset, 'list of big registry data');
    if (cellHead + nr_blocks * 4 > list.bytes.length)
      throw new CorruptError('list of big registry data', 'is longer than its cell', {
        at: list.at,
        nr_blocks,
      });
    const data = new Uint8Array(length);
    let filled = 0;
    for (let i = 0; i < nr_blocks && filled < length; i++) {
      work.entries.spend(1);
      const block = this.#bins.get(
        binsAt + list.view.getUint32(cellHead + i * 4, true),
        'block of big registry data',
      );
      const part = block.bytes.subarray(cellHead, Math.max(cellHead, block.bytes.length - bigDataTail));
      data.set(part.subarray(0, length - filled), filled);
      filled += Math.min(part.length, length - filled);
    }
    return data.subarray(0, filled);
  }
}

function openBins(source: ByteSource, length: number, tolerant: boolean): Bins {
  const bins = new Bins(source, length);
  if (!tolerant) bins.checkAll();
  return bins;
}

/** The header of a hive. CorruptError for other files, UnsupportedError for other versions. */
export function readHeader(source: ByteSource): ReturnType<typeof header.decode> {
  const bytes = readMaybe(source, 0, header.size);
  if (bytes === undefined) throw new CorruptError('registry hive', 'is too short', { size: source.size });
  const decoded = header.decode(bytes);
  const { magic, major_ver, csum } = decoded;
  if (magic !== HIVE_MAGIC)
    throw new CorruptError(
      'registry hive',
      `does not begin with "${HIVE_MAGIC}": it is another kind of file`,
    );
  if (major_ver !== 1) throw new UnsupportedError('registry hive', [`version ${major_ver}`]);
  if (!checksumHolds(sumOf(bytes), csum))
    throw new CorruptError('registry hive header', 'has a wrong checksum');
  return decoded;
}

/** The exclusive or of all words in front of the sum. */
export function sumOf(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  let sum = 0;
  for (let at = 0; at < header.fields.csum.at; at += 4) sum ^= view.getUint32(at, true);
  return sum >>> 0;
}

function nameOfKey({ bytes, view, at }: Cell): string {
  const end = nk.size + nk.get(view, 0, 'name_len');
  if (end > bytes.length) throw new CorruptError('name of a registry key', 'is longer than its cell', { at });
  return decodeName(bytes.subarray(nk.size, end), isLatin1Key(nk.get(view, 0, 'flags')), 'registry key');
}

function nameOfValue({ bytes, view, at }: Cell): string {
  const end = vk.size + vk.get(view, 0, 'name_len');
  if (end > bytes.length)
    throw new CorruptError('name of a registry value', 'is longer than its cell', { at });
  return decodeName(bytes.subarray(vk.size, end), isLatin1Value(vk.get(view, 0, 'flags')), 'registry value');
}

/** A name ends at a zero, as the texts of libhivex's callers do. */
function decodeName(bytes: Uint8Array, isLatin1: boolean, what: string): string {
  const name = isLatin1 ? decodeLatin1(bytes) : decodeUtf16(bytes, what);
  const end = name.indexOf('\0');
  return end < 0 ? name : name.slice(0, end);
}

function decodeUtf16(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new CorruptError(what, 'has a text that is no UTF-16', { length: bytes.length });
  }
}

const foldAscii = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
