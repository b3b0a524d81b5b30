/** References of inodes to the names that they have: `struct btrfs_inode_ref` and `struct btrfs_inode_extref`. */
import { CorruptError, compareBytes, concatBytes, viewOf } from '../../../base/index.js';
import { inodeExtrefAt, inodeRefAt, itemTypes } from '../layout.js';
import { setNumber, signed64 } from '../tree/keys.js';
import type { Item } from '../tree/node.js';

interface Reference {
  readonly parent: number;
  /** The place of the name in the order of the directory. */
  readonly index: number;
  readonly name: Uint8Array;
}

/** All names of an item. `name`: of the tree, for errors. */
export function namesIn(item: Item, name: string): Reference[] {
  const isExtended = item.type === itemTypes.inodeExtref;
  const head = isExtended ? inodeExtrefAt.name : inodeRefAt.name;
  const { view, start, end } = item;
  const found: Reference[] = [];
  for (let base = start; base < end; ) {
    const cutShort = new CorruptError(name, 'a reference of an inode is cut short', { inode: item.object });
    if (base + head > end) throw cutShort;
    const length = view.getUint16(base + (isExtended ? inodeExtrefAt.name_len : inodeRefAt.name_len), true);
    if (base + head + length > end) throw cutShort;
    found.push({
      parent: isExtended ? signed64(view, base + inodeExtrefAt.parent) : item.offset,
      index: signed64(view, base + (isExtended ? inodeExtrefAt.index : inodeRefAt.index)),
      name: item.bytes(base + head - start, length),
    });
    base += head + length;
  }
  return found;
}

function encode({ index, name }: Pick<Reference, 'index' | 'name'>): Uint8Array {
  const bytes = new Uint8Array(inodeRefAt.name + name.length);
  const view = viewOf(bytes);
  setNumber(view, inodeRefAt.index, index);
  view.setUint16(inodeRefAt.name_len, name.length, true);
  bytes.set(name, inodeRefAt.name);
  return bytes;
}

/** The bytes of an item with one more name. */
export function withName(item: Item | undefined, index: number, name: Uint8Array, tree: string): Uint8Array {
  const others =
    item === undefined ? [] : namesIn(item, tree).filter((each) => compareBytes(each.name, name) !== 0);
  return concatBytes([...others, { index, name }].map(encode));
}

/** The bytes of an item without a name. */
export function withoutName(item: Item, name: Uint8Array, tree: string): Uint8Array {
  return concatBytes(
    namesIn(item, tree)
      .filter((each) => compareBytes(each.name, name) !== 0)
      .map(encode),
  );
}
