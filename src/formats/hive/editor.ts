/**
 * Changes a registry hive in memory, with libhivex's handles. Keys stay in the order in which Windows looks for them, and
 * long data are in parts where Windows wants them so; libhivex does neither.
 */
import { type ByteSource, CorruptError, GuestfsError, UnsupportedError, work } from '../../base/index.js';
import type { Cell } from './bins.js';
import { Hive, readHeader, sumOf } from './hive.js';
import {
  bigDataId,
  bigDataPart,
  bigDataSince,
  bigDataTail,
  binsAt,
  cellHead,
  db,
  header,
  inlineDataAt,
  inlineMark,
  isInlineData,
  keyList,
  keyListEntries,
  latin1Key,
  latin1Value,
  lengthOfData,
  listOfLists,
  longestInlineData,
  nk,
  nowhere,
  sk,
  vk,
  writeId,
} from './layout.js';
import { HiveMemory } from './memory.js';
import { encodeName, hintOf, upperCase } from './names.js';

/** libhivex counts one letter of a name to what is in front of it. */
const firstLetter = 1;
const mostEntries = 0xffff;
const newList = 'lh';

interface NewValue {
  readonly key: string;
  readonly type: number;
  readonly data: Uint8Array;
}

/** A list of keys, and the lists above it with the place of each in the one above. */
interface Leaf {
  readonly at: number;
  readonly above: { readonly list: number; readonly index: number } | undefined;
}

/** Where in a list an entry belongs. */
interface Place {
  readonly leaf: Leaf;
  readonly index: number;
}

export class HiveEditor {
  readonly hive: Hive;
  readonly #memory: HiveMemory;
  readonly #hasBigData: boolean;
  /** Whether data were stored as libhivex does not: what it takes from then on lies elsewhere. */
  differsFromLibhivex = false;

