/**
 * Directories: entries in the order in which they were made, lookup of names by their hash, and the parent. An entry
 * names an inode of the same subvolume, or another subvolume.
 */
import { CorruptError, decodeText, encodeText, GuestfsError } from '../../base/index.js';
import { type DirectoryEntry, heeding, type InodeNumber, type OnDamage } from '../driver.js';
import { entriesOf, findName, type StoredEntry } from './entries.js';
import type { Handles, Named } from './handles.js';
import { inodeName } from './inode.js';
import { entryTypes, inodeRefAt, itemTypes } from './layout.js';
import { findSubvolume, isReferred, placeOf, type Subvolume } from './subvolumes.js';
import type { BtrfsVolume } from './volume.js';

const longestName = 255;

export class Directories {
  readonly #volume: BtrfsVolume;
  readonly #handles: Handles;
  readonly #mounted: Subvolume;

  constructor(volume: BtrfsVolume, handles: Handles, mounted: Subvolume) {
    this.#volume = volume;
    this.#handles = handles;
    this.#mounted = mounted;
  }

  /** As {@link FileSystem.lookup}. The caller has seen that it is a directory. */
  lookup({ subvolume, inode, isPlaceholder }: Named, name: string): InodeNumber | undefined {
    const bytes = encodeText(name);
    if (isPlaceholder || bytes.length === 0 || bytes.length > longestName) return undefined;
    const entry = findName(subvolume.tree, inode, bytes);
    return entry && this.#handleOf(subvolume, inode, entry);
  }

  /** As {@link FileSystem.entries}. */
  *entries({ subvolume, inode, isPlaceholder }: Named, onDamage?: OnDamage): Generator<DirectoryEntry, void> {
    if (isPlaceholder) return;
    const { tree } = subvolume;
    const items = tree.items(inode, itemTypes.dirIndex);
    for (;;) {
      // Where a block is unreadable, the way to those behind it is lost.
      const next = heeding(onDamage, () => items.next());
      if (next === undefined || next.done) return;
      const item = next.value;
      const shown = heeding(onDamage, () =>
        entriesOf(item, tree.name).map((entry) => this.#shown(subvolume, inode, entry)),
      );
      if (shown !== undefined) for (const entry of shown) yield entry;
    }
  }

  #shown(subvolume: Subvolume, directory: number, entry: StoredEntry): DirectoryEntry {
    const bytes = entry.name;
    const name = decodeText(bytes);
    const isOdd = name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0');
    if (isOdd || bytes.length > longestName)
      throw new CorruptError(inodeName(subvolume.tree, directory), 'has an entry with an impossible name', {
        name,
      });
    return {
      name,
      inode: this.#handleOf(subvolume, directory, entry),
      type: entryTypes[entry.type] ?? 'unknown',
    };
  }

  /** The inode that an entry names: of this subvolume, or the topmost directory of another. */
  #handleOf(subvolume: Subvolume, directory: number, entry: StoredEntry): InodeNumber {
    const { object, objectType: type } = entry;
    if (type === itemTypes.inodeItem) return this.#handles.of(subvolume, object);
    const where = inodeName(subvolume.tree, directory);
    if (type !== itemTypes.rootItem)
      throw new CorruptError(where, 'has an entry for something that is no inode', { type });
    // A snapshot has the entries of what it was made from, but not the subvolumes that they name.
    if (!isReferred(this.#volume, subvolume.id, object, directory, entry.name))
      return this.#handles.of(subvolume, directory, true);
    const other = this.#handles.subvolume(object);
    if (other === undefined)
      throw new CorruptError(where, 'has an entry for a subvolume that is missing', { id: object });
    return this.#handles.of(other, other.root);
  }

  /** As {@link FileSystem.parent}. */
  parent({ subvolume, inode, isPlaceholder }: Named): InodeNumber {
    if (isPlaceholder) return this.#handles.of(subvolume, inode);
    if (inode !== subvolume.root) return this.#handles.of(subvolume, parentOf(subvolume, inode));
    if (subvolume.id === this.#mounted.id) return this.#handles.of(subvolume, inode);
    const place = placeOf(this.#volume, subvolume.id);
    const above = place && this.#handles.subvolume(place.parent);
    if (place === undefined || above === undefined)
      throw new CorruptError(subvolume.tree.name, 'lies in no other subvolume');
    return this.#handles.of(above, place.directory);
  }

  /** The subvolume at a path from the topmost one. ENOENT and ENOTDIR; EINVAL if a directory is no subvolume. */
  static find(volume: BtrfsVolume, top: Subvolume, path: string): Subvolume {
    let subvolume = top;
    let directory = top.root;
    const notThere = (code: 'ENOENT' | 'ENOTDIR'): GuestfsError =>
      new GuestfsError(code, `btrfs: there is no subvolume ${path}`);
    for (const name of path.split('/')) {
      if (name === '' || name === '.') continue;
      const entry = findName(subvolume.tree, directory, encodeText(name));
      if (entry === undefined) throw notThere('ENOENT');
      const { object, objectType: type } = entry;
      if (entryTypes[entry.type] !== 'directory') throw notThere('ENOTDIR');
      if (type === itemTypes.inodeItem) directory = object;
      else {
        const found = isReferred(volume, subvolume.id, object, directory, entry.name)
          ? findSubvolume(volume, object)
          : undefined;
        if (found === undefined) throw notThere('ENOENT');
        subvolume = found;
        directory = found.root;
      }
    }
    if (directory !== subvolume.root)
      throw new GuestfsError('EINVAL', `btrfs: ${path} is a directory, and not a subvolume`);
    return subvolume;
  }
}

/** The directory that a directory's only reference names. */
function parentOf({ tree }: Subvolume, inode: number): number {
  const item = tree.ceiling(inode, itemTypes.inodeRef, 0);
  if (item === undefined || item.size < inodeRefAt.name)
    throw new CorruptError(inodeName(tree, inode), 'has no reference to its directory');
  return item.offset;
}
