/** A tree with changes that are not on the disk: items that are new, others in their places, or gone. */
import { work } from '../../../base/index.js';
import { headerSize, itemAt, itemSize, keyAt } from '../layout.js';
import { key, lastOffset, type SearchKey } from '../tree/keys.js';
import { Item } from '../tree/node.js';
import type { ItemTree } from '../tree/tree.js';

/** An item that is not of a leaf: a leaf of its own, as it were. */
function makeItem(object: number, type: number, offset: number, bytes: Uint8Array): Item {
  const leaf = new Uint8Array(headerSize + itemSize + bytes.length);
  const view = new DataView(leaf.buffer);
  const { objectHigh, objectLow, offsetHigh, offsetLow } = key(object, type, offset);
  view.setUint32(headerSize + keyAt.objectid, objectLow, true);
  view.setUint32(headerSize + keyAt.objectid + 4, objectHigh, true);
  view.setUint8(headerSize + keyAt.type, type);
  view.setUint32(headerSize + keyAt.offset, offsetLow, true);
  view.setUint32(headerSize + keyAt.offset + 4, offsetHigh, true);
  view.setUint32(headerSize + itemAt.offset, itemSize, true);
  view.setUint32(headerSize + itemAt.size, bytes.length, true);
  leaf.set(bytes, headerSize + itemSize);
  return new Item(view, headerSize);
}

/** An item in the place of what the tree has under its key; one that is gone is without bytes. */
interface Change {
  readonly item: Item;
  readonly isGone: boolean;
}

export class ChangedTree implements ItemTree {
  readonly name: string;
  readonly #base: ItemTree;
  /** In order. A log is short, so putting into an array is quick. */
  readonly #changes: Change[] = [];

  constructor(base: ItemTree) {
    this.#base = base;
    this.name = base.name;
  }

  /** Puts an item in the place of what is there under its key. */
  put(object: number, type: number, offset: number, bytes: Uint8Array): void {
    this.#set({ item: makeItem(object, type, offset, bytes), isGone: false });
  }

  delete(object: number, type: number, offset: number): void {
    this.#set({ item: makeItem(object, type, offset, new Uint8Array(0)), isGone: true });
  }

  #set(change: Change): void {
    const wanted = key(change.item.object, change.item.type, change.item.offset);
    const place = this.#countBefore(wanted);
    const isThere = this.#changes[place]?.item.compareTo(wanted) === 0;
    this.#changes.splice(place, isThere ? 1 : 0, change);
  }

  #countBefore(wanted: SearchKey): number {
    let low = 0;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const change = this.#changes[middle] as Change; // safe: low ≤ middle < high ≤ length
      if (change.item.compareTo(wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  find(wanted: SearchKey): Item | undefined {
    const change = this.#changes[this.#countBefore(wanted)];
    if (change === undefined || change.item.compareTo(wanted) !== 0) return this.#base.find(wanted);
    return change.isGone ? undefined : change.item;
  }

  floor(object: number, type: number, offset: number): Item | undefined {
    for (let at = offset; ; ) {
      work.lookups.spend(1);
      const stored = this.#base.floor(object, type, at);
      const wanted = key(object, type, at);
      let place = this.#countBefore(wanted);
      if (this.#changes[place]?.item.compareTo(wanted) !== 0) place--;
      const change = this.#changes[place];
      const isOf = change !== undefined && change.item.type === type && change.item.object === object;
      if (!isOf || (stored !== undefined && stored.offset > change.item.offset)) return stored;
      if (!change.isGone) return change.item;
      if (change.item.offset === 0) return undefined;
      at = change.item.offset - 1;
    }
  }

  ceiling(object: number, type: number, offset: number): Item | undefined {
    for (const item of this.items(object, type, offset)) return item;
    return undefined;
  }

  *items(object?: number, type?: number, offset = 0): Generator<Item, void> {
    const until = object === undefined ? undefined : key(object, type ?? 0xff, lastOffset);
    let place = this.#countBefore(key(object ?? 0, type ?? 0, offset));
    const isWanted = ({ item }: Change): boolean => until === undefined || item.compareTo(until) <= 0;
    for (const stored of this.#base.items(object, type, offset)) {
      let isReplaced = false;
      for (let change = this.#changes[place]; change !== undefined; change = this.#changes[place]) {
        const order = change.item.compare(stored);
        if (order > 0) break;
        place++;
        isReplaced = order === 0;
        if (!change.isGone) yield change.item;
      }
      if (!isReplaced) yield stored;
    }
    for (let change = this.#changes[place]; change !== undefined; change = this.#changes[++place]) {
      if (!isWanted(change)) return;
      if (!change.isGone) yield change.item;
    }
  }
}
