/**
 * Directories: an index of names. A listing takes the root and then the blocks that a bitmap says are in use, in their
 * order, as ntfs-3g does; a search goes down the tree.
 */
import { heeding, type OnDamage } from '../driver.js';
import { type IndexKind, type IndexNode, IndexTree } from './index-tree.js';
import type { Inode } from './inode.js';
import {
  collationFileName,
  directoryIndexName,
  indexEntryAt as entryAt,
  indexEntryFlags,
  fileNameAt as keyAt,
} from './layout.js';
import { decodeName, encodeName } from './names.js';
import { referenceOf } from './record.js';
import type { NtfsVolume } from './volume.js';

/** In units of UTF-16. */
const longestName = 255;

export interface NameEntry {
  readonly name: string;
  /** A reference to the file. */
  readonly file: number;
  readonly namespace: number;
  readonly attributes: number;
}

const namesOfDirectory: IndexKind = {
  name: directoryIndexName,
  what: 'directory',
  collation: collationFileName,
  isKey(view, at, length) {
    const nameLength = length < keyAt.file_name ? 0 : view.getUint8(at + keyAt.file_name_length);
    return nameLength > 0 && keyAt.file_name + 2 * nameLength <= length;
  },
};

export class Directory {
  readonly #volume: NtfsVolume;
  readonly #tree: IndexTree;

  /** `inode` has an index of names. */
  constructor(volume: NtfsVolume, inode: Inode) {
    this.#volume = volume;
    this.#tree = new IndexTree(volume, inode, namesOfDirectory);
  }

  #entry(view: DataView, at: number): NameEntry {
    const key = at + entryAt.key;
    const length = 2 * view.getUint8(key + keyAt.file_name_length);
    return {
      name: decodeName(new Uint8Array(view.buffer, view.byteOffset + key + keyAt.file_name, length)),
      file: referenceOf(
        view.getUint32(at + entryAt.file_low, true),
        view.getUint16(at + entryAt.file_high, true),
        view.getUint16(at + entryAt.file_sequence, true),
      ),
      namespace: view.getUint8(key + keyAt.file_name_type),
      attributes: view.getUint32(key + keyAt.file_attributes, true),
    };
  }

  *#entriesOf(node: IndexNode): Generator<NameEntry> {
    for (const at of this.#tree.offsets(node))
      if ((node.view.getUint16(at + entryAt.flags, true) & indexEntryFlags.end) === 0)
        yield this.#entry(node.view, at);
  }

  /** All names in stored order, those of short names and of the filesystem's own files too. */
  *entries(onDamage?: OnDamage): Generator<NameEntry> {
    yield* this.#heeded(onDamage, () => this.#tree.root);
    for (const index of this.#tree.usedBlocks())
      yield* this.#heeded(onDamage, () => this.#tree.readBlock(index));
  }

  /** A node's entries; those behind damage are left out. */
  *#heeded(onDamage: OnDamage | undefined, read: () => IndexNode): Generator<NameEntry> {
    const node = heeding(onDamage, read);
    if (node === undefined) return;
    const entries = this.#entriesOf(node);
    for (;;) {
      const next = heeding(onDamage, () => entries.next());
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  }

  /** The entry of a name; of several that differ in case alone the first, where case does not count. */
  find(wanted: string, caseSensitive = this.#volume.caseSensitive): NameEntry | undefined {
    const name = encodeName(wanted);
    if (name === undefined || name === '' || name.length > longestName) return undefined;
    const { upcase } = this.#volume;
    const order = (view: DataView, key: number): number => {
      const length = view.getUint8(key + keyAt.file_name_length);
      return upcase.compare(name, view, key + keyAt.file_name, length, caseSensitive);
    };
    const found = this.#tree.find(order, !caseSensitive);
    return found && this.#entry(found.view, found.at);
  }
}
