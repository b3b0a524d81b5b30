/**
 * Tables of extended attributes, in an inode after its fields, or in a block of their own: entries grow from the
 * front, values from the back. Decoding only. Specification: the kernel's
 * Documentation/filesystems/ext4/attributes.rst; the checks are those of fs/ext4/xattr.c, check_xattrs.
 */
import { CorruptError, viewOf } from '../../base/index.js';
import type { Inode } from './inode.js';
import { xattrEntryAt as at, xattrEntrySize, xattrMagic } from './layout.js';

/** An attribute as stored. */
export interface XattrEntry {
  readonly index: number;
  /** The name after the prefix of {@link index}. */
  readonly name: Uint8Array;
  readonly hash: number;
  /** In bytes. */
  readonly valueSize: number;
  /** The value if it is stored in the table; empty if {@link valueInode} has it. */
  readonly value: Uint8Array;
  /** The inode that holds the value, or 0. */
  readonly valueInode: number;
}

/**
 * The entries in `bytes` from `first` to the end. Value offsets count from `valuesFrom`. `what` names the table in
 * CorruptErrors. Names are not copied.
 */
export function decodeXattrEntries(
  bytes: Uint8Array,
  first: number,
  valuesFrom: number,
  what: string,
): XattrEntry[] {
  const view = viewOf(bytes);
  const end = bytes.length;
  const entries: XattrEntry[] = [];
  const valueAt: number[] = [];
  let base = first;
  for (;;) {
    if (base + 4 > end) throw new CorruptError(what, 'its list of attributes has no end', { offset: base });
    if (view.getUint32(base, true) === 0) break;
    if (base + xattrEntrySize > end)
      throw new CorruptError(what, 'an attribute is cut short', { offset: base });
    const nameLength = view.getUint8(base + at.e_name_len);
    const name = bytes.subarray(base + at.e_name, base + at.e_name + nameLength);
    if (name.length < nameLength || name.includes(0))
      throw new CorruptError(what, 'the name of an attribute is invalid', { offset: base, nameLength });
    const valueSize = view.getUint32(base + at.e_value_size, true);
    const valueInode = view.getUint32(base + at.e_value_inum, true);
    const start = valuesFrom + view.getUint16(base + at.e_value_offs, true);
    let value: Uint8Array = new Uint8Array(0);
    if (valueInode === 0 && valueSize > 0) {
      if (start + valueSize > end)
        throw new CorruptError(what, 'the value of an attribute lies outside', {
          offset: start,
          valueSize,
          end,
        });
      valueAt.push(start);
      value = bytes.subarray(start, start + valueSize);
    }
    entries.push({
      index: view.getUint8(base + at.e_name_index),
      name,
      hash: view.getUint32(base + at.e_hash, true),
      valueSize,
      value,
      valueInode,
    });
    base += xattrEntrySize + ((nameLength + 3) & ~3);
  }
  const listEnd = base + 4;
  if (valueAt.some((start) => start < listEnd))
    throw new CorruptError(what, 'a value overlaps the list of attributes', { listEnd });
  return entries;
}

/** The attributes inside an inode; none if it has no room or no table. */
export function inodeXattrEntries(inode: Inode, what: string, record = inode.record): XattrEntry[] {
  const { attributesAt } = inode;
  if (attributesAt + 4 > record.length) return [];
  if (viewOf(record).getUint32(attributesAt, true) !== xattrMagic) return [];
  // Value offsets count from the first entry, behind the magic number.
  return decodeXattrEntries(record, attributesAt + 4, attributesAt + 4, what);
}
