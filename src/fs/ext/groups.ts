/**
 * Block groups: the place and the contents of group descriptors. They are read and checked one at a time.
 * Specification: the kernel's Documentation/filesystems/ext4/group_descr.rst and blockgroup.rst (meta_bg).
 */
import {
  CorruptError,
  checksumHolds,
  crc16,
  crc32c,
  crc32cOfView,
  LruMap,
  viewOf,
} from '../../base/index.js';
import type { BlockReader } from '../../disk/index.js';
import { incompat, roCompat } from './features.js';
import { groupDescriptor, groupIdentity, shortDescriptorSize } from './layout.js';
import { has, hasSuperblockCopy, type Superblock } from './superblock.js';

/** A group as its descriptor tells. */
interface Group {
  readonly number: number;
  /** `bg_flags`, which are only valid if groups have checksums. */
  readonly flags: number;
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  /** The first block of the inode table; the whole table lies inside the filesystem. */
  readonly inodeTable: number;
}

const at = groupDescriptor.fields;

function nameOf(group: number): string {
  return `ext4 group descriptor ${group}`;
}

export class Groups {
  readonly #superblock: Superblock;
  readonly #pieces: BlockReader;
  readonly #known = new LruMap<number, Group>(1024);
  /** Groups whose descriptors are being changed, so that their checksums are not those of what is in them. */
  readonly unsealed = new Set<number>();
  readonly #onBadChecksum: (message: string) => void;
  readonly #anywhere: boolean;
  /** Blocks of one group's inode table. */
  readonly #tableBlocks: number;
  #last: Group | undefined;

  /** `onBadChecksum` is called for descriptors with a wrong checksum; it may throw. */
  constructor(superblock: Superblock, pieces: BlockReader, onBadChecksum: (message: string) => void) {
    this.#superblock = superblock;
    this.#pieces = pieces;
    this.#onBadChecksum = onBadChecksum;
    const { features, inodesPerGroup, inodeSize, blockSize } = superblock;
    this.#anywhere = has(features.incompat, incompat.flexGroups);
    this.#tableBlocks = Math.ceil((inodesPerGroup * inodeSize) / blockSize);
  }

  /** `number` must be below the superblock's group count. Throws CorruptError. */
  get(number: number): Group {
    const last = this.#last;
    if (last !== undefined && last.number === number) return last;
    let group = this.#known.get(number);
    if (group === undefined) {
      group = this.#read(number);
      this.#known.set(number, group);
    }
    this.#last = group;
    return group;
  }

