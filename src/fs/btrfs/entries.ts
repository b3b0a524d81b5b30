/** Entries of directories, and extended attributes, which are stored alike: `struct btrfs_dir_item`. */
import { CorruptError, compareBytes, crc32c, work } from '../../base/index.js';
import { dirItemAt as at, itemTypes, nameHashSeed } from './layout.js';
import { key, objectIdAt, typeAt } from './tree/keys.js';
import type { Item } from './tree/node.js';
import type { ItemTree } from './tree/tree.js';

/** An entry; a view of its leaf, of which a walk looks at little. */
export class StoredEntry {
  readonly #view: DataView;
  readonly #base: number;

  constructor(view: DataView, base: number) {
    this.#view = view;
    this.#base = base;
  }

  /** What it names: an inode of the same tree, or another tree. */
  get object(): number {
    return objectIdAt(this.#view, this.#base);
  }

  /** The type of item that it names. */
  get objectType(): number {
    return typeAt(this.#view, this.#base);
  }

  /** The file's type, by number. */
  get type(): number {
    return this.#view.getUint8(this.#base + at.type);
  }

  get name(): Uint8Array {
    return this.#bytes(at.name, this.#nameLength);
  }

  /** Of an attribute. */
  get value(): Uint8Array {
    return this.#bytes(at.name + this.#nameLength, this.#view.getUint16(this.#base + at.data_len, true));
  }

  /** Where it ends. */
  get end(): number {
    return this.#base + at.name + this.#nameLength + this.#view.getUint16(this.#base + at.data_len, true);
  }

  /** All of it, as stored. */
  get bytes(): Uint8Array {
    return this.#bytes(0, this.end - this.#base);
  }

  get #nameLength(): number {
    return this.#view.getUint16(this.#base + at.name_len, true);
  }

  #bytes(from: number, length: number): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset + this.#base + from, length);
  }
}

/** The entries of an item: several where names have the same hash. `name`: of the tree, for errors. */
export function entriesOf({ view, start, end, object, type }: Item, name: string): StoredEntry[] {
  const entries: StoredEntry[] = [];
  for (let base = start; base < end; ) {
    work.entries.spend(1);
    const entry = new StoredEntry(view, base);
    if (base + at.name > end || entry.end > end)
      throw new CorruptError(name, 'an entry is cut short', { object, type });
    entries.push(entry);
    base = entry.end;
  }
  return entries;
}

/** The entry of a directory with a name; undefined if there is none. */
export function findName(tree: ItemTree, directory: number, name: Uint8Array): StoredEntry | undefined {
  const item = tree.find(key(directory, itemTypes.dirItem, crc32c(nameHashSeed, name)));
  return item && entriesOf(item, tree.name).find((entry) => compareBytes(entry.name, name) === 0);
}
