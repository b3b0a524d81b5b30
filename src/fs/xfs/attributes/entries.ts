/**
 * Attributes as stored: in the inode (short form), or in leaves, whose long values lie in blocks of their own.
 * Specification: "XFS Algorithms & Data Structures", 3rd edition, "Extended Attributes"; the checks are those of the
 * kernel's fs/xfs/libxfs/xfs_attr_leaf.c.
 */
import { CorruptError, viewOf, work } from '../../../base/index.js';
import type { DirectoryBlock } from '../directory/blocks.js';
import { has } from '../features.js';
import {
  attributeEntryAt,
  attributeEntrySize,
  attributeFlags,
  attributeLeafAt,
  attributeLeafHeaderSize,
  attributeLeafHeaderSize5,
  dabtreeInfoSize,
  dabtreeInfoSize5,
  localAttributeAt,
  remoteAttributeAt,
  shortAttributeAt,
  shortAttributesAt,
} from '../layout.js';

/** A value in blocks of its own. */
interface RemoteValue {
  /** The first block, in the fork of attributes. */
  readonly firstBlock: number;
  /** In bytes. */
  readonly size: number;
}

export interface StoredAttribute {
  readonly name: Uint8Array;
  readonly flags: number;
  readonly value: Uint8Array | RemoteValue;
}

export function* shortFormAttributes(bytes: Uint8Array, what: string): Generator<StoredAttribute> {
  const view = viewOf(bytes);
  if (bytes.length < shortAttributesAt.list)
    throw new CorruptError(what, 'are cut short', { size: bytes.length });
  const total = view.getUint16(shortAttributesAt.totsize);
  const count = view.getUint8(shortAttributesAt.count);
  if (total > bytes.length) throw new CorruptError(what, 'do not fit into the inode', { total });
  let at: number = shortAttributesAt.list;
  for (let index = 0; index < count; index++) {
    work.entries.spend(1);
    if (at + shortAttributeAt.nameval > total) throw new CorruptError(what, 'are cut short', { index });
    const nameAt = at + shortAttributeAt.nameval;
    const valueAt = nameAt + view.getUint8(at + shortAttributeAt.namelen);
    const end = valueAt + view.getUint8(at + shortAttributeAt.valuelen);
    if (end > total || valueAt === nameAt)
      throw new CorruptError(what, 'an attribute does not fit', { index });
    yield {
      name: bytes.subarray(nameAt, valueAt),
      flags: view.getUint8(at + shortAttributeAt.flags),
      value: bytes.subarray(valueAt, end),
    };
    at = end;
  }
}

export function* leafAttributes(
  { bytes, view }: DirectoryBlock,
  version5: boolean,
  what: string,
): Generator<StoredAttribute> {
  const count = view.getUint16((version5 ? dabtreeInfoSize5 : dabtreeInfoSize) + attributeLeafAt.count);
  const entriesAt = version5 ? attributeLeafHeaderSize5 : attributeLeafHeaderSize;
  const namesFrom = entriesAt + count * attributeEntrySize;
  if (namesFrom > bytes.length) throw new CorruptError(what, 'a leaf has too many entries', { count });
  for (let index = 0; index < count; index++) {
    work.entries.spend(1);
    const entry = entriesAt + index * attributeEntrySize;
    const at = view.getUint16(entry + attributeEntryAt.nameidx);
    const flags = view.getUint8(entry + attributeEntryAt.flags);
    const isLocal = has(flags, attributeFlags.local);
    const nameAt = at + (isLocal ? localAttributeAt.nameval : remoteAttributeAt.name);
    if (at < namesFrom || nameAt > bytes.length)
      throw new CorruptError(what, 'an attribute lies outside its leaf', { index, at });
    const valueAt =
      nameAt + view.getUint8(at + (isLocal ? localAttributeAt.namelen : remoteAttributeAt.namelen));
    const end = isLocal ? valueAt + view.getUint16(at + localAttributeAt.valuelen) : valueAt;
    if (end > bytes.length || valueAt === nameAt)
      throw new CorruptError(what, 'an attribute does not fit into its leaf', { index, at });
    const value = isLocal
      ? bytes.subarray(valueAt, end)
      : {
          firstBlock: view.getUint32(at + remoteAttributeAt.valueblk),
          size: view.getUint32(at + remoteAttributeAt.valuelen),
        };
    yield { name: bytes.subarray(nameAt, valueAt), flags, value };
  }
}
