/**
 * Fragments: blocks in which the tails of many files lie. A copy of the tree comes to them mostly in their order, so
 * that some are decoded at once, by several threads, where they are taken one behind the other, and those behind them by
 * the other threads while this one does something with the files.
 */
import { CorruptError, endsCall, LruMap, work } from '../../base/index.js';
import {
  type Codec,
  type Disk,
  decodeAhead,
  decodeUnits,
  type EncodedUnit,
  MemoryDisk,
} from '../../disk/index.js';
import { fragmentEntry, isCompressed, storedLength } from './layout.js';
import { type MetadataReader, MetadataTable } from './metadata.js';
import type { Superblock } from './superblock.js';

/** Decoded fragments that are kept, in bytes. */
const bytesKept = 8 * 1024 * 1024;
/** The most that are decoded at once. As many again may be decoded meanwhile, and none of both is forgotten. */
const mostAhead = 16;

/** Where a fragment is stored. */
interface FragmentPlace {
  readonly start: number;
  readonly length: number;
  readonly isCompressed: boolean;
}

/** What is in a fragment: bytes of a disk. */
interface Fragment {
  readonly disk: Disk;
  readonly offset: number;
  readonly size: number;
}

/** A decoded fragment, in memory of a whole block. */
interface Decoded {
  readonly memory: Uint8Array;
  readonly disk: Disk;
}

/** Fragments that other threads decode. */
interface Coming {
  readonly indexes: ReadonlySet<number>;
  /** Takes those that are decoded, and decodes the rest. */
  readonly finish: () => void;
}

export class Fragments {
  readonly #disk: Disk;
  readonly #codec: Codec;
  readonly #blockSize: number;
  readonly #end: number;
  readonly #count: number;
  readonly #table: MetadataTable<typeof fragmentEntry.fields> | undefined;
  readonly #decoded: LruMap<number, Decoded>;
  readonly #mostAhead: number;
  /** Behind the fragments that were decoded last, and how many these were. */
  #next = 0;
  #ahead = 1;
  #coming: Coming | undefined;

  constructor(disk: Disk, metadata: MetadataReader, superblock: Superblock) {
    const { codec, blockSize, sizeInBytes, fragmentTable, fragmentCount } = superblock;
    this.#disk = disk;
    this.#codec = codec;
    this.#blockSize = blockSize;
    this.#end = sizeInBytes;
    this.#count = fragmentCount;
    const kept = Math.max(2, bytesKept / blockSize);
    this.#decoded = new LruMap(kept);
    this.#mostAhead = Math.min(mostAhead, kept / 2);
    if (fragmentTable !== undefined)
      this.#table = new MetadataTable(metadata, fragmentEntry, fragmentTable, fragmentCount);
  }

  clear(): void {
    this.#coming = undefined;
    this.#decoded.clear();
  }

