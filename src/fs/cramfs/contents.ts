/**
 * Contents of files and targets of links: block pointers in a row, and blocks, each of which holds 4 KiB of the file.
 *
 * A pointer says where its block ends, which is where the next one begins; the first one begins behind the pointers.
 * A block without bytes is a hole. Where the filesystem has extended pointers, flags say that a block is not
 * compressed, and that the pointer is direct: it says where the block begins, which may be anywhere.
 */
import { CorruptError, type Endian, viewOf } from '../../base/index.js';
import { type Disk, MappedDisk, type Mapping } from '../../disk/index.js';
import {
  blockHead,
  blockSize,
  CRAMFS_BLK_FLAG_DIRECT_PTR,
  CRAMFS_BLK_FLAG_UNCOMPRESSED,
  CRAMFS_BLK_FLAGS,
  directUnitSize,
  pointerSize,
} from './layout.js';
import type { Superblock } from './superblock.js';

/** The most bytes that a block may take, compressed: Linux refuses longer ones. */
const maxStoredSize = 2 * blockSize;

/** Where the bytes of a block lie on the disk. */
interface Block {
  readonly start: number;
  readonly end: number;
  readonly compressed: boolean;
}

/** The blocks of a file of `sizeInBytes`, of which `start` is the place of the first pointer. */
class BlockList {
  readonly #disk: Disk;
  readonly #endian: Endian;
  readonly #extended: boolean;
  readonly #start: number;
  readonly #size: number;
  readonly #count: number;
  readonly #what: string;
  /** Read with the first block: at most 16 KiB, since a file has less than 16 MiB. */
  #pointers: DataView | undefined;

  constructor(disk: Disk, superblock: Superblock, start: number, sizeInBytes: number, what: string) {
    this.#disk = disk;
    this.#endian = superblock.endian;
    this.#extended = superblock.extendedPointers;
    this.#start = start;
    this.#size = sizeInBytes;
    this.#count = Math.ceil(sizeInBytes / blockSize);
    this.#what = what;
  }

  #pointer(index: number): number {
    if (this.#pointers === undefined) {
      const raw = new Uint8Array(this.#count * pointerSize);
      this.#disk.read(raw, this.#start);
      this.#pointers = viewOf(raw);
    }
    return this.#pointers.getUint32(index * pointerSize, this.#endian === 'little');
  }

  /** The length in front of a block that a direct pointer leads to. */
  #storedLength(at: number): number {
    const raw = new Uint8Array(blockHead.little.size);
    this.#disk.read(raw, at);
    return blockHead[this.#endian].decode(raw).length;
  }

  /** Bytes of the file that a block holds. */
  length(index: number): number {
    return Math.min(blockSize, this.#size - index * blockSize);
  }

  /** The block of a direct pointer. */
  #direct(index: number, pointer: number): Block {
    const compressed = (pointer & CRAMFS_BLK_FLAG_UNCOMPRESSED) === 0;
    const at = ((pointer & ~CRAMFS_BLK_FLAGS) >>> 0) * directUnitSize;
    if (!compressed) return { start: at, end: at + this.length(index), compressed };
    const start = at + blockHead.little.size;
    return { start, end: start + this.#storedLength(at), compressed };
  }

  /** Where a block ends, which is where the next one begins unless that is direct. */
  #end(index: number): number {
    const pointer = this.#pointer(index);
    if (!this.#extended) return pointer;
    if ((pointer & CRAMFS_BLK_FLAG_DIRECT_PTR) !== 0) return this.#direct(index, pointer).end;
    return (pointer & ~CRAMFS_BLK_FLAGS) >>> 0;
  }

  #find(index: number): Block {
    const pointer = this.#pointer(index);
    if (this.#extended && (pointer & CRAMFS_BLK_FLAG_DIRECT_PTR) !== 0) return this.#direct(index, pointer);
    const start = index === 0 ? this.#start + this.#count * pointerSize : this.#end(index - 1);
    const compressed = !this.#extended || (pointer & CRAMFS_BLK_FLAG_UNCOMPRESSED) === 0;
    return { start, end: this.#end(index), compressed };
  }

  /** A block, checked: its bytes are in order and on the disk, and no more than a block may have. */
  get(index: number): Block {
    const block = this.#find(index);
    const { start, end, compressed } = block;
    const stored = end - start;
    const fits = compressed ? stored <= maxStoredSize : stored === 0 || stored === this.length(index);
    if (stored < 0 || !fits || end > this.#disk.size)
      throw new CorruptError(this.#what, 'has a bad block pointer', { block: index, start, end });
    return block;
  }
}

/** The contents of a file whose first block pointer is at `start`, in bytes. */
export function openContents(
  disk: Disk,
  superblock: Superblock,
  start: number,
  sizeInBytes: number,
  what: string,
): Disk {
  const blocks = new BlockList(disk, superblock, start, sizeInBytes, what);
  const lookup = (offset: number): Mapping => {
    const index = Math.floor(offset / blockSize);
    const skip = offset - index * blockSize;
    const decodedSize = blocks.length(index);
    const length = decodedSize - skip;
    const block = blocks.get(index);
    const size = block.end - block.start;
    if (size === 0) return { kind: 'hole', length };
    if (!block.compressed) return { kind: 'data', length, disk, offset: block.start + skip };
    const unit = { key: String(index), codec: 'zlib', disk, offset: block.start, size, decodedSize } as const;
    return { kind: 'encoded', length, unit, skip };
  };
  return new MappedDisk(sizeInBytes, lookup, { name: what });
}
