/**
 * Extended attributes that are changed: in the inode where there is room, else in a block of their own, and large
 * values in inodes of their own (ea_inode). Specification: the kernel's
 * Documentation/filesystems/ext4/attributes.rst, and for the hashes fs/ext4/xattr.c.
 */
import { compareBytes, crc32c, encodeText, GuestfsError, viewOf } from '../../../base/index.js';
import { compat, incompat, roCompat } from '../features.js';
import { type Inode, inodeName } from '../inode.js';
import {
  xattrEntryAt as at,
  xattrEntrySize as entrySize,
  inodeAt,
  xattrHeader,
  xattrIndex,
  xattrMagic,
} from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { xattrBlockEntries, xattrEntryHash } from '../xattr.js';
import { inodeXattrEntries, type XattrEntry } from '../xattr-entries.js';
import { countUsers, sealAttributes } from './attributes.js';
import type { ChangeableBlocks } from './blocks.js';
import { addBlocks, type InodeTable } from './inode-table.js';
import type { Space } from './space.js';
import { addFeatures } from './superblock-writer.js';

/** Linux's XATTR_SIZE_MAX, in bytes. */
const valueLimit = 65536;
const longestName = 255;
/** The magic number before the attributes in an inode, and the end of a list. */
const wordSize = 4;

/** Makes and removes the inodes that hold large values. */
export interface ValueInodes {
  create(value: Uint8Array, hash: number, owner: Inode): number;
  /** One more user of a value, and one less: it goes with the last. */
  retain(inode: number): void;
  release(inode: number): void;
}

/** An attribute that is to be stored. */
interface NewAttribute {
  readonly index: number;
  readonly name: Uint8Array;
  readonly value: Uint8Array;
  /** For errors. */
  readonly what: string;
  /** Where in the inode's list one of that name was; below zero if nowhere. */
  readonly before: number;
}

export class XattrWriter {
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  readonly #space: Space;
  readonly #inodes: InodeTable;
  readonly #values: ValueInodes;

  constructor(
    volume: ExtVolume,
    blocks: ChangeableBlocks,
    space: Space,
    inodes: InodeTable,
    values: ValueInodes,
  ) {
    this.#volume = volume;
    this.#blocks = blocks;
    this.#space = space;
    this.#inodes = inodes;
    this.#values = values;
  }

