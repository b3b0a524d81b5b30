/**
 * The journal of a new filesystem: an inode whose blocks lie near the middle, or by themselves on a disk that other
 * filesystems use. Specification: the kernel's Documentation/filesystems/ext4/journal.rst.
 */
import { crc32c, viewOf } from '../../../base/index.js';
import { incompat } from '../features.js';
import { journalBlockTypes, journalMagic, journalSuperblock } from '../journal/layout.js';
import {
  extentEntrySize,
  inodeBlockAreaSize,
  inodeFlags,
  maxInitializedLength,
  reservedInodes,
} from '../layout.js';
import { has } from '../superblock.js';
import type { ListedExtent } from '../write/extent-list.js';
import { encodeNode, rootEntries } from '../write/extent-tree.js';
import type { BlockRange } from '../write/space.js';
import { blockSeedOf, goalOf, type NewVolume, writeInode } from './first-inodes.js';
import { type NewGroup, takeBlocks } from './group-tables.js';
import type { JournalBlocks } from './journal-size.js';

const addressSize = 4;
/** The blocks that an inode without extents names itself; behind them come those of one, two and three steps. */
const directBlocks = 12;

interface JournalShape {
  readonly blockSize: number;
  readonly blocks: JournalBlocks;
  readonly uuid: Uint8Array;
  /** Blocks in front of it on a disk of its own; undefined inside a filesystem. */
  readonly before?: number;
}

/** The first block of a journal. */
export function encodeJournalSuperblock({ blockSize, blocks, uuid, before }: JournalShape): Uint8Array {
  const bytes = new Uint8Array(blockSize);
  return journalSuperblock.encode(
    {
      h_magic: journalMagic,
      h_blocktype: journalBlockTypes.superblockV2,
      s_blocksize: blockSize,
      s_maxlen: blocks.log + blocks.fastCommits,
      s_nr_users: before === undefined ? 1 : 0,
      s_first: before === undefined ? 1 : before + 1,
      s_sequence: 1,
      s_num_fc_blks: blocks.fastCommits,
      s_uuid: uuid,
    },
    bytes,
  );
}

/**
 * Takes blocks for a file, in runs. `node`: as mke2fs, a block for the first node of the extent tree is taken as soon as
 * there are more runs than the inode has room for.
 */
function takeRuns(
  volume: NewVolume,
  goal: number,
  count: number,
): { runs: BlockRange[]; node: number | undefined } {
  const { geometry, tables } = volume;
  const { blocksPerCluster } = geometry;
  const runs: BlockRange[] = [];
  let node: number | undefined;
  const most = maxInitializedLength - (maxInitializedLength % blocksPerCluster);
  let from = goal;
  for (let left = count; left > 0; ) {
    const run = tables.used.findRun(from, Math.min(left, most));
    takeBlocks(tables, geometry, run.block, Math.ceil(run.count / blocksPerCluster) * blocksPerCluster);
    runs.push(run);
    if (runs.length === rootEntries + 1) node = takeNode(volume, runs);
    left -= run.count;
    from = run.block + run.count;
  }
  return { runs, node };
}

/** A block for a node of an extent tree, if possible just before what it leads to. */
function takeNode({ geometry, tables }: NewVolume, entries: readonly { readonly block: number }[]): number {
  const { blocksPerCluster } = geometry;
  const { block } = tables.used.findRun((entries[0]?.block ?? 0) - blocksPerCluster, 1); // safe: never without entries
  takeBlocks(tables, geometry, block, blocksPerCluster);
  return block;
}

/** Where a journal is looked for room: about the middle, in the emptiest group there. */
function middle({ geometry, tables }: NewVolume): number {
  const { blockCount, firstDataBlock, blocksPerGroup, groupsPerFlex, groupCount } = geometry;
  const half = Math.floor((blockCount - firstDataBlock) / 2);
  const groupAt = (number: number): NewGroup => tables.groups[number] as NewGroup; // safe: below groupCount
  const free = (number: number): number => {
    const { first, last } = groupAt(number);
    return last + 1 - first - tables.used.countUsed(first, last + 1);
  };
  let group = Math.floor((half - firstDataBlock) / blocksPerGroup);
  let start = Math.max(0, group - 1);
  if (groupsPerFlex > 1 && group > groupsPerFlex) {
    group -= group % groupsPerFlex;
    while (group < groupCount && free(group) === 0) group++;
    if (group === groupCount) group = 0;
    start = group;
  }
  const end = group + 1 < groupCount ? group + 1 : group;
  let best = start;
  for (let number = start + 1; number <= end; number++) if (free(number) > free(best)) best = number;
  return groupAt(best).first;
}

