/**
 * The index of a directory: a tree of name hashes, at most three levels deep, whose leaves are ordinary blocks of
 * entries. Specification: the kernel's Documentation/filesystems/ext4/directory.rst, "Hash Tree Directories". Damage
 * is defined as in the kernel's dx_probe (fs/ext4/namei.c); as there, a directory with a damaged index is searched
 * without it.
 */
import { work } from '../../../base/index.js';
import {
  hashTreeAt as at,
  direntHeaderSize,
  hashTreeEntrySize as entrySize,
  hashVersions,
} from '../layout.js';
import { countLimitAt, type EntryArea, type EntryRules } from './entries.js';

/** What the search needs of its directory. */
interface IndexSource {
  readonly rules: EntryRules;
  /** Blocks of the directory. */
  readonly blockCount: number;
  readonly hasChecksums: boolean;
  /** Whether the index may have three levels rather than two. */
  readonly largeDirectories: boolean;
  /** The hash of a name by a version of {@link hashVersions}; undefined if it cannot be computed. */
  readonly hash: (name: Uint8Array, version: number) => number | undefined;
  /** A block of the directory, verified. */
  readonly block: (logical: number) => EntryArea;
}

/** One level on the way down. */
interface Frame {
  readonly logical: number;
  readonly area: EntryArea;
  /** The place of its entries; the first has count and limit in place of a hash. */
  readonly entriesAt: number;
  readonly count: number;
  index: number;
}

function hashAt({ area, entriesAt }: Frame, index: number): number {
  return area.view.getUint32(entriesAt + index * entrySize, true);
}

function blockAt({ area, entriesAt }: Frame, index: number): number {
  return area.view.getUint32(entriesAt + index * entrySize + 4, true) & 0x0fffffff; // the top bits are reserved
}

/** The hash version in the root; undefined if the root is damaged. */
export function indexHashVersion(source: IndexSource): number | undefined {
  if (source.blockCount === 0) return undefined;
  const root = source.block(0);
  return isRoot(root, source) ? root.bytes[at.info_hash_version] : undefined;
}

function isRoot(area: EntryArea, source: IndexSource): boolean {
  return countLimitAt(area, source.rules) === at.root_entries;
}

/** The entries of an index block; undefined if count or limit does not match the block's size. */
function frameOf(
  area: EntryArea,
  logical: number,
  entriesAt: number,
  source: IndexSource,
): Frame | undefined {
  const room = (source.rules.blockSize - entriesAt) / entrySize - (source.hasChecksums ? 1 : 0);
  const limit = area.view.getUint16(entriesAt, true);
  const count = area.view.getUint16(entriesAt + 2, true);
  if (limit !== room || count === 0 || count > limit) return undefined;
  return { logical, area, entriesAt, count, index: 0 };
}

/** The last entry whose hash is at most `hash`; the first entry covers everything before the second. */
function search(frame: Frame, hash: number): number {
  let low = 1;
  let high = frame.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (hashAt(frame, middle) <= hash) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** A way through the index: from the root to the entry that leads to a block of entries. */
export interface Descent {
  readonly frames: readonly Readonly<Frame>[];
  readonly hash: number;
  /** The hash version of the root. */
  readonly version: number;
  readonly leaf: number;
}

/** The way to the first block that may have a name. Undefined if the index is damaged or has an unknown hash. */
export function descend(source: IndexSource, name: Uint8Array): Descent | undefined {
  if (source.blockCount === 0) return undefined;
  const root = source.block(0);
  if (!isRoot(root, source)) return undefined;
  const version = root.bytes[at.info_hash_version] ?? 0;
  const levels = root.bytes[at.info_indirect_levels] ?? 0;
  const flags = root.bytes[at.info_indirect_levels + 1] ?? 0;
  if (version > hashVersions.tea || (flags & 1) !== 0 || levels > mostLevels(source.largeDirectories))
    return undefined;
  const hash = source.hash(name, version);
  if (hash === undefined) return undefined;

  const frames: Frame[] = [];
  const onTheWay = new Set<number>([0]);
  let frame = frameOf(root, 0, at.root_entries, source);
  for (let level = 0; ; level++) {
    if (frame === undefined) return undefined;
    frame.index = search(frame, hash);
    frames.push(frame);
    const block = blockAt(frame, frame.index);
    if (block >= source.blockCount || onTheWay.has(block)) return undefined;
    if (level === levels) return { frames, hash, version, leaf: block };
    onTheWay.add(block);
    frame = innerFrame(source, block);
  }
}

/** Levels of an index below its root. */
export function mostLevels(largeDirectories: boolean): number {
  return largeDirectories ? 2 : 1;
}

/**
 * The blocks that may have a name, in order. Undefined if the index is damaged or has an unknown hash: every block
 * must then be searched.
 */
export function findLeaves(
  source: IndexSource,
  name: Uint8Array,
  found = descend(source, name),
): number[] | undefined {
  if (found === undefined) return undefined;
  if (endsAt(found)) return [found.leaf];
  const frames = found.frames.map((frame) => ({ ...frame }));
  const { hash } = found;
  const leaves = new Set<number>();
  for (;;) {
    work.entries.spend(1);
    const bottom = frames[frames.length - 1] as Frame; // safe: at least the root
    const leaf = blockAt(bottom, bottom.index);
    // Each leaf is a different block, so a leaf that appears twice means damage.
    if (leaves.has(leaf)) return undefined;
    leaves.add(leaf);
    // Names of one hash may continue in the next block, whose hash then has its lowest bit set.
    const more = advance(source, frames, hash);
    if (more === 'end') return [...leaves];
    if (more === 'damaged') return undefined;
  }
}

/** Whether the next block of entries is of the same index block, and has no names of the same hash. */
function endsAt({ frames }: Descent): boolean {
  const bottom = frames[frames.length - 1] as Frame; // safe: at least the root
  return bottom.index + 1 < bottom.count && (hashAt(bottom, bottom.index + 1) & 1) === 0;
}

function innerFrame(source: IndexSource, block: number): Frame | undefined {
  const area = source.block(block);
  if (countLimitAt(area, source.rules) !== at.node_entries) return undefined;
  return frameOf(area, block, direntHeaderSize, source);
}

/** Moves to the next leaf if that may hold the same hash. */
function advance(source: IndexSource, frames: Frame[], hash: number): 'moved' | 'end' | 'damaged' {
  let level = frames.length - 1;
  let frame = frames[level] as Frame; // safe: at least the root
  while (frame.index + 1 >= frame.count) {
    if (level === 0) return 'end';
    frame = frames[--level] as Frame; // safe: level ≥ 0
  }
  frame.index++;
  const next = hashAt(frame, frame.index);
  if ((next & ~1) >>> 0 !== hash || (next & 1) === 0) return 'end';
  for (; level < frames.length - 1; level++) {
    const block = blockAt(frame, frame.index);
    if (block >= source.blockCount) return 'damaged';
    const below = innerFrame(source, block);
    if (below === undefined) return 'damaged';
    frames[level + 1] = below;
    frame = below;
  }
  return blockAt(frame, frame.index) < source.blockCount ? 'moved' : 'damaged';
}
