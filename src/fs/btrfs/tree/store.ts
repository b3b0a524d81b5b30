/** The blocks of all trees, read and checked once, of whichever copy is whole. */
import { CorruptError, work } from '../../../base/index.js';
import { isDamage } from '../../driver.js';
import type { AddressSpace } from '../space/space.js';
import type { Superblock } from '../superblock.js';
import { decodeNode, type TreeBlock } from './node.js';

/** Bytes of blocks that are kept. */
const keptBytes = 8 * 1024 * 1024;

export class NodeStore {
  readonly #space: AddressSpace;
  readonly #superblock: Superblock;
  readonly #warn: (message: string) => void;
  /** By address, modulo their number; a power of two. */
  readonly #slots: (TreeBlock | undefined)[];

  constructor(space: AddressSpace, superblock: Superblock, warn: (message: string) => void) {
    this.#space = space;
    this.#superblock = superblock;
    this.#warn = warn;
    this.#slots = new Array(keptBytes / superblock.nodeSize).fill(undefined);
  }

  /** The block at an address, of which its parent says the level and the generation. `name`: of the tree, for errors. */
  read(address: number, level: number, generation: number, name: string): TreeBlock {
    work.lookups.spend(1);
    const slot = (address / this.#superblock.nodeSize) & (this.#slots.length - 1);
    const known = this.#slots[slot];
    if (known !== undefined && known.address === address) {
      checkFits(known, level, generation, name);
      return known;
    }
    const node = this.#readAnew(address, level, generation, name);
    this.#slots[slot] = node;
    return node;
  }

  /** Takes the first copy that is whole and is what its parent says. */
  #readAnew(address: number, level: number, generation: number, name: string): TreeBlock {
    const { nodeSize, sectorSize } = this.#superblock;
    if (address % sectorSize !== 0)
      throw new CorruptError(name, 'a block of it is at an odd place', { address });
    let first: unknown;
    const copies = this.#space.copiesAt(address, name);
    for (let copy = 0; copy < copies; copy++) {
      try {
        const bytes = new Uint8Array(nodeSize);
        this.#space.readCopy(bytes, address, copy, name);
        const node = decodeNode(bytes, address, this.#superblock, name);
        checkFits(node, level, generation, name);
        if (first !== undefined) this.#warn(`${(first as Error).message}: another copy of it is read`);
        return node;
      } catch (thrown) {
        if (!isDamage(thrown)) throw thrown;
        first ??= thrown;
      }
    }
    throw first;
  }

  clear(): void {
    this.#slots.fill(undefined);
  }
}

function checkFits(node: TreeBlock, level: number, generation: number, name: string): void {
  if (node.level !== level || node.generation !== generation)
    throw new CorruptError(name, 'a block of it is not the one that is named above', {
      address: node.address,
      level: node.level,
      wantedLevel: level,
      generation: node.generation,
      wantedGeneration: generation,
    });
}