/** Makes the inode of the journal. Its blocks other than the first are the caller's to clear: they are returned. */
export function makeJournal(
  volume: NewVolume,
  blocks: JournalBlocks,
): { runs: BlockRange[]; blockArea: Uint8Array } {
  const { geometry, writes, superblock } = volume;
  const { blockSize, blocksPerCluster } = geometry;
  const count = blocks.log + blocks.fastCommits;
  const extents = has(geometry.features.incompat, incompat.extents);
  const { runs, others, blockArea } = extents ? mapByExtents(volume, count) : mapByAddresses(volume, count);
  const first = runs[0]?.block ?? 0; // safe: count is at least 1024
  writes.block(first).set(encodeJournalSuperblock({ blockSize, blocks, uuid: superblock.raw.s_uuid }));
  writeInode(volume, reservedInodes.journal, {
    mode: 0o100600,
    links: 1,
    sizeInBytes: count * blockSize,
    clusters: Math.ceil(count / blocksPerCluster) + others,
    flags: extents ? inodeFlags.EXT4_EXTENTS_FL : 0,
    blockArea,
  });
  return { runs, blockArea };
}

interface Mapped {
  readonly runs: BlockRange[];
  /** Clusters that the map itself takes. */
  readonly others: number;
  readonly blockArea: Uint8Array;
}

function mapByExtents(volume: NewVolume, count: number): Mapped {
  const { geometry, writes } = volume;
  const { blockSize } = geometry;
  const { runs, node } = takeRuns(volume, middle(volume), count);
  let logical = 0;
  const extents: ListedExtent[] = runs.map((run) => {
    const extent = { ...run, logical, written: true };
    logical += run.count;
    return extent;
  });
  const seed = blockSeedOf(volume, reservedInodes.journal);
  const perBlock = Math.floor(blockSize / extentEntrySize) - 1;
  const blockArea = new Uint8Array(inodeBlockAreaSize);
  let depth = 0;
  let others = 0;
  let entries: readonly (ListedExtent | { logical: number; block: number })[] = extents;
  while (entries.length > rootEntries) {
    const nodes: { logical: number; block: number }[] = [];
    for (let from = 0; from < entries.length; from += perBlock) {
      const part = entries.slice(from, from + perBlock);
      const block = others === 0 && node !== undefined ? node : takeNode(volume, part);
      others++;
      const bytes = writes.block(block);
      encodeNode(bytes, part, depth, perBlock);
      const tail = (perBlock + 1) * extentEntrySize;
      if (seed !== undefined) viewOf(bytes).setUint32(tail, crc32c(seed, bytes.subarray(0, tail)), true);
      nodes.push({ logical: part[0]?.logical ?? 0, block }); // safe: no part is empty
    }
    entries = nodes;
    depth++;
  }
  encodeNode(blockArea, entries, depth, rootEntries);
  return { runs, others, blockArea };
}

/** Block by block, each table of addresses in front of what it names, as ext3 has always been written. */
function mapByAddresses(volume: NewVolume, count: number): Mapped {
  const { geometry, tables, writes } = volume;
  const addresses = geometry.blockSize / addressSize;
  const blockArea = new Uint8Array(inodeBlockAreaSize);
  const area = viewOf(blockArea);
  const runs: { block: number; count: number }[] = [];
  let others = 0;
  let goal = goalOf(volume, reservedInodes.journal);
  const take = (): number => {
    goal = tables.used.take(goal);
    takeBlocks(tables, geometry, goal, 1);
    return goal;
  };
  let left = count;
  const data = (): number => {
    const block = take();
    const last = runs.at(-1);
    if (last !== undefined && last.block + last.count === block) last.count++;
    else runs.push({ block, count: 1 });
    left--;
    return block;
  };
  const table = (steps: number): number => {
    const block = take();
    others++;
    const view = writes.view(block);
    for (let index = 0; index < addresses && left > 0; index++)
      view.setUint32(index * addressSize, steps === 1 ? data() : table(steps - 1), true);
    return block;
  };
  for (let index = 0; index < directBlocks && left > 0; index++)
    area.setUint32(index * addressSize, data(), true);
  for (let steps = 1; left > 0; steps++)
    area.setUint32((directBlocks + steps - 1) * addressSize, table(steps), true);
  return { runs, others, blockArea };
}
