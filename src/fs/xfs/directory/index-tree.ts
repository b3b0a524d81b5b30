/**
 * The index of a large directory, or of attributes in several blocks: entries by hash in leaves, which lie below nodes
 * if they are many. Specification: the kernel's fs/xfs/libxfs/xfs_da_btree.c and xfs_da_format.h.
 */
import { CorruptError } from '../../../base/index.js';
import {
  dabtreeAt,
  dabtreeInfoSize,
  dabtreeInfoSize5,
  dabtreeSelf,
  leafCountAt,
  leafEntryAt,
  leafEntrySize,
  leafHeaderSize,
  leafHeaderSize5,
  mostDabtreeLevels,
  nodeCountAt,
  nodeEntryAt,
  nodeEntrySize,
  nodeLevelAt,
  nodeMagics,
  type SelfDescription,
} from '../layout.js';
import type { DirectoryBlock, ForkBlocks } from './blocks.js';

export interface IndexSource {
  readonly blocks: ForkBlocks;
  readonly version5: boolean;
  /** The magic numbers of leaves. */
  readonly leafMagics: readonly number[];
  /** Where the index begins in the fork; in bytes. */
  readonly start: number;
  /** The unit of block numbers in nodes; in bytes. */
  readonly unit: number;
  /** For errors. */
  readonly name: string;
}

/** The magic number of an index block; 16 bits. */
function magicOf(view: DataView): number {
  return view.getUint16(dabtreeAt.magic);
}

function readIndexBlock(source: IndexSource, number: number): DirectoryBlock {
  const offset = number * source.unit;
  return source.blocks.read(offset, (view): SelfDescription | undefined => {
    const magic = magicOf(view);
    const known = nodeMagics.some((node) => node === magic) || source.leafMagics.includes(magic);
    return known ? dabtreeSelf : undefined;
  });
}

/** The first of `count` entries whose hash is at least `hash`; `count` if all are less. */
function firstAtLeast(view: DataView, at: number, count: number, size: number, hash: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (view.getUint32(at + middle * size) < hash) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The leaves that may hold a hash, in order: the one where it would be, and those after it as long as they begin with
 * it. Without a hash, all leaves.
 */
export function* leavesOf(source: IndexSource, hash?: number): Generator<DirectoryBlock> {
  let block = readIndexBlock(source, source.start / source.unit);
  const infoSize = source.version5 ? dabtreeInfoSize5 : dabtreeInfoSize;
  const headerSize = source.version5 ? leafHeaderSize5 : leafHeaderSize;
  let expected: number | undefined;
  for (let depth = 0; nodeMagics.some((magic) => magic === magicOf(block.view)); depth++) {
    const { view } = block;
    const count = view.getUint16(infoSize + nodeCountAt);
    const level = view.getUint16(infoSize + nodeLevelAt);
    const room = Math.floor((view.byteLength - headerSize) / nodeEntrySize);
    if (depth >= mostDabtreeLevels || level === 0 || level > mostDabtreeLevels || count === 0 || count > room)
      throw new CorruptError(source.name, 'a node of its index is invalid', { level, count, room });
    if (expected !== undefined && level !== expected)
      throw new CorruptError(source.name, 'a node of its index is at the wrong level', { level, expected });
    expected = level - 1;
    const index = hash === undefined ? 0 : firstAtLeast(view, headerSize, count, nodeEntrySize, hash);
    // A hash beyond the last is in none; the kernel looks into the last leaf, where it finds nothing.
    if (index === count) return;
    block = readIndexBlock(source, view.getUint32(headerSize + index * nodeEntrySize + nodeEntryAt.before));
  }
  if (expected !== undefined && expected !== 0)
    throw new CorruptError(source.name, 'a leaf of its index is at the wrong level', { expected });
  const seen = new Set<number>();
  for (;;) {
    yield block;
    const next = block.view.getUint32(dabtreeAt.forw);
    if (next === 0) return;
    if (seen.has(next))
      throw new CorruptError(source.name, 'the leaves of its index form a loop', { block: next });
    seen.add(next);
    block = readIndexBlock(source, next);
    if (!source.leafMagics.includes(magicOf(block.view)))
      throw new CorruptError(source.name, 'a leaf of its index is followed by a node', { block: next });
    if (hash === undefined) continue;
    const { count } = directoryLeaf(block, source);
    if (count > 0 && block.view.getUint32(headerSize) > hash) return;
  }
}

interface Leaf {
  /** The offset of the entries. */
  readonly at: number;
  readonly count: number;
}

/** The header of a leaf of a directory, or of attributes: both have the count at one place. */
function directoryLeaf({ view }: DirectoryBlock, source: IndexSource): Leaf {
  const at = source.version5 ? leafHeaderSize5 : leafHeaderSize;
  const count = view.getUint16((source.version5 ? dabtreeInfoSize5 : dabtreeInfoSize) + leafCountAt);
  if (at + count * leafEntrySize > view.byteLength)
    throw new CorruptError(source.name, 'a leaf of its index has too many entries', { count });
  return { at, count };
}

/** The addresses of the entries with a hash, stale ones left out; in units of 8 bytes. */
export function* addressesInLeaf(
  block: DirectoryBlock,
  source: IndexSource,
  hash: number,
): Generator<number> {
  const { at, count } = directoryLeaf(block, source);
  yield* addressesIn(block.view, at, count, hash);
}

/** As {@link addressesInLeaf}, of any sorted table of index entries. */
export function* addressesIn(view: DataView, at: number, count: number, hash: number): Generator<number> {
  for (let i = firstAtLeast(view, at, count, leafEntrySize, hash); i < count; i++) {
    const entry = at + i * leafEntrySize;
    if (view.getUint32(entry + leafEntryAt.hashval) !== hash) return;
    const address = view.getUint32(entry + leafEntryAt.address);
    if (address !== 0) yield address;
  }
}