  /** Reads all of a hive. CorruptError for damage; a tolerant one leaves out what is wrong. */
  constructor(source: ByteSource, { tolerant = false } = {}) {
    const { blocks, minor_ver } = readHeader(source);
    this.#memory = new HiveMemory(source, blocks, tolerant);
    this.#hasBigData = minor_ver >= bigDataSince;
    this.hive = new Hive(this.#memory, { tolerant, cells: this.#memory });
  }

  /** Makes a child without values, of the parent's security. EEXIST. */
  addChild(parent: number, name: string): number {
    const { hive } = this;
    if (name === '') throw new GuestfsError('EINVAL', 'a registry key has a name');
    if (hive.nodeGetChild(parent, name) !== undefined)
      throw new GuestfsError('EEXIST', `${name}: the registry key has a child of this name`);
    const { bytes, isLatin1, wideLength } = encodeName(name);
    const security = this.#security(parent);
    if (sk.get(this.#cell(security).view, 0, 'refcount') === 0xffff_ffff)
      throw new CorruptError('registry security', 'has more keys than can be', { at: security });
    const place = this.#placeFor(parent, name);
    const node = this.#memory.allocate(nk.size - cellHead + firstLetter + bytes.length);
    const above = this.#cell(parent).view;
    const cell = this.#cell(node);
    writeId(cell.bytes, 'nk');
    nk.encode(
      {
        flags: isLatin1 ? latin1Key : 0,
        timestamp: nk.get(above, 0, 'timestamp'),
        parent: parent - binsAt,
        subkey_lf: nowhere,
        subkey_lf_volatile: nowhere,
        vallist: nowhere,
        classname: nowhere,
        sk: security - binsAt,
        name_len: bytes.length,
      },
      cell.bytes,
    );
    cell.bytes.set(bytes, nk.size);
    const { view } = this.#cell(security);
    sk.set(view, 0, 'refcount', sk.get(view, 0, 'refcount') + 1);
    this.#insert(parent, place, node, name);
    const changed = this.#cell(parent).view;
    nk.set(changed, 0, 'nr_subkeys', nk.get(changed, 0, 'nr_subkeys') + 1);
    const longest = Math.max(nk.get(changed, 0, 'max_subkey_name_len'), Math.min(wideLength, 0xffff));
    nk.set(changed, 0, 'max_subkey_name_len', longest);
    return node;
  }

  /** Removes a key with all below it. EINVAL for the root. */
  deleteChild(node: number): void {
    const { hive } = this;
    if (node === hive.root) throw new GuestfsError('EINVAL', 'the root of a registry hive cannot be deleted');
    hive.nodeName(node);
    const parent = hive.nodeParent(node);
    const lists = this.#walkLists(parent);
    const place = lists.find(({ at }) => this.#entriesOf(at).includes(node));
    if (place === undefined)
      throw new CorruptError('registry key', 'is not among the children of its parent', { node, parent });
    // All is looked at before the first is given up.
    const doomed = this.#subtree(node);
    const cells = new Set([...doomed, ...doomed.flatMap((each) => [...this.#cellsOf(each)])]);
    const securities = this.#securitiesOf(doomed);
    this.#unlink(parent, place, node, lists);
    const { view } = this.#cell(parent);
    nk.set(view, 0, 'nr_subkeys', Math.max(0, nk.get(view, 0, 'nr_subkeys') - 1));
    for (const [at, count] of securities) this.#leaveSecurity(at, count);
    for (const at of cells) this.#memory.release(at);
  }

  /** Sets a value: the one of that name, in whatever case, or a new one at the end. */
  setValue(node: number, key: string, type: number, data: Uint8Array): void {
    if (type < 0 || type > 0xffff_ffff)
      throw new GuestfsError('EINVAL', `${type}: no type of a registry value`);
    const { hive } = this;
    const folded = foldAscii(key);
    let isNew = true;
    const values = hive.nodeValues(node).map((value): NewValue => {
      const known = hive.valueKey(value);
      if (foldAscii(known) === folded) {
        isNew = false;
        return { key, type, data };
      }
      return { key: known, type: hive.valueType(value), data: hive.valueData(value) };
    });
    if (isNew) values.push({ key, type, data });
    this.#setValues(node, values);
  }

  /** The bytes of the file, of a new sequence: a view that is good until the next change. */
  commit(): Uint8Array {
    const head = this.#memory.bytes(0, header.size);
    const sequence = (header.decode(head).sequence1 + 1) % 2 ** 32;
    header.encode({ sequence1: sequence, sequence2: sequence, blocks: this.#memory.binsLength }, head);
    header.encode({ csum: sumOf(head) }, head);
    return this.#memory.bytes();
  }

  /** As libhivex does, all values of a key are stored anew, so that handles of them are new. */
  #setValues(node: number, values: readonly NewValue[]): void {
    const names = values.map(({ key }) => encodeName(key));
    const old = this.#valueCells(node);
    this.#checkRoom(values);
    for (const at of old) this.#memory.release(at);
    const list = this.#memory.allocate(values.length * 4);
    for (const [i, { type, data }] of values.entries()) {
      // safe: as many names as values
      const { bytes, isLatin1, wideLength } = names[i] as (typeof names)[number];
      const at = this.#memory.allocate(vk.size - cellHead + firstLetter + bytes.length);
      const isShort = data.length <= longestInlineData;
      const dataAt = isShort ? 0 : this.#storeData(data) - binsAt;
      const cell = this.#cell(at);
      writeId(cell.bytes, 'vk');
      vk.encode(
        {
          name_len: bytes.length,
          data_len: data.length + (isShort ? inlineMark : 0),
          data_offset: dataAt,
          data_type: type,
          flags: bytes.length > 0 && isLatin1 ? latin1Value : 0,
        },
        cell.bytes,
      );
      if (isShort) cell.bytes.set(data, inlineDataAt);
      cell.bytes.set(bytes, vk.size);
      this.#cell(list).view.setUint32(cellHead + i * 4, at - binsAt, true);
      const { view } = this.#cell(node);
      nk.set(view, 0, 'max_vk_name_len', Math.max(nk.get(view, 0, 'max_vk_name_len'), wideLength));
      nk.set(view, 0, 'max_vk_data_len', Math.max(nk.get(view, 0, 'max_vk_data_len'), data.length));
    }
    const { view } = this.#cell(node);
    nk.set(view, 0, 'nr_values', values.length);
    nk.set(view, 0, 'vallist', list - binsAt);
  }

  /** ERANGE for data that are too long for a cell, before the first is taken. */
  #checkRoom(values: readonly NewValue[]): void {
    for (const { data } of values) if (!this.#isBig(data)) this.#memory.checkLength(data.length);
    this.#memory.checkLength(values.length * 4);
  }

  #isBig({ length }: Uint8Array): boolean {
    return this.#hasBigData && length > bigDataPart;
  }

  #storeData(data: Uint8Array): number {
    if (!this.#isBig(data)) {
      const at = this.#memory.allocate(data.length);
      this.#cell(at).bytes.set(data, cellHead);
      return at;
    }
    this.differsFromLibhivex = true;
    const parts = Math.ceil(data.length / bigDataPart);
    const head = this.#memory.allocate(db.size - cellHead + bigDataTail);
    const list = this.#memory.allocate(parts * 4);
    for (let i = 0; i < parts; i++) {
      const at = this.#memory.allocate(bigDataPart + bigDataTail);
      this.#cell(at).bytes.set(data.subarray(i * bigDataPart, (i + 1) * bigDataPart), cellHead);
      this.#cell(list).view.setUint32(cellHead + i * 4, at - binsAt, true);
    }
    const { bytes } = this.#cell(head);
    writeId(bytes, bigDataId);
    db.encode({ nr_blocks: parts, blocklist_offset: list - binsAt }, bytes);
    return head;
  }

  #cell(at: number): Cell {
    return this.#memory.get(at, 'registry cell');
  }

  /** The security of a key. CorruptError where it has none. */
  #security(node: number): number {
    this.hive.nodeName(node);
    const at = binsAt + nk.get(this.#cell(node).view, 0, 'sk');
    const cell = this.#memory.find(at);
    if (cell?.id !== 'sk' || cell.bytes.length < sk.size)
      throw new CorruptError('registry key', 'has no security', { node, at });
    return at;
  }

  /** How many of some keys have each security. CorruptError where that says that fewer have it. */
  #securitiesOf(nodes: readonly number[]): Map<number, number> {
    const users = new Map<number, number>();
    for (const node of nodes) {
      const at = this.#security(node);
      const count = (users.get(at) ?? 0) + 1;
      if (count > sk.get(this.#cell(at).view, 0, 'refcount'))
        throw new CorruptError('registry security', 'has more keys than it says', { at, node });
      users.set(at, count);
    }
    return users;
  }

  /** So many keys less have this security; with the last one it leaves its ring. */
  #leaveSecurity(at: number, count: number): void {
    const { view } = this.#cell(at);
    const { refcount, sk_next, sk_prev } = sk.decode(view);
    if (refcount > count) return sk.set(view, 0, 'refcount', refcount - count);
    for (const [neighbour, field, value] of [
      [sk_prev, 'sk_next', sk_next],
      [sk_next, 'sk_prev', sk_prev],
    ] as const) {
      const cell = this.#memory.find(binsAt + neighbour);
      if (cell?.id === 'sk' && cell.bytes.length >= sk.size) sk.set(cell.view, 0, field, value);
    }
    this.#memory.release(at);
  }

  /** A key and all below it, each once. */
  #subtree(node: number): number[] {
    const found = new Set([node]);
    for (const each of found)
      for (const child of this.hive.nodeChildren(each)) {
        work.entries.spend(1);
        if (child === this.hive.root)
          throw new CorruptError('registry key', 'has the root below it', { node });
        found.add(child);
      }
    return [...found];
  }

  /** What belongs to a key alone: its lists, its values with their data, the name of its class. */
  #cellsOf(node: number): Set<number> {
    const { view } = this.#cell(node);
    const { classname, classname_len } = nk.decode(view);
    const isNamed = classname_len > 0 && classname !== nowhere && this.#memory.find(binsAt + classname);
    return new Set([
      ...this.#valueCells(node),
      ...this.#lists(node),
      ...(isNamed ? [binsAt + classname] : []),
    ]);
  }

  /** The values of a key with their data, and the list of them. */
  #valueCells(node: number): Set<number> {
    const values = this.hive.nodeValues(node);
    const cells = new Set<number>();
    if (values.length === 0) return cells;
    for (const value of values) {
      cells.add(value);
      const { data_len, data_offset } = vk.decode(this.#cell(value).view);
      if (isInlineData(data_len) || lengthOfData(data_len) === 0) continue;
      for (const at of this.#dataCells(binsAt + data_offset, lengthOfData(data_len))) cells.add(at);
    }
    return cells.add(binsAt + nk.get(this.#cell(node).view, 0, 'vallist'));
  }

  #dataCells(at: number, length: number): number[] {
    const cell = this.#memory.get(at, 'data of a registry value');
    if (length <= cell.bytes.length - cellHead || cell.id !== bigDataId || cell.bytes.length < db.size)
      return [at];
    const { nr_blocks, blocklist_offset } = db.decode(cell.view);
    const list = this.#memory.get(binsAt + blocklist_offset, 'list of big registry data');
    if (cellHead + nr_blocks * 4 > list.bytes.length)
      throw new CorruptError('list of big registry data', 'is longer than its cell', { at: list.at });
    const parts = Array.from({ length: nr_blocks }, (_, i) => {
      work.entries.spend(1);
      return this.#memory.get(
        binsAt + list.view.getUint32(cellHead + i * 4, true),
        'block of big registry data',
      ).at;
    });
    return [at, list.at, ...parts];
  }

  /** Where the entries of a list lead to. The list was read by {@link Hive.nodeChildren}, which checks it. */
  #entriesOf(at: number): number[] {
    const { id, view } = this.#memory.get(at, 'list of registry keys');
    const length = keyListEntries.get(id);
    if (length === undefined) throw new CorruptError('list of registry keys', 'is no such list', { at });
    const count = keyList.get(view, 0, 'count');
    return Array.from({ length: count }, (_, i) => binsAt + view.getUint32(keyList.size + i * length, true));
  }

  /** Where a new child belongs: in front of the first whose name is greater, or at the very end. */
  #placeFor(parent: number, name: string): Place | undefined {
    const wanted = upperCase(name);
    const leaves = this.#leaves(parent);
    for (const leaf of leaves) {
      const index = this.#entriesOf(leaf.at).findIndex((child) => {
        work.entries.spend(1);
        return upperCase(this.hive.nodeName(child)) > wanted;
      });
      if (index >= 0) return this.#checkFull({ leaf, index });
    }
    const leaf = leaves.at(-1);
    return leaf && this.#checkFull({ leaf, index: this.#entriesOf(leaf.at).length });
  }

  #checkFull(place: Place): Place {
    if (keyList.get(this.#cell(place.leaf.at).view, 0, 'count') >= mostEntries)
      throw new UnsupportedError('registry hive', ['more keys than a list of them can have']);
    return place;
  }

  /** Adds a key to a list, which is made anew: the first one of a parent by itself. */
  #insert(parent: number, place: Place | undefined, node: number, name: string): void {
    const old = place?.leaf.at;
    const id = old === undefined ? newList : this.#cell(old).id;
    const length = keyListEntries.get(id) ?? 0;
    const count = old === undefined ? 0 : keyList.get(this.#cell(old).view, 0, 'count');
    const list = this.#memory.allocate(keyList.size - cellHead + (count + 1) * length);
    const { bytes, view } = this.#cell(list);
    writeId(bytes, id);
    keyList.set(view, 0, 'count', count + 1);
    const at = keyList.size + (place?.index ?? 0) * length;
    if (old !== undefined) {
      const entries = this.#cell(old).bytes.subarray(0, keyList.size + count * length);
      bytes.set(entries.subarray(keyList.size, at), keyList.size);
      bytes.set(entries.subarray(at), at + length);
      this.#memory.release(old);
    }
    view.setUint32(at, node - binsAt, true);
    bytes.set(hintOf(id, name), at + 4);
    this.#refer(parent, place?.leaf.above, list);
  }

  /** A list of keys is at another place. */
  #refer(parent: number, above: Leaf['above'], list: number): void {
    if (above === undefined) nk.set(this.#cell(parent).view, 0, 'subkey_lf', list - binsAt);
    else this.#cell(above.list).view.setUint32(keyList.size + above.index * 4, list - binsAt, true);
  }

  /** Takes a key, or a list, out of a list, which goes too if it is empty then. */
  #unlink(parent: number, { at, above }: Leaf, entry: number, lists: readonly Leaf[]): void {
    const entries = this.#entriesOf(at);
    const { bytes, view, id } = this.#cell(at);
    const length = keyListEntries.get(id) ?? 0;
    const place = keyList.size + entries.indexOf(entry) * length;
    bytes.copyWithin(place, place + length, keyList.size + entries.length * length);
    keyList.set(view, 0, 'count', entries.length - 1);
    if (entries.length > 1) return;
    this.#memory.release(at);
    const list = above && lists.find((each) => each.at === above.list);
    if (list === undefined) this.#refer(parent, undefined, binsAt + nowhere);
    else this.#unlink(parent, list, at, lists);
  }

  /** The lists of keys of a node, those with lists in them before those. */
  #lists(node: number): number[] {
    return this.#walkLists(node).map(({ at }) => at);
  }

  #leaves(node: number): Leaf[] {
    return this.#walkLists(node).filter(({ at }) => this.#cell(at).id !== listOfLists);
  }

  #walkLists(node: number): Leaf[] {
    // Checks all lists, and that none contains itself.
    if (this.hive.nodeChildren(node).length === 0) return [];
    const found: Leaf[] = [];
    const visit = (leaf: Leaf): void => {
      work.entries.spend(1);
      if (found.some(({ at }) => at === leaf.at)) return;
      found.push(leaf);
      if (this.#cell(leaf.at).id !== listOfLists) return;
      for (const [index, at] of this.#entriesOf(leaf.at).entries())
        visit({ at, above: { list: leaf.at, index } });
    };
    visit({ at: binsAt + nk.get(this.#cell(node).view, 0, 'subkey_lf'), above: undefined });
    return found;
  }
}

const foldAscii = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
