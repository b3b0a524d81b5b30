/**
 * The first inodes of a new filesystem: the root, `lost+found`, the list of bad blocks, and what keeps blocks for later
 * group descriptors. Specification: the kernel's Documentation/filesystems/ext4/special_inodes.rst.
 */
import { crc32c, encodeText, viewOf, work } from '../../../base/index.js';
import { compat, incompat } from '../features.js';
import { setInodeChecksum } from '../inode.js';
import {
  inodeAt as at,
  direntTailSize,
  inodeBlockAreaSize,
  inodeFlags,
  inodeIdentity,
  reservedInodes,
  shortInodeSize,
} from '../layout.js';
import { has, type Superblock } from '../superblock.js';
import type { ListedExtent } from '../write/extent-list.js';
import { encodeNode, rootEntries } from '../write/extent-tree.js';
import { setBlocks, setSize } from '../write/inode-table.js';
import { areaOf, fillArea, placeTail, sealLeaf, storedEntry } from '../write/leaf.js';
import type { BlockWrites } from './block-writes.js';
import { type Geometry, holdsCopy } from './geometry.js';
import { type NewGroup, type Tables, takeBlocks } from './group-tables.js';
import { extraInodeSize } from './superblock.js';

/** The filesystem that is being made, with what its inodes need. */
export interface NewVolume {
  readonly geometry: Geometry;
  readonly superblock: Superblock;
  readonly tables: Tables;
  readonly writes: BlockWrites;
  /** In seconds since 1970. */
  readonly time: number;
}

/** What an inode is made of. */
interface InodeContents {
  readonly mode: number;
  readonly links: number;
  readonly sizeInBytes: number;
  /** Clusters that it occupies. */
  readonly clusters: number;
  readonly flags: number;
  readonly blockArea: Uint8Array;
}

const lostAndFoundInode = 11;
const badBlocksInode = 1;
export const usedInodes = lostAndFoundInode;
export const firstDirectories = [reservedInodes.root, lostAndFoundInode];
/** `lost+found` has at least so many bytes, and two blocks. */
const lostAndFoundSize = 16 * 1024;
export const doubleIndirect = 13;
const addressSize = 4;

/** The bytes of an inode in its table. */
function recordOf(volume: NewVolume, number: number): Uint8Array {
  const { inodesPerGroup, inodeSize } = volume.geometry;
  const { bytes, at: place } = volume.writes.within(
    groupOf(volume, number).inodeTable,
    ((number - 1) % inodesPerGroup) * inodeSize,
  );
  return bytes.subarray(place, place + inodeSize);
}

/** Gives an inode the checksum of what is in it. */
function sumInode(volume: NewVolume, number: number): void {
  setInodeChecksum(volume.superblock, number, viewOf(recordOf(volume, number)));
}

/** Puts an inode into its table; without contents, one with nothing but its times. */
export function writeInode(volume: NewVolume, number: number, contents?: InodeContents): void {
  const { blockSize, blocksPerCluster, inodeSize } = volume.geometry;
  const bytes = recordOf(volume, number);
  const view = viewOf(bytes);
  const seconds = volume.time % 2 ** 32;
  for (const time of [at.i_atime, at.i_ctime, at.i_mtime]) view.setUint32(time, seconds, true);
  if (contents !== undefined) {
    view.setUint16(at.i_mode, contents.mode, true);
    view.setUint16(at.i_links_count, contents.links, true);
    view.setUint32(at.i_flags, contents.flags, true);
    setSize({ bytes, view }, contents.sizeInBytes);
    setBlocks({ bytes, view }, contents.clusters * blocksPerCluster, blockSize);
    bytes.set(contents.blockArea, at.i_block);
    if (inodeSize > shortInodeSize) {
      view.setUint16(at.i_extra_isize, extraInodeSize, true);
      view.setUint32(at.i_crtime, seconds, true);
    }
  }
  sumInode(volume, number);
}

/** The group that an inode is in. */
function groupOf({ geometry, tables }: NewVolume, inode: number): NewGroup {
  // safe: the first inodes are in groups that exist, as a filesystem has at least twelve
  return tables.groups[Math.floor((inode - 1) / geometry.inodesPerGroup)] as NewGroup;
}

/** Where blocks of an inode are looked for first: the start of its group, or of those that have their tables together. */
export function goalOf({ geometry, tables }: NewVolume, inode: number): number {
  const group = Math.floor((inode - 1) / geometry.inodesPerGroup);
  return (tables.groups[group - (group % geometry.groupsPerFlex)] as NewGroup).first; // safe: as in groupOf
}

/** Takes the first free cluster at `goal` or behind it. ENOSPC. */
function takeCluster({ geometry, tables }: NewVolume, goal: number): number {
  const { blocksPerCluster } = geometry;
  const { block } = tables.used.findRun(goal - (goal % blocksPerCluster), 1);
  takeBlocks(tables, geometry, block, blocksPerCluster);
  return block;
}

/** The seed of the checksums of an inode's blocks; undefined without them. */
export function blockSeedOf({ superblock }: NewVolume, number: number): number | undefined {
  const { checksumSeed } = superblock;
  return checksumSeed === undefined
    ? undefined
    : crc32c(checksumSeed, inodeIdentity.encode({ number, generation: 0 }));
}

/** The extents of the blocks of a file, from its start on. */
function extentsOf(blocks: readonly number[]): ListedExtent[] {
  const extents: ListedExtent[] = [];
  for (const [logical, block] of blocks.entries()) {
    const last = extents.at(-1);
    if (last !== undefined && last.block + last.count === block)
      extents[extents.length - 1] = { ...last, count: last.count + 1 };
    else extents.push({ logical, count: 1, block, written: true });
  }
  return extents;
}

