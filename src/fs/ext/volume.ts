/** An open filesystem below the level of files: blocks, groups, and inodes by number. */
import { CorruptError, LruMap, viewOf, work } from '../../base/index.js';
import { BlockCache, type BlockReader, type Disk } from '../../disk/index.js';
import { Groups } from './groups.js';
import { type Inode, InodeDecoder, inodeChecksumSeed, inodeName, isPublicInode } from './inode.js';
import type { Superblock } from './superblock.js';

/** Blocks of directories kept while they are not changed. */
const keptBlocks = 64;

/** Decoded inodes kept, by number modulo this; a power of two. */
const inodeSlots = 256;

/** Bytes that many small views share, since memory of its own would cost each more than opening a small file does. */
const viewMemory = 16 * 1024;

export class ExtVolume {
  readonly disk: Disk;
  readonly superblock: Superblock;
  readonly pieces: BlockReader;
  readonly groups: Groups;
  /** Blocks of directories whose checksums were found right. */
  readonly verified = new Set<number>();
  /** Inodes and blocks that were changed, so that their checksums are not yet those of what is in them. */
  readonly #unsealed = { inode: new Set<number>(), block: new Set<number>() };
  readonly warn: (message: string) => void;
  readonly #decoder: InodeDecoder;
  /** Memory for views that others keep, and how much of it is given away; {@link viewMemory} says why. */
  #views = new Uint8Array(0);
  #viewsUsed = viewMemory;
  /** Copies of blocks that {@link ownBlock} gave away, as long as they are not changed. */
  readonly #kept = new LruMap<number, { readonly bytes: Uint8Array; readonly view: DataView }>(keptBlocks);
  readonly #inodes: (Inode | undefined)[] = new Array(inodeSlots).fill(undefined);

  /**
   * `strict` refuses group descriptors with a bad checksum, which otherwise cause a warning. Where metadata is being
   * changed, `disk` is the view of the cache that has the changes, and `pieces` that cache.
   */
  constructor(
    disk: Disk,
    superblock: Superblock,
    options: {
      readonly warn: (message: string) => void;
      readonly strict: boolean;
      readonly pieces?: BlockReader;
    },
  ) {
    this.disk = disk;
    this.superblock = superblock;
    this.warn = options.warn;
    this.pieces = options.pieces ?? new BlockCache(disk);
    this.groups = new Groups(superblock, this.pieces, (message) => {
      if (options.strict) {
        const colon = message.indexOf(': ');
        throw new CorruptError(message.slice(0, colon), message.slice(colon + 2));
      }
      options.warn(message);
    });
    this.#decoder = new InodeDecoder(superblock);
  }

  /** Whether blocks `first` to `first + count` are all inside the filesystem. */
  containsBlocks(first: number, count: number): boolean {
    const { firstDataBlock, blockCount } = this.superblock;
    return first >= firstDataBlock && first > 0 && first + count <= blockCount;
  }

  /**
   * A block of metadata that the caller may keep. `structure` names it in the CorruptError for a block outside the
   * filesystem.
   */
  block(number: number, structure: string): Uint8Array {
    this.#checkBlock(number, structure);
    const { blockSize } = this.superblock;
    const bytes = new Uint8Array(blockSize);
    this.disk.read(bytes, number * blockSize);
    return bytes;
  }

  /**
   * As {@link block}; where the block is being changed, it is its own memory, in which changes show. For those who change
   * the filesystem themselves.
   */
  ownBlock(number: number, structure: string): { readonly bytes: Uint8Array; readonly view: DataView } {
    this.#checkBlock(number, structure);
    const { blockSize } = this.superblock;
    const piece = this.pieces.at(number * blockSize, structure);
    // A changed block has memory of its own; others lie in pieces, which are used again.
    if (piece.bytes.length === blockSize && piece.start === number * blockSize) return piece;
    let kept = this.#kept.get(number);
    if (kept === undefined) {
      const start = number * blockSize - piece.start;
      const bytes = piece.bytes.slice(start, start + blockSize);
      kept = { bytes, view: viewOf(bytes) };
      this.#kept.set(number, kept);
    }
    return kept;
  }

  /** Numbers of what was changed and has no right checksum yet: for those who change it. */
  unsealed(kind: 'block' | 'descriptor' | 'inode'): Set<number> {
    return kind === 'descriptor' ? this.groups.unsealed : this.#unsealed[kind];
  }

  /** A block is about to be changed. */
  changing(number: number): void {
    this.#kept.delete(number);
  }

