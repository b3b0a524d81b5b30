/**
 * Fragments: blocks in which the tails of many files lie. A copy of the tree comes to them mostly in their order, so
 * that some are decoded at once, by several threads, where they are taken one behind the other.
 */
import { CorruptError, endsCall, LruMap, work } from '../../base/index.js';
import { type Codec, type Disk, decodeUnits, MemoryDisk } from '../../disk/index.js';
import { fragmentEntry, isCompressed, storedLength } from './layout.js';
import { type MetadataReader, MetadataTable } from './metadata.js';
import type { Superblock } from './superblock.js';

/** Decoded fragments that are kept, in bytes. */
const bytesKept = 8 * 1024 * 1024;
/** Of these the most are decoded at once. */
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
    this.#decoded.clear();
  }

  /** A fragment in which something of `what` lies. It is valid until the next one is asked for. */
  get(index: number, what: string): Fragment {
    const known = this.#decoded.get(index);
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

  /** Decodes a fragment that is not kept, and those behind it where the last ones were taken in their order. */
  #decode(index: number, place: FragmentPlace): Decoded {
    // Files with several names or of no length leave some out.
    const goesOn = index >= this.#next && index <= this.#next + this.#ahead;
    this.#ahead = goesOn ? Math.min(2 * this.#ahead, this.#mostAhead) : 1;
    const places = new Map([[index, place]]);
    try {
      for (let next = index + 1; next < Math.min(index + this.#ahead, this.#count); next++) {
        const ahead = this.#place(next, 'squashfs');
        if (ahead.isCompressed && this.#decoded.peek(next) === undefined) places.set(next, ahead);
      }
      this.#decodeAll(places);
    } catch (thrown) {
      // What is wrong with a fragment is told to whoever needs it.
      if (endsCall(thrown) || places.size === 1) throw thrown;
      this.#decodeAll(new Map([[index, place]]));
    }
    this.#next = index + this.#ahead;
    return this.#decoded.get(index) as Decoded; // safe: it is among those that were decoded, and fewer than are kept
  }

  #decodeAll(places: ReadonlyMap<number, FragmentPlace>): void {
    work.entries.spend(places.size);
    const indexes = [...places.keys()];
    const units = Array.from(places.values(), ({ start, length }) => ({
      key: String(start),
      codec: this.#codec,
      disk: this.#disk,
      offset: start,
      size: length,
      decodedSize: this.#blockSize,
      shortfall: 'less' as const,
    }));
    decodeUnits(units, (bytes, at) => this.#keep(indexes[at] as number, bytes)); // safe: one for each unit
  }

  /** Decoded bytes are lent. The memory of a fragment that is forgotten is used for the next one. */
  #keep(index: number, bytes: Uint8Array): void {
    const memory = this.#decoded.makeRoom()?.memory ?? new Uint8Array(this.#blockSize);
    memory.set(bytes);
    this.#decoded.set(index, { memory, disk: new MemoryDisk(memory.subarray(0, bytes.length)) });
  }
}
