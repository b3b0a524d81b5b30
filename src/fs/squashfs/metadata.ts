/**
 * Metadata: blocks of 8 KiB, each behind its length and compressed unless that would not make it smaller. Structures
 * go on from one block to the next, and are found by a block and an offset in what it holds.
 */
import { CorruptError, type Decoded, type Fields, LruMap, type Struct, work } from '../../base/index.js';
import { type Codec, type Disk, decodeWhole } from '../../disk/index.js';
import { metadataHead, reference, SQUASHFS_COMPRESSED_BIT, SQUASHFS_METADATA_SIZE } from './layout.js';
import type { Superblock } from './superblock.js';

/** Decoded blocks that are kept: 4 MiB. */
const blocksKept = 512;
/** Places of blocks that a table keeps. */
const placesKept = 512;

/** A decoded block. */
interface MetadataBlock {
  readonly bytes: Uint8Array;
  /** Where the next one begins on the disk. */
  readonly next: number;
}

export class MetadataReader {
  readonly #disk: Disk;
  readonly #codec: Codec;
  readonly #end: number;
  readonly #blocks = new LruMap<number, MetadataBlock>(blocksKept);

  constructor(disk: Disk, { codec, sizeInBytes }: Superblock) {
    this.#disk = disk;
    this.#codec = codec;
    this.#end = sizeInBytes;
  }

  /** The block at an offset of the disk. */
  block(at: number): MetadataBlock {
    let block = this.#blocks.get(at);
    if (block === undefined) {
      block = this.#read(at);
      this.#blocks.set(at, block);
    }
    return block;
  }

  #read(at: number): MetadataBlock {
    work.entries.spend(1);
    const { length: word } = metadataHead.decode(this.raw(at, metadataHead.size));
    const isCompressed = (word & SQUASHFS_COMPRESSED_BIT) === 0;
    // A length of none stands for the length that would otherwise be the flag, which no block has.
    const length = word & ~SQUASHFS_COMPRESSED_BIT;
    if (length === 0 || length > SQUASHFS_METADATA_SIZE)
      throw new CorruptError('squashfs metadata', 'has a block of an impossible length', { at, length });
    const start = at + metadataHead.size;
    const stored = this.raw(start, length);
    const bytes = isCompressed
      ? decodeWhole(this.#codec, stored, SQUASHFS_METADATA_SIZE).slice() // decoded bytes are lent
      : stored;
    return { bytes, next: start + length };
  }

  /** Bytes of the disk that are not compressed. */
  raw(at: number, length: number): Uint8Array {
    if (at + length > this.#end)
      throw new CorruptError('squashfs metadata', 'lies outside the filesystem', { at, length });
    const bytes = new Uint8Array(length);
    this.#disk.read(bytes, at);
    return bytes;
  }

  /** Reads on from a byte of a block. */
  cursor(block: number, offset: number): MetadataCursor {
    return new MetadataCursor(this, block, offset);
  }

  clear(): void {
    this.#blocks.clear();
  }
}

/** A place in metadata, which goes on with each read. */
export class MetadataCursor {
  readonly #metadata: MetadataReader;
  #at: number;
  #offset: number;

  constructor(metadata: MetadataReader, block: number, offset: number) {
    this.#metadata = metadata;
    this.#at = block;
    this.#offset = offset;
  }

  /** Where the next read begins: the block's offset on the disk, and the byte in it. */
  get place(): { readonly block: number; readonly offset: number } {
    return { block: this.#at, offset: this.#offset };
  }

  /** The next bytes. They are lent: nobody changes them. */
  take(length: number): Uint8Array {
    let { bytes, next } = this.#metadata.block(this.#at);
    if (this.#offset > bytes.length)
      throw new CorruptError('squashfs metadata', 'has nothing at a place', {
        block: this.#at,
        offset: this.#offset,
      });
    if (this.#offset + length <= bytes.length) {
      this.#offset += length;
      return bytes.subarray(this.#offset - length, this.#offset);
    }
    const whole = new Uint8Array(length);
    for (let done = 0; ; ) {
      const part = bytes.subarray(this.#offset, this.#offset + length - done);
      whole.set(part, done);
      done += part.length;
      this.#offset += part.length;
      if (done === length) return whole;
      this.#at = next;
      this.#offset = 0;
      ({ bytes, next } = this.#metadata.block(next));
      if (bytes.length === 0)
        throw new CorruptError('squashfs metadata', 'has a block of nothing', { at: next });
    }
  }

  /** Passes over bytes. */
  skip(length: number): void {
    for (let left = length; left > 0; left -= SQUASHFS_METADATA_SIZE)
      this.take(Math.min(left, SQUASHFS_METADATA_SIZE));
  }

  /** The next bytes as a structure. */
  decode<F extends Fields>(structure: Struct<F>): Decoded<F> {
    return structure.decode(this.take(structure.size));
  }
}

/** A table of entries of one size, in metadata blocks whose places stand in a row: so any entry is found at once. */
export class MetadataTable<F extends Fields> {
  /** Where blocks lie, by their numbers: not read again for each entry. */
  readonly #places = new LruMap<number, number>(placesKept);
  readonly #metadata: MetadataReader;
  readonly #entry: Struct<F>;
  readonly #start: number;
  readonly #count: number;

  /** `start`: of the places of the blocks, on the disk. */
  constructor(metadata: MetadataReader, entry: Struct<F>, start: number, count: number) {
    this.#metadata = metadata;
    this.#entry = entry;
    this.#start = start;
    this.#count = count;
  }

  get(index: number): Decoded<F> {
    if (index >= this.#count)
      throw new CorruptError(this.#entry.name, 'has not so many entries', { index, count: this.#count });
    const perBlock = SQUASHFS_METADATA_SIZE / this.#entry.size;
    const block = Math.floor(index / perBlock);
    const { bytes } = this.#metadata.block(this.#places.get(block) ?? this.#readPlace(block));
    return this.#entry.decode(bytes, (index % perBlock) * this.#entry.size);
  }

  #readPlace(block: number): number {
    const place = this.#metadata.raw(this.#start + block * reference.size, reference.size);
    const { at } = reference.decode(place);
    this.#places.set(block, at);
    return at;
  }
}