/** The 60 bytes of `i_block` for the blocks of a file, few and in order. */
function mapBlocks(
  { geometry }: NewVolume,
  blocks: readonly number[],
): { flags: number; blockArea: Uint8Array } {
  const blockArea = new Uint8Array(inodeBlockAreaSize);
  if (has(geometry.features.incompat, incompat.extents)) {
    encodeNode(blockArea, extentsOf(blocks), 0, rootEntries);
    return { flags: inodeFlags.EXT4_EXTENTS_FL, blockArea };
  }
  for (const [index, block] of blocks.entries())
    viewOf(blockArea).setUint32(index * addressSize, block, true);
  return { flags: 0, blockArea };
}

/** Fills a block with the names of directories. */
function fillDirectoryBlock(
  { geometry, superblock, writes }: NewVolume,
  block: number,
  seed: number | undefined,
  names: readonly (readonly [name: string, inode: number])[],
): void {
  const bytes = writes.block(block);
  const { blockSize, features } = geometry;
  const typed = has(features.incompat, incompat.filetype);
  const rules = { blockSize, inodeCount: superblock.inodeCount, typed };
  const area = areaOf(bytes, 0, seed === undefined ? blockSize : blockSize - direntTailSize);
  const entries = names.map(([name, inode]) => ({
    name: encodeText(name),
    inode,
    kind: 'directory' as const,
  }));
  fillArea(
    area,
    rules,
    entries.map((entry) => storedEntry(rules, entry)),
  );
  if (seed === undefined) return;
  placeTail(area);
  sealLeaf(area, seed);
}

/** The root, `lost+found` in it, and the list of bad blocks, which is empty. */
export function makeFirstDirectories(volume: NewVolume): void {
  const { blockSize, blocksPerCluster } = volume.geometry;
  const { root } = reservedInodes;
  const rootBlock = takeCluster(volume, goalOf(volume, root));
  fillDirectoryBlock(volume, rootBlock, blockSeedOf(volume, root), [
    ['.', root],
    ['..', root],
    ['lost+found', lostAndFoundInode],
  ]);
  const whole = { clusters: 1, mode: 0o40755, links: 3, sizeInBytes: blockSize };
  writeInode(volume, root, { ...whole, ...mapBlocks(volume, [rootBlock]) });

  // Twelve blocks are as many as an inode without extents holds by itself.
  const count = Math.min(12, Math.max(2, lostAndFoundSize / blockSize));
  const seed = blockSeedOf(volume, lostAndFoundInode);
  groupOf(volume, lostAndFoundInode).touched = true;
  const blocks: number[] = [];
  let goal = goalOf(volume, lostAndFoundInode);
  for (let index = 0; index < count; index++) {
    const inCluster = index % blocksPerCluster;
    const block = inCluster > 0 ? goal + 1 : takeCluster(volume, goal + (index > 0 ? 1 : 0));
    goal = block;
    blocks.push(block);
    const dots = [['.', lostAndFoundInode] as const, ['..', root] as const];
    fillDirectoryBlock(volume, block, seed, index === 0 ? dots : []);
  }
  writeInode(volume, lostAndFoundInode, {
    mode: 0o40700,
    links: 2,
    sizeInBytes: count * blockSize,
    clusters: Math.ceil(count / blocksPerCluster),
    ...mapBlocks(volume, blocks),
  });
  // The others of the first inodes have nothing but a checksum. Those that are made later replace it.
  for (let number = badBlocksInode + 2; number < lostAndFoundInode; number++) sumInode(volume, number);
  writeInode(volume, badBlocksInode);
}

/**
 * The inode that keeps the blocks behind the descriptors: each is a block of addresses, which names its copies in other
 * groups.
 */
export function makeResizeInode(volume: NewVolume): void {
  const { geometry } = volume;
  const { reservedDescriptorBlocks: reserved, descriptorBlocks, blockSize } = geometry;
  if (!has(geometry.features.compat, compat.resizeInode)) return;
  const addresses = blockSize / addressSize;
  const { descriptors } = groupOf(volume, 1);
  const double = takeCluster(volume, descriptors + 1 + descriptorBlocks + reserved + geometry.tableBlocks);
  const clusters = mapReserved(volume, double);
  const blockArea = new Uint8Array(inodeBlockAreaSize);
  viewOf(blockArea).setUint32(doubleIndirect * addressSize, double, true);
  writeInode(volume, reservedInodes.resize, {
    mode: 0o100600,
    links: 1,
    sizeInBytes: (addresses * addresses + addresses + 12) * blockSize,
    clusters,
    flags: 0,
    blockArea,
  });
}

/** Fills the blocks of addresses of that inode, from `double` on. How many blocks it has. */
export function mapReserved({ geometry, writes, tables }: NewVolume, double: number): number {
  const { reservedDescriptorBlocks: reserved, descriptorBlocks, blockSize } = geometry;
  const addresses = blockSize / addressSize;
  const descriptors = tables.groups[0]?.descriptors ?? 0;
  const table = writes.view(double);
  const backups = tables.groups.filter((group) => group.number > 0 && holdsCopy(geometry, group.number));
  for (let index = 0; index < reserved; index++) {
    work.steps.spend(backups.length + 1);
    const block = descriptors + descriptorBlocks + index;
    table.setUint32(((descriptorBlocks + index) % addresses) * addressSize, block, true);
    const copies = writes.view(block);
    for (const [place, { number }] of backups.entries())
      copies.setUint32(place * addressSize, block + number * geometry.blocksPerGroup, true);
  }
  return 1 + reserved * (1 + backups.length);
}