  /**
   * Sets an attribute, by the index of its prefix and the rest of its name. Undefined removes it: ENODATA if it is
   * not there.
   */
  set(inode: Inode, index: number, name: Uint8Array, value: Uint8Array | undefined): void {
    const what = `${inodeName(inode.number)}: extended attributes`;
    if (name.length > longestName) throw new GuestfsError('ERANGE', `${what}: the name is too long`);
    if (value !== undefined && value.length > valueLimit)
      throw new GuestfsError('E2BIG', `${what}: the value is too long`);
    const isSame = (entry: XattrEntry): boolean =>
      entry.index === index && compareBytes(entry.name, name) === 0;
    const inside = inodeXattrEntries(inode, what);
    const outside = xattrBlockEntries(this.#volume, inode);
    const old = [...inside, ...outside].filter(isSame);
    if (value === undefined && old.length === 0)
      throw new GuestfsError('ENODATA', `${what}: there is no such attribute`);
    const newInside = inside.filter((entry) => !isSame(entry));
    const newOutside = outside.filter((entry) => !isSame(entry));
    const isShared = this.#isShared(inode);
    for (const entry of old) this.#letGo(inode, entry, isShared && outside.includes(entry));
    if (value !== undefined) {
      // e2fsck does not count attributes of which the superblock does not tell.
      addFeatures(this.#blocks, this.#volume.superblock.blockSize, { compat: compat.extAttr });
      const before = inside.findIndex(isSame);
      this.#place(inode, newInside, newOutside, { index, name, value, what, before });
    }
    if (newInside.length !== inside.length || newInside.some((entry, i) => entry !== inside[i]))
      this.#storeInside(inode, newInside);
    if (newOutside.length !== outside.length || newOutside.some((entry, i) => entry !== outside[i]))
      this.#storeOutside(inode, newOutside);
  }

  /** An inode goes: its attributes too. */
  removeAll(inode: Inode): void {
    const what = `${inodeName(inode.number)}: extended attributes`;
    for (const { valueInode } of inodeXattrEntries(inode, what))
      if (valueInode !== 0) this.#values.release(valueInode);
    if (inode.attributeBlock === 0) return;
    const outside = xattrBlockEntries(this.#volume, inode);
    if (countUsers(this.#volume, this.#blocks, inode.attributeBlock, -1) === 0) {
      for (const { valueInode } of outside) if (valueInode !== 0) this.#values.release(valueInode);
      this.#space.freeBlocks({ block: inode.attributeBlock, count: 1 });
    }
    this.#point(inode, 0, -this.#volume.superblock.blocksPerCluster);
  }

  /** Drops the part of inline data that is an attribute. */
  removeInlineData(inode: Inode): void {
    const entries = inodeXattrEntries(inode, inodeName(inode.number));
    const kept = entries.filter(
      ({ index, name }) => index !== xattrIndex.system || compareBytes(name, encodeText('data')) !== 0,
    );
    if (kept.length < entries.length) this.#storeInside(inode, kept);
  }

  /** Puts a new entry where there is room. ENOSPC. */
  #place(
    inode: Inode,
    inside: XattrEntry[],
    outside: XattrEntry[],
    { index, name, value, what, before }: NewAttribute,
  ): void {
    const { inodeSize, blockSize, features, valueSeed } = this.#volume.superblock;
    const insideRoom = inodeSize - inode.attributesAt - 2 * wordSize;
    const outsideRoom = blockSize - xattrHeader.size - wordSize;
    const entry: XattrEntry = { index, name, hash: 0, valueSize: value.length, value, valueInode: 0 };
    const fits = (entries: readonly XattrEntry[], room: number): boolean =>
      entries.reduce((sum, each) => sum + sizeOf(each), 0) <= room;
    // As in the kernel, an attribute in the inode that gets another value stays where it is among the others.
    const place = before < 0 ? inside.length : before;
    if (fits([...inside, entry], insideRoom)) return void inside.splice(place, 0, entry);
    if (fits([...outside, entry], outsideRoom))
      return void outside.push({ ...entry, hash: valueHash(entry) });
    if (!has(features.incompat, incompat.eaInode))
      throw new GuestfsError('ENOSPC', `${what}: there is no room for the value`);
    const hash = crc32c(valueSeed, value);
    const far: XattrEntry = { ...entry, value: new Uint8Array(0), hash: xattrEntryHash(name, hash, false) };
    // e2fsck takes a link without a block of attributes, and with a count of blocks, for one that has blocks.
    const canBeInside = inode.kind !== 'symlink' && fits([...inside, far], insideRoom);
    const list = canBeInside ? inside : fits([...outside, far], outsideRoom) ? outside : undefined;
    if (list === undefined) throw new GuestfsError('ENOSPC', `${what}: there is no room for the name`);
    list.splice(list === inside ? place : list.length, 0, {
      ...far,
      valueInode: this.#values.create(value, hash, inode),
    });
    this.#countValue(inode, value.length, 1);
  }

  /** Whether other inodes have the same block of attributes. */
  #isShared({ attributeBlock }: Inode): boolean {
    if (attributeBlock === 0) return false;
    return xattrHeader.decode(this.#volume.peekBlock(attributeBlock, 'ext4 xattr block')).h_refcount > 1;
  }

  /** An attribute goes; `isKept`: others have it still. What its value occupies counts for each that has it. */
  #letGo(inode: Inode, { valueInode, valueSize }: XattrEntry, isKept: boolean): void {
    if (valueInode === 0) return;
    if (!isKept) this.#values.release(valueInode);
    this.#countValue(inode, valueSize, -1);
  }

  #countValue(inode: Inode, size: number, change: 1 | -1): void {
    const { blockSize, blocksPerCluster, features } = this.#volume.superblock;
    const blocks = Math.ceil(size / (blockSize * blocksPerCluster)) * blocksPerCluster;
    this.#inodes.change(inode.number, (record) =>
      addBlocks(record, change * blocks, blockSize, has(features.roCompat, roCompat.hugeFile)),
    );
  }

