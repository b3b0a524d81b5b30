/** Walking trees. Every child is compared with what its parent says of it, so that no walk comes twice to a block. */
import { CorruptError, work } from '../../../base/index.js';
import { compareKeys, compareToKey, key, lastOffset, type SearchKey } from './keys.js';
import type { Item, TreeBlock } from './node.js';
import type { NodeStore } from './store.js';

/** Where a tree begins. */
export interface TreeRoot {
  readonly address: number;
  readonly level: number;
  readonly generation: number;
}

/** The path to an item: the nodes from the root to a leaf, and the index in each. */
interface Step {
  readonly node: TreeBlock;
  index: number;
}

/** What is read of a tree, whether it is stored so or changed by a log. */
export interface ItemTree {
  /** For errors. */
  readonly name: string;
  /** The item of a key; undefined if there is none. */
  find(wanted: SearchKey): Item | undefined;
  /** The last item of an object and a type whose offset is at most `offset`; undefined if there is none. */
  floor(object: number, type: number, offset: number): Item | undefined;
  /** The first item of an object and a type whose offset is at least `offset`; undefined if there is none. */
  ceiling(object: number, type: number, offset: number): Item | undefined;
  /**
   * Items in order: all of the tree; those of an object; those of one type of it, from `offset` on. Each is valid as
   * long as the caller keeps it.
   */
  items(object?: number, type?: number, offset?: number): Generator<Item, void>;
}

export class BTree implements ItemTree {
  readonly root: TreeRoot;
  readonly name: string;
  readonly #store: NodeStore;
  #rootBlock: TreeBlock | undefined;
  // A walk alternates between a directory and the inodes that it names, so the last two leaves are tried first.
  #last: TreeBlock | undefined;
  #lastButOne: TreeBlock | undefined;

  constructor(store: NodeStore, root: TreeRoot, name: string) {
    this.#store = store;
    this.root = root;
    this.name = name;
  }

  find(wanted: SearchKey): Item | undefined {
    const leaf = this.#leafOf(wanted);
    const index = leaf.countBefore(wanted);
    return index < leaf.count && compareToKey(leaf.view, leaf.keyAt(index), wanted) === 0
      ? leaf.item(index)
      : undefined;
  }

  floor(object: number, type: number, offset: number): Item | undefined {
    const wanted = key(object, type, offset);
    // Whoever comes before the first key of a leaf is in the leaf before it, where the path to the wanted key leads.
    const leaf = this.#leafOf(wanted);
    let index = leaf.countBefore(wanted);
    if (index === leaf.count || compareToKey(leaf.view, leaf.keyAt(index), wanted) !== 0) index--;
    if (index < 0) return undefined;
    const item = leaf.item(index);
    return item.type === type && item.object === object ? item : undefined;
  }

  ceiling(object: number, type: number, offset: number): Item | undefined {
    for (const item of this.items(object, type, offset)) return item;
    return undefined;
  }

  *items(object?: number, type?: number, offset = 0): Generator<Item, void> {
    const from = key(object ?? 0, type ?? 0, offset);
    const until = object === undefined ? undefined : key(object, type ?? 0xff, lastOffset);
    const path = this.#pathTo(from);
    const leafStep = path.at(-1) as Step; // safe: a path has the root at least
    leafStep.index = leafStep.node.countBefore(from);
    for (;;) {
      const { node: leaf, index } = path.at(-1) as Step; // safe: as above
      for (let i = index; i < leaf.count; i++) {
        work.entries.spend(1);
        if (until !== undefined && compareToKey(leaf.view, leaf.keyAt(i), until) > 0) return;
        yield leaf.item(i);
      }
      if (!this.#nextLeaf(path)) return;
    }
  }

  /** Goes on to the first item of the next leaf; false at the end. */
  #nextLeaf(path: Step[]): boolean {
    while (path.length > 1) {
      path.pop();
      const step = path.at(-1) as Step; // safe: the root is never taken away
      if (++step.index >= step.node.count) continue;
      while (step.node.level > 0 && (path.at(-1) as Step).node.level > 0)
        path.push({ node: this.#childOf(path), index: 0 });
      return true;
    }
    return false;
  }

  /** The leaf in which a key is, if it is anywhere. */
  #leafOf(wanted: SearchKey): TreeBlock {
    const last = this.#last;
    if (last !== undefined && covers(last, wanted)) return last;
    const lastButOne = this.#lastButOne;
    this.#lastButOne = last;
    if (lastButOne !== undefined && covers(lastButOne, wanted)) {
      this.#last = lastButOne;
      return lastButOne;
    }
    const { node } = this.#pathTo(wanted).at(-1) as Step; // safe: a path has the root at least
    this.#last = node;
    return node;
  }

  #pathTo(wanted: SearchKey): Step[] {
    const { address, level, generation } = this.root;
    this.#rootBlock ??= this.#store.read(address, level, generation, this.name);
    const path: Step[] = [{ node: this.#rootBlock, index: 0 }];
    for (let step = path[0] as Step; step.node.level > 0; step = path.at(-1) as Step) {
      // safe: one step was put there, and more follow
      const index = step.node.countBefore(wanted);
      const isAt =
        index < step.node.count && compareToKey(step.node.view, step.node.keyAt(index), wanted) === 0;
      step.index = Math.max(0, isAt ? index : index - 1);
      path.push({ node: this.#childOf(path), index: 0 });
    }
    return path;
  }

  /**
   * The child at the last step of a path. Its first key is the one that the parent has for it, and its last comes before
   * the next key above.
   */
  #childOf(path: readonly Step[]): TreeBlock {
    const { node, index } = path.at(-1) as Step; // safe: callers give a path with a step
    const { address, generation } = node.child(index);
    const child = this.#store.read(address, node.level - 1, generation, this.name);
    const at = node.keyAt(index);
    if (child.count === 0 || compareKeys(child.view, child.keyAt(0), node.view, at) !== 0)
      throw new CorruptError(this.name, 'a block of it begins elsewhere than the one above says', {
        address,
      });
    for (let depth = path.length - 1; depth >= 0; depth--) {
      const above = path[depth] as Step; // safe: depth < path.length
      if (above.index + 1 >= above.node.count) continue;
      const next = above.node.keyAt(above.index + 1);
      if (compareKeys(child.view, child.keyAt(child.count - 1), above.node.view, next) >= 0)
        throw new CorruptError(this.name, 'a block of it goes on into the next', { address });
      break;
    }
    return child;
  }
}

/** Whether a key lies between the first and the last key of a leaf. */
function covers(leaf: TreeBlock, wanted: SearchKey): boolean {
  return (
    leaf.count > 0 &&
    compareToKey(leaf.view, leaf.keyAt(0), wanted) <= 0 &&
    compareToKey(leaf.view, leaf.keyAt(leaf.count - 1), wanted) >= 0
  );
}
