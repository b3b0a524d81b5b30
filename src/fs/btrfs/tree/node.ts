/**
 * Blocks of trees. A node is checked once, when it is read, by the kernel's rules (fs/btrfs/tree-checker.c): its keys
 * are in order, and its items lie in it, one after the other from its end.
 */
import { CorruptError, compareBytes, viewOf, work } from '../../../base/index.js';
import { blockHolds } from '../checksum.js';
import {
  headerAt,
  headerSize,
  itemAt,
  itemSize,
  keyAt,
  mostLevels,
  pointerAt,
  pointerSize,
} from '../layout.js';
import type { Superblock } from '../superblock.js';
import { compareKeys, compareToKey, objectIdAt, offsetAt, type SearchKey, signed64, typeAt } from './keys.js';

export class TreeBlock {
  readonly address: number;
  readonly view: DataView;
  /** 0 for a leaf. */
  readonly level: number;
  /** Of items, or of pointers. */
  readonly count: number;
  readonly generation: number;
  readonly #stride: number;

  constructor(address: number, view: DataView, level: number, count: number, generation: number) {
    this.address = address;
    this.view = view;
    this.level = level;
    this.count = count;
    this.generation = generation;
    this.#stride = level === 0 ? itemSize : pointerSize;
  }

  /** Where the key of an item or pointer lies in the view. */
  keyAt(index: number): number {
    return headerSize + index * this.#stride;
  }

  /** How many keys come before `wanted`. */
  countBefore(wanted: SearchKey): number {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareToKey(this.view, this.keyAt(middle), wanted) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Of a node above the leaves: the child that a pointer names. */
  child(index: number): { readonly address: number; readonly generation: number } {
    const at = this.keyAt(index);
    return {
      address: signed64(this.view, at + pointerAt.blockptr),
      generation: signed64(this.view, at + pointerAt.generation),
    };
  }

  /** Of a leaf. The caller has bounded the index. */
  item(index: number): Item {
    return new Item(this.view, this.keyAt(index));
  }
}

/** An item of a leaf: its key, and where its bytes lie in the leaf's. */
export class Item {
  readonly view: DataView;
  readonly #at: number;

  constructor(view: DataView, at: number) {
    this.view = view;
    this.#at = at;
  }

  /** The order of its key to another: negative, zero or positive. */
  compareTo(wanted: SearchKey): number {
    return compareToKey(this.view, this.#at, wanted);
  }

  /** The order of its key to another item's. */
  compare(other: Item): number {
    return compareKeys(this.view, this.#at, other.view, other.#at);
  }

  get object(): number {
    return objectIdAt(this.view, this.#at);
  }

  get type(): number {
    return typeAt(this.view, this.#at);
  }

  get offset(): number {
    return offsetAt(this.view, this.#at);
  }

  /** The same as it is stored, for what uses all of its bits. */
  get offsetBits(): bigint {
    return this.view.getBigUint64(this.#at + keyAt.offset, true);
  }

  /** The first byte. */
  get start(): number {
    return headerSize + this.view.getUint32(this.#at + itemAt.offset, true);
  }

  get size(): number {
    return this.view.getUint32(this.#at + itemAt.size, true);
  }

  get end(): number {
    return this.start + this.size;
  }

  /** Its bytes from the byte `from` of it on; `length` defaults to all. The caller keeps within them. */
  bytes(from = 0, length = this.size - from): Uint8Array {
    return new Uint8Array(this.view.buffer, this.view.byteOffset + this.start + from, length);
  }
}

/**
 * Checks a block that was read at an address and makes a node of it. `name`: of its tree, for errors.
 */
export function decodeNode(
  bytes: Uint8Array,
  address: number,
  { checksum, metadataUuid }: Superblock,
  name: string,
): TreeBlock {
  const corrupt = (problem: string, details: Record<string, number> = {}): CorruptError =>
    new CorruptError(name, `a block of it ${problem}`, { address, ...details });
  const view = viewOf(bytes);
  if (!blockHolds(checksum, view)) throw corrupt('has a bad checksum');
  if (compareBytes(bytes.subarray(headerAt.fsid, headerAt.fsid + metadataUuid.length), metadataUuid) !== 0)
    throw corrupt('belongs to another filesystem');
  const stored = signed64(view, headerAt.bytenr);
  if (stored !== address) throw corrupt('belongs to another place', { stored });
  const level = view.getUint8(headerAt.level);
  if (level >= mostLevels) throw corrupt('is too far from the leaves', { level });
  const count = view.getUint32(headerAt.nritems, true);
  const room = Math.floor((bytes.length - headerSize) / (level === 0 ? itemSize : pointerSize));
  if (count > room || (count === 0 && level > 0))
    throw corrupt('has an impossible number of items', { count });
  const node = new TreeBlock(address, view, level, count, signed64(view, headerAt.generation));
  work.entries.spend(count);
  for (let index = 1; index < count; index++)
    if (compareKeys(view, node.keyAt(index - 1), view, node.keyAt(index)) >= 0)
      throw corrupt('has its keys out of order', { index });
  if (level === 0) checkItems(node, bytes.length, corrupt);
  return node;
}

/** The bytes of items lie without gaps before the end of the leaf, the first item's last. */
function checkItems(
  { view, count }: TreeBlock,
  length: number,
  corrupt: (problem: string, details?: Record<string, number>) => CorruptError,
): void {
  let end = length - headerSize;
  const least = count * itemSize;
  for (let index = 0; index < count; index++) {
    const at = headerSize + index * itemSize;
    const start = view.getUint32(at + itemAt.offset, true);
    const size = view.getUint32(at + itemAt.size, true);
    if (start + size !== end || start < least) throw corrupt('has an item at an impossible place', { index });
    end = start;
  }
}
