/** Extended attributes: inodes have an index of a table, whose entries say where names and values lie. */
import { CorruptError, decodeText, work } from '../../base/index.js';
import {
  reference,
  SQUASHFS_XATTR_PREFIX_MASK,
  SQUASHFS_XATTR_VALUE_OOL,
  xattrEntry,
  xattrId,
  xattrIdTable,
  xattrPrefixes,
  xattrValue,
} from './layout.js';
import { type MetadataCursor, type MetadataReader, MetadataTable } from './metadata.js';
import { placeOf } from './superblock.js';

/** XATTR_SIZE_MAX of Linux. */
const longestValue = 65_536;

export class Xattrs {
  readonly #metadata: MetadataReader;
  readonly #ids: MetadataTable<typeof xattrId.fields>;
  /** Where names and values begin on the disk. */
  readonly #start: number;

  /** `at`: of the table's head on the disk. */
  constructor(metadata: MetadataReader, at: number) {
    this.#metadata = metadata;
    const { xattr_table_start, xattr_ids } = xattrIdTable.decode(metadata.raw(at, xattrIdTable.size));
    this.#start = xattr_table_start;
    this.#ids = new MetadataTable(metadata, xattrId, at + xattrIdTable.size, xattr_ids);
  }

  get(index: number): ReadonlyMap<string, Uint8Array> {
    const { xattr, count } = this.#ids.get(index);
    const cursor = this.#cursor(xattr);
    const attributes = new Map<string, Uint8Array>();
    for (let left = count; left > 0; left--) {
      work.entries.spend(1);
      const { type, size } = cursor.decode(xattrEntry);
      const name = decodeText(cursor.take(size));
      const value = this.#value(cursor, (type & SQUASHFS_XATTR_VALUE_OOL) !== 0);
      const prefix = xattrPrefixes[type & SQUASHFS_XATTR_PREFIX_MASK];
      if (prefix !== undefined) attributes.set(prefix + name, value);
    }
    return attributes;
  }

  #cursor(place: number): MetadataCursor {
    const { block, offset } = placeOf(place);
    return this.#metadata.cursor(this.#start + block, offset);
  }

  #value(cursor: MetadataCursor, isElsewhere: boolean): Uint8Array {
    const { vsize } = cursor.decode(xattrValue);
    if (isElsewhere) {
      if (vsize !== reference.size)
        throw new CorruptError('squashfs attribute', 'has no reference to its value', { length: vsize });
      return this.#value(this.#cursor(cursor.decode(reference).at), false);
    }
    if (vsize > longestValue)
      throw new CorruptError('squashfs attribute', 'has an impossible length', { length: vsize });
    work.bytes.spend(vsize);
    return cursor.take(vsize).slice();
  }
}
