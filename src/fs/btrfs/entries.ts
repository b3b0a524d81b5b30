/** Entries of directories, and extended attributes, which are stored alike: `struct btrfs_dir_item`. */
import { CorruptError, compareBytes, crc32c, work } from '../../base/index.js';
import { dirItemAt as at, itemTypes, nameHashSeed } from './layout.js';
import { key, objectIdAt, offsetAt, typeAt } from './tree/keys.js';
import type { Item } from './tree/node.js';
import type { BTree } from './tree/tree.js';

/** What an entry names: an inode of the same tree, or another tree. */
interface Location {
  readonly object: number;
  readonly type: number;
  readonly offset: number;
}

export interface StoredEntry {
  readonly location: Location;
  /** By number. */
  readonly type: number;
  readonly name: Uint8Array;
  /** Of an attribute. */
  readonly value: Uint8Array;
}

/** The entries of an item: several where names have the same hash. `name`: of the tree, for errors. */
export function* entriesOf(item: Item, name: string): Generator<StoredEntry, void> {
  const { view, start, end } = item;
  for (let base = start; base < end; ) {
    work.entries.spend(1);
    if (base + at.name > end) throw cutShort(name, item);
    const nameStart = base + at.name;
    const valueStart = nameStart + view.getUint16(base + at.name_len, true);
    const next = valueStart + view.getUint16(base + at.data_len, true);
    if (next > end) throw cutShort(name, item);
    yield {
      location: {
        object: objectIdAt(view, base),
        type: typeAt(view, base),
        offset: offsetAt(view, base),
      },
      type: view.getUint8(base + at.type),
      name: item.bytes(nameStart - start, valueStart - nameStart),
      value: item.bytes(valueStart - start, next - valueStart),
    };
    base = next;
  }
}

function cutShort(name: string, item: Item): CorruptError {
  return new CorruptError(name, 'an entry is cut short', { object: item.object, type: item.type });
}

/** The entry of a directory with a name; undefined if there is none. */
export function findName(tree: BTree, directory: number, name: Uint8Array): StoredEntry | undefined {
  const item = tree.find(key(directory, itemTypes.dirItem, crc32c(nameHashSeed, name)));
  if (item === undefined) return undefined;
  for (const entry of entriesOf(item, tree.name)) if (compareBytes(entry.name, name) === 0) return entry;
  return undefined;
}