  /** As {@link block}, without a copy: a view that is valid until other metadata is read. */
  peekBlock(number: number, structure: string): Uint8Array {
    this.#checkBlock(number, structure);
    const { blockSize } = this.superblock;
    return this.pieces.bytes(number * blockSize, blockSize, structure);
  }

  #checkBlock(number: number, structure: string): void {
    work.lookups.spend(1);
    if (!this.containsBlocks(number, 1))
      throw new CorruptError(structure, 'a block lies outside the filesystem', { block: number });
  }

  /**
   * An inode that users may see. CorruptError for a number that names none, because something on the disk led to it.
   */
  inode(number: number): Inode {
    const known = this.#inodes[number & (inodeSlots - 1)];
    if (known !== undefined && known.number === number && known.stat.linkCount > 0) return known;
    if (!isPublicInode(this.superblock, number))
      throw new CorruptError(inodeName(number), 'is reserved and not for users');
    const inode = this.anyInode(number);
    if (inode.stat.linkCount === 0) throw new CorruptError(inodeName(number), 'is deleted');
    this.#inodes[number & (inodeSlots - 1)] = inode;
    return inode;
  }

  /** The same, and one without a name is no error: something may hold it. */
  heldInode(number: number): Inode {
    const known = this.#inodes[number & (inodeSlots - 1)];
    if (known !== undefined && known.number === number) return known;
    const inode = this.anyInode(number);
    this.#inodes[number & (inodeSlots - 1)] = inode;
    return inode;
  }

  /** Any inode, including reserved and deleted ones; not cached. */
  anyInode(number: number): Inode {
    work.lookups.spend(1);
    const offset = this.inodeOffset(number);
    const piece = this.pieces.at(offset, 'ext4 inode table');
    const base = offset - piece.start;
    if (base + this.superblock.inodeSize > piece.bytes.length)
      throw new CorruptError(inodeName(number), 'lies outside the disk', { offset });
    return this.#decoder.decode(number, piece.view, base, this, !this.#unsealed.inode.has(number));
  }

  /** Where an inode lies on the disk; in bytes. */
  inodeOffset(number: number): number {
    const { inodeCount, inodesPerGroup, inodeSize, blockSize } = this.superblock;
    if (!(Number.isInteger(number) && number >= 1 && number <= inodeCount))
      throw new CorruptError(inodeName(number), 'there is no such inode', { inodeCount });
    const index = (number - 1) % inodesPerGroup;
    const group = this.groups.get((number - 1 - index) / inodesPerGroup);
    return group.inodeTable * blockSize + index * inodeSize;
  }

  /** A copy of an inode as stored, or of its bytes from `start` to `end`; unchecked. */
  inodeRecord(number: number, start = 0, end = this.superblock.inodeSize): Uint8Array {
    return this.pieces
      .bytes(this.inodeOffset(number), this.superblock.inodeSize, inodeName(number))
      .slice(start, end);
  }

  /** A copy of an inode's bytes from `start` to `end`, as a view; unchecked. */
  inodeView(number: number, start: number, end: number): DataView {
    const { inodeSize } = this.superblock;
    const length = end - start;
    const piece = this.pieces.bytes(this.inodeOffset(number), inodeSize, inodeName(number));
    if (this.#viewsUsed + length > viewMemory) {
      this.#views = new Uint8Array(viewMemory);
      this.#viewsUsed = 0;
    }
    const base = this.#viewsUsed;
    this.#viewsUsed += length;
    // safe: an inode has more bytes
    for (let i = 0; i < length; i++) this.#views[base + i] = piece[start + i] as number;
    return new DataView(this.#views.buffer, base, length);
  }

  /** An inode was changed: it is decoded anew. */
  forgetInode(number: number): void {
    const slot = number & (inodeSlots - 1);
    if (this.#inodes[slot]?.number === number) this.#inodes[slot] = undefined;
  }

  /** Changes were undone: everything is decoded anew. */
  forgetAll(): void {
    this.#inodes.fill(undefined);
    this.#kept.clear();
    this.groups.forget();
  }

  /** The checksum seed of an inode's own blocks; undefined where there are no checksums. */
  checksumSeedOf(inode: Inode): number | undefined {
    const seed = this.superblock.checksumSeed;
    return seed === undefined ? undefined : inodeChecksumSeed(seed, inode);
  }

  close(): void {
    this.pieces.clear();
    this.#inodes.fill(undefined);
  }
}