  /** The free space of all groups by their descriptors: the kernel counts so when it mounts. */
  free(): { readonly clusters: number; readonly inodes: number } {
    const { blockSize, descriptorSize, groupCount } = this.#superblock;
    const perBlock = blockSize / descriptorSize;
    const long = descriptorSize > shortDescriptorSize;
    let clusters = 0;
    let inodes = 0;
    for (let first = 0; first < groupCount; first += perBlock) {
      const offset = this.#descriptorBlock(first / perBlock) * blockSize;
      const view = viewOf(this.#pieces.bytes(offset, blockSize, `ext4 group descriptor ${first}`));
      const end = Math.min(perBlock, groupCount - first) * descriptorSize;
      for (let base = 0; base < end; base += descriptorSize) {
        clusters += view.getUint16(base + at.bg_free_blocks_count_lo.at, true);
        inodes += view.getUint16(base + at.bg_free_inodes_count_lo.at, true);
        if (!long) continue;
        clusters += view.getUint16(base + at.bg_free_blocks_count_hi.at, true) * 0x10000;
        inodes += view.getUint16(base + at.bg_free_inodes_count_hi.at, true) * 0x10000;
      }
    }
    return { clusters, inodes };
  }

  /** The block of descriptor block number `index`. */
  #descriptorBlock(index: number): number {
    const { blockSize, firstDataBlock, firstMetaGroup, blocksPerGroup, descriptorSize } = this.#superblock;
    // The superblock lies at byte 1024: in block 1 of 1 KiB blocks, else in block 0.
    if (index < firstMetaGroup) return (blockSize === 1024 ? 1 : 0) + 1 + index;
    const group = index * (blockSize / descriptorSize);
    let behind = hasSuperblockCopy(this.#superblock, group) ? 1 : 0;
    // With 1 KiB blocks and bigalloc, group 0 begins at block 0 but the superblock lies in block 1.
    if (blockSize === 1024 && index === 0 && firstDataBlock === 0) behind++;
    return firstDataBlock + group * blocksPerGroup + behind;
  }

  /** A group's descriptor, or every one, has changed: it is read anew. */
  forget(number?: number): void {
    this.#last = undefined;
    if (number === undefined) this.#known.clear();
    else this.#known.delete(number);
  }

  /** Checks the descriptors of groups below `count` without keeping them. */
  check(count: number): void {
    for (let number = 0; number < count; number++) this.#read(number);
  }

  /** Where a group's descriptor lies; in bytes. */
  offsetOf(number: number): number {
    const { blockSize, descriptorSize } = this.#superblock;
    const perBlock = blockSize / descriptorSize;
    const index = number % perBlock;
    return this.#descriptorBlock((number - index) / perBlock) * blockSize + index * descriptorSize;
  }

  /** Whether a block bitmap has the checksum that its descriptor tells, which has 16 bits in short ones. */
  bitmapSumHolds(number: number, sum: number): boolean {
    const { descriptorSize } = this.#superblock;
    const view = viewOf(this.#pieces.bytes(this.offsetOf(number), descriptorSize, nameOf(number)));
    const low = view.getUint16(at.bg_block_bitmap_csum_lo.at, true);
    if (descriptorSize <= shortDescriptorSize) return checksumHolds(sum % 0x10000, low);
    return checksumHolds(sum, low + view.getUint16(at.bg_block_bitmap_csum_hi.at, true) * 0x10000);
  }

  /** Puts the right checksum into a group's descriptor at `base`, where the filesystem has checksums. */
  setChecksum(number: number, view: DataView, base: number): void {
    const sum = descriptorChecksum(this.#superblock, number, view, base);
    if (sum !== undefined) at.bg_checksum.write(view, base, sum, true);
  }

  #read(number: number): Group {
    const { descriptorSize } = this.#superblock;
    const offset = this.offsetOf(number);
    const piece = this.#pieces.at(offset, 'ext4 group descriptors');
    const base = offset - piece.start;
    if (base + descriptorSize > piece.bytes.length)
      throw new CorruptError(nameOf(number), 'lies outside the disk', { offset });
    const { view } = piece;
    if (!this.unsealed.has(number) && !this.#checksumHolds(number, view, base))
      this.#onBadChecksum(`${nameOf(number)}: has a bad checksum`);
    const long = descriptorSize > shortDescriptorSize;
    const block = (low: number, high: number): number =>
      view.getUint32(base + low, true) + (long ? view.getUint32(base + high, true) * 0x1_0000_0000 : 0);
    const group: Group = {
      number,
      flags: view.getUint16(base + at.bg_flags.at, true),
      blockBitmap: block(at.bg_block_bitmap_lo.at, at.bg_block_bitmap_hi.at),
      inodeBitmap: block(at.bg_inode_bitmap_lo.at, at.bg_inode_bitmap_hi.at),
      inodeTable: block(at.bg_inode_table_lo.at, at.bg_inode_table_hi.at),
    };
    this.#checkPlaces(group);
    return group;
  }

  /** Bitmaps and inode table are in their group; with flex_bg they may be anywhere in the filesystem. */
  #checkPlaces(group: Group): void {
    const { firstDataBlock, blockCount, blocksPerGroup } = this.#superblock;
    const first = this.#anywhere ? firstDataBlock : firstDataBlock + group.number * blocksPerGroup;
    const end = this.#anywhere ? blockCount : Math.min(blockCount, first + blocksPerGroup);
    const check = (name: string, block: number, length: number): void => {
      if (block < first || block + length > end)
        throw new CorruptError(nameOf(group.number), `the ${name} lies outside`, {
          block,
          length,
          first,
          end,
        });
    };
    check('block bitmap', group.blockBitmap, 1);
    check('inode bitmap', group.inodeBitmap, 1);
    check('inode table', group.inodeTable, this.#tableBlocks);
  }

  #checksumHolds(number: number, view: DataView, base: number): boolean {
    const sum = descriptorChecksum(this.#superblock, number, view, base);
    return sum === undefined || checksumHolds(sum, view.getUint16(base + at.bg_checksum.at, true));
  }
}

/** A group's number, followed by two zero bytes. */
const numberBytes = new Uint8Array(groupIdentity.size + 2);

/** The checksum of the descriptor at `base`, whose own field does not count; undefined where there are none. */
export function descriptorChecksum(
  superblock: Superblock,
  number: number,
  view: DataView,
  base: number,
): number | undefined {
  const { checksumSeed, descriptorSize, features, raw } = superblock;
  const checksumAt = base + at.bg_checksum.at;
  const end = base + descriptorSize;
  groupIdentity.encode({ number }, numberBytes);
  if (checksumSeed !== undefined) {
    let sum = crc32c(checksumSeed, numberBytes.subarray(0, groupIdentity.size));
    sum = crc32cOfView(sum, view, base, checksumAt);
    sum = crc32c(sum, numberBytes.subarray(groupIdentity.size)); // the sum itself counts as zero
    sum = crc32cOfView(sum, view, checksumAt + 2, end);
    return sum & 0xffff;
  }
  if (!has(features.roCompat, roCompat.groupChecksums)) return undefined;
  const slice = (from: number, to: number): Uint8Array =>
    new Uint8Array(view.buffer, view.byteOffset + from, to - from);
  let sum = crc16(0xffff, raw.s_uuid);
  sum = crc16(sum, numberBytes.subarray(0, groupIdentity.size));
  sum = crc16(sum, slice(base, checksumAt));
  if (descriptorSize > shortDescriptorSize) sum = crc16(sum, slice(checksumAt + 2, end));
  return sum;
}