  /** A fragment in which something of `what` lies. It is valid until the next one is asked for. */
  get(index: number, what: string): Fragment {
    const known = this.#decoded.get(index) ?? this.#arrived(index);
    if (known !== undefined) return { disk: known.disk, offset: 0, size: known.disk.size };
    const place = this.#place(index, what);
    if (!place.isCompressed) return { disk: this.#disk, offset: place.start, size: place.length };
    const { disk } = this.#decode(index, place);
    return { disk, offset: 0, size: disk.size };
  }

  /** A fragment lies in the filesystem, and is no longer than what is in it. */
  #place(index: number, what: string): FragmentPlace {
    if (this.#table === undefined)
      throw new CorruptError(what, 'has its end in a fragment, of which there are none');
    const { start_block: start, size: word } = this.#table.get(index);
    const length = storedLength(word);
    if (length > this.#blockSize || start + length > this.#end)
      throw new CorruptError(what, 'has a fragment that is too long, or outside the filesystem', {
        start,
        length,
      });
    return { start, length, isCompressed: isCompressed(word) };
  }

  /** A fragment that other threads were to decode, and those that came with it. */
  #arrived(index: number): Decoded | undefined {
    const coming = this.#coming;
    if (coming?.indexes.has(index) !== true) return undefined;
    this.#coming = undefined;
    try {
      coming.finish();
    } catch (thrown) {
      // What is wrong with a fragment is told to whoever needs it.
      if (endsCall(thrown)) throw thrown;
    }
    const decoded = this.#decoded.get(index);
    if (decoded !== undefined) this.#decodeNext();
    // It was given up: then it is the next one still.
    else this.#next = index;
    return decoded;
  }

  /** Decodes a fragment that is not kept, and those behind it where the last ones were taken in their order. */
  #decode(index: number, place: FragmentPlace): Decoded {
    // Files with several names or of no length leave some out.
    const goesOn = index >= this.#next && index <= this.#next + this.#ahead;
    this.#ahead = goesOn ? Math.min(2 * this.#ahead, this.#mostAhead) : 1;
    try {
      this.#decodeAll(new Map([[index, place], ...this.#placesFrom(index + 1, this.#ahead - 1)]));
    } catch (thrown) {
      // What is wrong with a fragment is told to whoever needs it.
      if (endsCall(thrown)) throw thrown;
      this.#decodeAll(new Map([[index, place]]));
    }
    this.#next = index + this.#ahead;
    if (goesOn) this.#decodeNext();
    return this.#decoded.get(index) as Decoded; // safe: it is among those that were decoded, and fewer than are kept
  }

  /** Has other threads decode the fragments behind those that were decoded last. */
  #decodeNext(): void {
    this.#ahead = Math.min(2 * this.#ahead, this.#mostAhead);
    try {
      const places = this.#placesFrom(this.#next, this.#ahead);
      if (places.size === 0) return;
      work.entries.spend(places.size);
      const finish = decodeAhead(this.#unitsOf(places), this.#keeper(places));
      if (finish === undefined) return;
      this.#coming = { indexes: new Set(places.keys()), finish };
      this.#next += this.#ahead;
    } catch (thrown) {
      if (endsCall(thrown)) throw thrown;
    }
  }

  /** Compressed fragments that are not kept, of so many from a number on. */
  #placesFrom(first: number, count: number): Map<number, FragmentPlace> {
    const places = new Map<number, FragmentPlace>();
    for (let index = first; index < Math.min(first + count, this.#count); index++) {
      const place = this.#place(index, 'squashfs');
      if (place.isCompressed && this.#decoded.peek(index) === undefined) places.set(index, place);
    }
    return places;
  }

  #decodeAll(places: ReadonlyMap<number, FragmentPlace>): void {
    work.entries.spend(places.size);
    decodeUnits(this.#unitsOf(places), this.#keeper(places));
  }

  #unitsOf(places: ReadonlyMap<number, FragmentPlace>): EncodedUnit[] {
    return Array.from(places.values(), ({ start, length }) => ({
      key: String(start),
      codec: this.#codec,
      disk: this.#disk,
      offset: start,
      size: length,
      decodedSize: this.#blockSize,
      shortfall: 'less' as const,
    }));
  }

  /** Keeps the bytes of each of these fragments, by its place among them. */
  #keeper(places: ReadonlyMap<number, FragmentPlace>): (bytes: Uint8Array, at: number) => void {
    const indexes = [...places.keys()];
    return (bytes, at) => this.#keep(indexes[at] as number, bytes); // safe: there is one for each place
  }

  /** Decoded bytes are lent. The memory of a fragment that is forgotten is used for the next one. */
  #keep(index: number, bytes: Uint8Array): void {
    const memory = this.#decoded.makeRoom()?.memory ?? new Uint8Array(this.#blockSize);
    memory.set(bytes);
    this.#decoded.set(index, { memory, disk: new MemoryDisk(memory.subarray(0, bytes.length)) });
  }
}