  #storeInside(inode: Inode, entries: readonly XattrEntry[]): void {
    this.#inodes.change(inode.number, ({ bytes, view }) => {
      const start = inode.attributesAt;
      const copy = entries.map(copyOf); // they may lie where they are written to
      bytes.fill(0, start);
      if (entries.length === 0) return;
      view.setUint32(start, xattrMagic, true);
      encodeEntries(bytes, start + wordSize, start + wordSize, copy);
    });
  }

  #storeOutside(inode: Inode, entries: readonly XattrEntry[]): void {
    const { blocksPerCluster, blockSize } = this.#volume.superblock;
    const old = inode.attributeBlock;
    const copy = entries.map(copyOf).sort(byName);
    let block = old;
    if (entries.length === 0) {
      if (countUsers(this.#volume, this.#blocks, old, -1) === 0)
        this.#space.freeBlocks({ block: old, count: 1 });
      this.#point(inode, 0, -blocksPerCluster);
      return;
    }
    const isShared = this.#isShared(inode);
    if (old === 0 || isShared) {
      block = this.#space.allocate(this.#space.goalFor(inode.number), 1).block;
      if (isShared) {
        countUsers(this.#volume, this.#blocks, old, -1);
        const before = xattrBlockEntries(this.#volume, inode).map(({ valueInode }) => valueInode);
        for (const { valueInode } of copy)
          if (valueInode !== 0 && before.includes(valueInode)) this.#values.retain(valueInode);
      }
      this.#point(inode, block, isShared ? 0 : blocksPerCluster);
    }
    const { bytes } = this.#blocks.change(block, block !== old);
    bytes.fill(0);
    encodeEntries(
      bytes,
      xattrHeader.size,
      0,
      copy.map((entry) => ({ ...entry, hash: entry.hash || valueHash(entry) })),
    );
    const hash = copy.reduce(
      (sum, entry) => ((sum << 16) ^ (sum >>> 16) ^ (entry.hash || valueHash(entry))) >>> 0,
      0,
    );
    xattrHeader.encode(
      { h_magic: xattrMagic, h_refcount: 1, h_blocks: 1, h_hash: hash },
      bytes.subarray(0, blockSize),
    );
    sealAttributes(this.#volume, block, bytes);
  }

  /** Where the attributes of an inode are from now on, and how many blocks more it occupies. */
  #point(inode: Inode, block: number, blocks: number): void {
    const { blockSize, features } = this.#volume.superblock;
    this.#inodes.change(inode.number, (record) => {
      record.view.setUint32(inodeAt.i_file_acl_lo, block % 0x1_0000_0000, true);
      record.view.setUint16(inodeAt.i_file_acl_high, Math.floor(block / 0x1_0000_0000), true);
      addBlocks(record, blocks, blockSize, has(features.roCompat, roCompat.hugeFile));
    });
  }
}

const padded = (length: number): number => (length + 3) & ~3;

/** Bytes of an entry with its value. */
function sizeOf({ name, valueInode, value }: XattrEntry): number {
  return entrySize + padded(name.length) + (valueInode === 0 ? padded(value.length) : 0);
}

function copyOf(entry: XattrEntry): XattrEntry {
  return { ...entry, name: entry.name.slice(), value: entry.value.slice() };
}

/** The order in a block, by which the kernel looks for names. */
function byName(a: XattrEntry, b: XattrEntry): number {
  return a.index - b.index || a.name.length - b.name.length || compareBytes(a.name, b.name);
}

/** The hash of a name and a value in the table. `signed`: as old kernels treated the bytes of names. */
export function valueHash({ name, value }: Pick<XattrEntry, 'name' | 'value'>, signed = false): number {
  let hash = 0;
  for (const byte of name) hash = ((hash << 5) | (hash >>> 27)) ^ (signed ? (byte << 24) >> 24 : byte);
  const words = new Uint8Array(padded(value.length));
  words.set(value);
  const view = viewOf(words);
  for (let at = 0; at < words.length; at += 4)
    hash = ((hash << 16) | (hash >>> 16)) ^ view.getInt32(at, true);
  return hash >>> 0;
}

/** Entries from `first` on, values from the end backwards; their offsets count from `valuesFrom`. They fit. */
function encodeEntries(
  bytes: Uint8Array,
  first: number,
  valuesFrom: number,
  entries: readonly XattrEntry[],
): void {
  const view = viewOf(bytes);
  let base = first;
  let end = bytes.length;
  for (const { index, name, value, valueInode, valueSize, hash } of entries) {
    bytes[base + at.e_name_len] = name.length;
    bytes[base + at.e_name_index] = index;
    if (valueInode === 0 && value.length > 0) {
      end -= padded(value.length);
      bytes.set(value, end);
      view.setUint16(base + at.e_value_offs, end - valuesFrom, true);
    }
    view.setUint32(base + at.e_value_inum, valueInode, true);
    view.setUint32(base + at.e_value_size, valueSize, true);
    view.setUint32(base + at.e_hash, hash, true);
    bytes.set(name, base + at.e_name);
    base += entrySize + padded(name.length);
  }
}
