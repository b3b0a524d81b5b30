/**
 * Contents of files: blocks one after the other, whose lengths stand behind the inode, and a tail that lies with others
 * in a fragment. A block without a length is not stored, and is zeroes.
 */
import { CorruptError, LruMap, viewOf, work } from '../../base/index.js';
import { type Codec, type Disk, MappedDisk, type Mapping } from '../../disk/index.js';
import { Fragments } from './fragments.js';
import type { FilePlace } from './inode.js';
import { blockLengthSize, isCompressed, storedLength } from './layout.js';
import type { MetadataReader } from './metadata.js';
import type { Superblock } from './superblock.js';

/** Lengths of blocks that are read at once: as many as a metadata block has. */
const lengthsPerPage = 2048;
/** Pages of lengths that a file keeps. */
const pagesKept = 4;

/** A page of the lengths of a file's blocks. */
interface LengthPage {
  /** The lengths with their flags. */
  readonly words: Uint32Array;
  /** Where each block begins on the disk. */
  readonly starts: Float64Array;
}

/** Where a page's lengths lie, and where its first block begins. */
interface PagePlace {
  readonly block: number;
  readonly offset: number;
  readonly start: number;
}

export class Contents {
  readonly #disk: Disk;
  readonly #metadata: MetadataReader;
  readonly #codec: Codec;
  readonly #blockSize: number;
  readonly #end: number;
  readonly #fragments: Fragments;

  constructor(disk: Disk, metadata: MetadataReader, superblock: Superblock) {
    const { codec, blockSize, sizeInBytes } = superblock;
    this.#disk = disk;
    this.#metadata = metadata;
    this.#codec = codec;
    this.#blockSize = blockSize;
    this.#end = sizeInBytes;
    this.#fragments = new Fragments(disk, metadata, superblock);
  }

  clear(): void {
    this.#fragments.clear();
  }

  /** The contents of a file of `size` bytes. */
  open(file: FilePlace, size: number, what: string): Disk {
    const blockSize = this.#blockSize;
    const blockCount = file.fragment ? Math.floor(size / blockSize) : Math.ceil(size / blockSize);
    const lengths = new BlockLengths(this.#metadata, file, blockCount, what);
    const lookup = (offset: number): Mapping => {
      const index = Math.floor(offset / blockSize);
      const skip = offset - index * blockSize;
      const decodedSize = Math.min(blockSize, size - index * blockSize);
      const length = decodedSize - skip;
      if (index >= blockCount) return this.#tail(file, skip, decodedSize, what);
      const { word, start } = lengths.get(index);
      if (word === 0) return { kind: 'hole', length };
      this.#check(start, word, what);
      const stored = storedLength(word);
      if (isCompressed(word)) {
        const unit = {
          key: String(start),
          codec: this.#codec,
          disk: this.#disk,
          offset: start,
          size: stored,
          decodedSize,
        };
        return { kind: 'encoded', length, unit, skip };
      }
      if (stored < decodedSize)
        throw new CorruptError(what, 'has a block that is too short', { start, stored });
      return { kind: 'data', length, disk: this.#disk, offset: start + skip };
    };
    return new MappedDisk(size, lookup, { name: what });
  }

  /** A block lies in the filesystem, and is no longer than what is in it. */
  #check(start: number, word: number, what: string): void {
    const length = storedLength(word);
    if (length > this.#blockSize || start + length > this.#end)
      throw new CorruptError(what, 'has a block that is too long, or outside the filesystem', {
        start,
        length,
      });
  }

  /** The end of a file, from byte `skip` of its last `length` bytes on. */
  #tail(file: FilePlace, skip: number, length: number, what: string): Mapping {
    const { fragment } = file;
    if (fragment === undefined)
      throw new CorruptError(what, 'has its end in a fragment, of which there are none');
    const { disk, offset: start, size } = this.#fragments.get(fragment.index, what);
    const offset = fragment.offset + skip;
    if (fragment.offset + length > size)
      throw new CorruptError(what, 'has an end that is not in its fragment', { offset, length, size });
    return { kind: 'data', length: length - skip, disk, offset: start + offset };
  }
}

/** The lengths of a file's blocks, read in pages. A block begins where the one before it ends. */
class BlockLengths {
  readonly #metadata: MetadataReader;
  readonly #count: number;
  readonly #what: string;
  /** Of the pages up to the first that was not read yet. */
  readonly #places: PagePlace[];
  readonly #pages = new LruMap<number, LengthPage>(pagesKept);

  constructor(metadata: MetadataReader, { start, lengths }: FilePlace, count: number, what: string) {
    this.#metadata = metadata;
    this.#count = count;
    this.#what = what;
    this.#places = [{ ...lengths, start }];
  }

  get(index: number): { word: number; start: number } {
    const page = Math.floor(index / lengthsPerPage);
    while (this.#places.length <= page) this.#read(this.#places.length - 1);
    const { words, starts } = this.#pages.get(page) ?? this.#read(page);
    const at = index % lengthsPerPage;
    return { word: words[at] as number, start: starts[at] as number }; // safe: index < count
  }

  #read(page: number): LengthPage {
    const { block, offset, start } = this.#places[page] as PagePlace; // safe: pages are read one after the other
    const cursor = this.#metadata.cursor(block, offset);
    const count = Math.min(lengthsPerPage, this.#count - page * lengthsPerPage);
    work.entries.spend(count);
    const view = viewOf(cursor.take(count * blockLengthSize));
    const words = new Uint32Array(count);
    const starts = new Float64Array(count);
    let next = start;
    for (let i = 0; i < count; i++) {
      const word = view.getUint32(i * blockLengthSize, true);
      words[i] = word;
      starts[i] = next;
      next += storedLength(word);
    }
    if (!Number.isSafeInteger(next)) throw new CorruptError(this.#what, 'has blocks outside the filesystem');
    if (this.#places.length === page + 1) this.#places.push({ ...cursor.place, start: next });
    const read = { words, starts };
    this.#pages.set(page, read);
    return read;
  }
}
