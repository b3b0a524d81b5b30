/** An open filesystem below the level of files: blocks, what they say of themselves, and inodes by number. */
import { CorruptError, checksumHolds, compareBytes, viewOf, work } from '../../base/index.js';
import { BlockCache, type Disk } from '../../disk/index.js';

import { checksumOf, storedChecksum } from './checksum.js';
import { type Inode, InodeDecoder, inodeName } from './inode.js';
import type { SelfDescription } from './layout.js';
import type { Replayed } from './replayed.js';
import type { Superblock } from './superblock.js';

/** Decoded inodes kept, by number modulo this; a power of two. */
const inodeSlots = 256;
const addressUnit = 512;

export class XfsVolume {
  readonly disk: Disk;
  readonly superblock: Superblock;
  readonly pieces: BlockCache;
  readonly warn: (message: string) => void;
  readonly replayed: Replayed | undefined;
  readonly #decoder: InodeDecoder;
  readonly #inodes: (Inode | undefined)[] = new Array(inodeSlots).fill(undefined);
  /** The length of the last group, in blocks. */
  readonly #lastGroupBlocks: number;

  constructor(
    disk: Disk,
    superblock: Superblock,
    {
      warn,
      replayed,
    }: { readonly warn: (message: string) => void; readonly replayed?: Replayed | undefined },
  ) {
    this.disk = disk;
    this.superblock = superblock;
    this.warn = warn;
    this.replayed = replayed;
    this.pieces = new BlockCache(disk);
    this.#decoder = new InodeDecoder(superblock, replayed);
    const { blockCount, groupCount, groupBlocks } = superblock;
    this.#lastGroupBlocks = blockCount - (groupCount - 1) * groupBlocks;
  }

  blocksOfGroup(group: number): number {
    return group === this.superblock.groupCount - 1 ? this.#lastGroupBlocks : this.superblock.groupBlocks;
  }

  /** Whether blocks `first` to `first + count` lie in one group, behind its headers. */
  containsBlocks(first: number, count: number): boolean {
    const { groupSpan, groupCount, firstUsableBlock } = this.superblock;
    const inGroup = first % groupSpan;
    const group = (first - inGroup) / groupSpan;
    return group < groupCount && inGroup >= firstUsableBlock && inGroup + count <= this.blocksOfGroup(group);
  }

  /** Where a block lies on the disk, in bytes. The caller has checked its number. */
  offsetOf(block: number): number {
    const { groupSpan, groupBlocks, blockSize } = this.superblock;
    const inGroup = block % groupSpan;
    return (((block - inGroup) / groupSpan) * groupBlocks + inGroup) * blockSize;
  }

  /** A copy of a block of metadata. `structure` names it in the CorruptError for a block outside the filesystem. */
  block(number: number, structure: string): Uint8Array {
    return this.blocks(number, 1, structure);
  }

  /** As {@link block}, of neighbouring blocks. The caller has bounded their number. */
  blocks(first: number, count: number, structure: string): Uint8Array {
    work.lookups.spend(1);
    if (!this.containsBlocks(first, count))
      throw new CorruptError(structure, 'a block lies outside the filesystem', { block: first });
    const bytes = new Uint8Array(count * this.superblock.blockSize);
    this.disk.read(bytes, this.offsetOf(first));
    return bytes;
  }

  /**
   * Checks what a structure of version 5 says of itself: its checksum, the filesystem that it belongs to, its place and
   * its owner. `places`: where its parts lie on the disk; in bytes.
   */
  verify(
    bytes: Uint8Array,
    self: SelfDescription,
    places: readonly { readonly offset: number; readonly length: number }[],
    owner: number | undefined,
    structure: string,
  ): void {
    if (this.superblock.features.version < 5) return;
    const view = viewOf(bytes);
    const corrupt = (problem: string): CorruptError =>
      new CorruptError(structure, problem, { offset: places[0]?.offset ?? 0 });
    const { replayed } = this;
    const isReplayed =
      replayed !== undefined && places.some(({ offset, length }) => replayed.touches(offset, length));
    const stored = storedChecksum(view, 0, self.crcAt);
    if (!isReplayed && !checksumHolds(checksumOf(view, 0, bytes.length, self.crcAt), stored))
      throw corrupt('has a bad checksum');
    const { uuidAt, blknoAt, ownerAt } = self;
    if (compareBytes(bytes.subarray(uuidAt, uuidAt + 16), this.superblock.metaUuid) !== 0)
      throw corrupt('belongs to another filesystem');
    if (blknoAt !== undefined && !holds64(view, blknoAt, (places[0]?.offset ?? 0) / addressUnit))
      throw corrupt('belongs to another place');
    if (ownerAt !== undefined && owner !== undefined && !holds64(view, ownerAt, owner))
      if (replayed?.newOwners.has(owner) !== true) throw corrupt('belongs to another inode');
  }

  /**
   * An inode that a directory may name. CorruptError for a number that names none, because something on the disk led to
   * it.
   */
  inode(number: number): Inode {
    const known = this.#inodes[number & (inodeSlots - 1)];
    if (known !== undefined && known.number === number) return known;
    if (this.superblock.internalInodes.has(number))
      throw new CorruptError(inodeName(number), 'is internal and not for users');
    const inode = this.anyInode(number);
    this.#inodes[number & (inodeSlots - 1)] = inode;
    return inode;
  }

  /** Any inode in use, the internal ones too; not cached. */
  anyInode(number: number): Inode {
    work.lookups.spend(1);
    const offset = this.inodeOffset(number);
    const piece = this.pieces.at(offset, inodeName(number));
    const base = offset - piece.start;
    if (base + this.superblock.inodeSize > piece.bytes.length)
      throw new CorruptError(inodeName(number), 'lies outside the disk', { offset });
    const inode = this.#decoder.decode(number, piece.view, base, offset, this);
    const pending = this.replayed?.pending.get(number);
    return pending === undefined ? inode : inode.after(pending, this.superblock.blockSize);
  }

  /** Where an inode lies on the disk, in bytes. */
  inodeOffset(number: number): number {
    const { inodesPerBlock, inodeSize } = this.superblock;
    const inBlock = number % inodesPerBlock;
    const block = (number - inBlock) / inodesPerBlock;
    if (!Number.isSafeInteger(number) || number <= 0 || !this.containsBlocks(block, 1))
      throw new CorruptError(inodeName(number), 'there is no such inode');
    return this.offsetOf(block) + inBlock * inodeSize;
  }

  /** A copy of an inode's bytes from `start` to `end`; unchecked. */
  inodeRecord(number: number, start = 0, end = this.superblock.inodeSize): Uint8Array {
    return this.pieces
      .bytes(this.inodeOffset(number), this.superblock.inodeSize, inodeName(number))
      .slice(start, end);
  }

  close(): void {
    this.#inodes.fill(undefined);
    this.pieces.clear();
  }
}

function holds64(view: DataView, at: number, value: number): boolean {
  return (
    view.getUint32(at) === Math.floor(value / 0x1_0000_0000) &&
    view.getUint32(at + 4) === value % 0x1_0000_0000
  );
}
