/**
 * Finds each byte of a qcow2 disk. Specification: "Cluster mapping", "Extended L2 Entries", "Compressed clusters".
 *
 * A guest's offset consists of an index in the L1 table, an index in the L2 table of that L1 entry, and an offset in
 * a cluster. The lookup has exactly these two steps, so tables that point at themselves give wrong data rather than
 * loops.
 */
import { CorruptError } from '../../base/index.js';
import type { Codec, Disk, Mapping } from '../../disk/index.js';
import { qcow2Layout } from '../../formats/index.js';
import { compressedPlace, isCopied } from './entries.js';

const { entry: bits } = qcow2Layout;

/** What a cluster or subcluster is that is not stored as it is. Of one that is stored the offset is told: 0 or more. */
const unallocated = -1;
const zero = -2;
const compressed = -3;

interface ClusterMapOptions {
  readonly clusterBits: number;
  readonly version: number;
  readonly extendedL2: boolean;
  readonly compression: 'zlib' | 'zstd';
  readonly l1Offset: number;
  readonly l1Entries: number;
  /** Of the guest's disk. */
  readonly sizeInBytes: number;
  readonly tables: { readonly sliceSize: number; slice(offset: number): DataView };
  /** The image itself: compressed clusters. */
  readonly file: Disk;
  /** Where other clusters are: the image, or its external data file. */
  readonly dataFile: Disk;
  /** The disk that shows where nothing is stored. May be of any size. */
  readonly backing: Disk | undefined;
  /** Whether the disk is written to: then it matters what is shared. */
  readonly writable?: boolean;
}

export class ClusterMap {
  readonly #of: ClusterMapOptions;
  readonly #clusterSize: number;
  /** The bytes of the guest that one entry covers, or with extended L2 one of its 32 bits. */
  readonly #unitSize: number;
  readonly #entrySize: number;
  /** Guest bytes of one L2 table. */
  readonly #l2Reach: number;
  readonly #external: boolean;
  readonly #codec: Codec;

  constructor(options: ClusterMapOptions) {
    this.#of = options;
    this.#clusterSize = 2 ** options.clusterBits;
    this.#unitSize = options.extendedL2 ? this.#clusterSize / 32 : this.#clusterSize;
    this.#entrySize = options.extendedL2 ? 16 : 8;
    this.#l2Reach = this.#clusterSize * (this.#clusterSize / this.#entrySize);
    this.#external = options.dataFile !== options.file;
    this.#codec = options.compression === 'zstd' ? 'zstd' : 'deflate'; // qcow2's zlib has no zlib header
  }

  /** The mapping of a guest's offset, which is below the disk's size, and its length. */
  readonly lookup = (offset: number, wanted: number): Mapping => {
    const l1Index = Math.floor(offset / this.#l2Reach);
    const l2Offset = this.#l2Table(l1Index);
    if (l2Offset === 0) return this.#emptyTables(offset, l1Index, wanted);

    const within = offset - l1Index * this.#l2Reach;
    const clusterIndex = Math.floor(within / this.#clusterSize);
    const entryAt = l2Offset + clusterIndex * this.#entrySize;
    const { tables } = this.#of;
    const sliceAt = entryAt - (entryAt % tables.sliceSize);
    const slice = tables.slice(sliceAt);
    const inCluster = within % this.#clusterSize;

    let at = entryAt - sliceAt;
    let unit = Math.floor(inCluster / this.#unitSize);
    const inUnit = inCluster % this.#unitSize;
    const place = this.#placeOf(slice, at, unit);
    const shared = this.#isShared(slice, at);
    if (place === compressed) return this.#compressed(slice, at, inCluster);

    // Units of the same kind, to the end of this slice: MappedDisk joins slices.
    const unitsInCluster = this.#clusterSize / this.#unitSize;
    let length = this.#unitSize - inUnit;
    while (length < wanted) {
      if (++unit === unitsInCluster) {
        unit = 0;
        at += this.#entrySize;
        if (at === slice.byteLength || this.#isShared(slice, at) !== shared) break;
      }
      if (this.#placeOf(slice, at, unit) !== (place < 0 ? place : place + inUnit + length)) break;
      length += this.#unitSize;
    }
    if (place >= 0) return this.#stored(place + inUnit, length, shared);
    return place === zero ? { kind: 'hole', length } : this.#below(offset, length);
  };

  /** Whether snapshots have the cluster of an entry, too. */
  #isShared(slice: DataView, at: number): boolean {
    return this.#of.writable === true && !this.#external && !isCopied(slice, at);
  }

  /** The place of the L2 table of an L1 entry; 0 for none. */
  #l2Table(l1Index: number): number {
    const { tables, l1Offset } = this.#of;
    const at = l1Offset + l1Index * 8;
    const inSlice = at % tables.sliceSize;
    const slice = tables.slice(at - inSlice);
    const high = slice.getUint32(inSlice) & bits.offsetHigh;
    const low = (slice.getUint32(inSlice + 4) & bits.offsetLow) >>> 0;
    const offset = high * 0x1_0000_0000 + low;
    if (offset % this.#clusterSize !== 0) {
      throw new CorruptError('qcow2 L1 table', 'has an entry that is not aligned to a cluster', {
        index: l1Index,
        offset,
      });
    }
    return offset;
  }

  /** A run of L1 entries without L2 tables. */
  #emptyTables(offset: number, l1Index: number, wanted: number): Mapping {
    let next = l1Index + 1;
    while (
      next * this.#l2Reach < offset + wanted &&
      next * this.#l2Reach < this.#of.sizeInBytes &&
      this.#l2Table(next) === 0
    ) {
      next++;
    }
    return this.#below(offset, next * this.#l2Reach - offset);
  }

  /** Where a unit of the entry at `at` is stored in the data file, in bytes. A negative number says what it is. */
  #placeOf(slice: DataView, at: number, unit: number): number {
    const high = slice.getUint32(at);
    if (high & bits.compressedHigh) return compressed;
    const low = slice.getUint32(at + 4);
    const host = (high & bits.offsetHigh) * 0x1_0000_0000 + ((low & bits.offsetLow) >>> 0);
    // In a data file offset 0 is valid, and bit 63 marks it as allocated.
    const allocated = host !== 0 || (this.#external && (high & bits.copiedHigh) !== 0);
    let stored = allocated;
    let isZero = (low & bits.zeroLow) !== 0;
    if (this.#entrySize === 16) {
      isZero = ((slice.getUint32(at + 8) >>> unit) & 1) !== 0;
      stored = ((slice.getUint32(at + 12) >>> unit) & 1) !== 0;
      if (stored && (isZero || !allocated)) {
        throw new CorruptError('qcow2 L2 table', 'has a subcluster that is both stored and not', {
          host,
          subcluster: unit,
        });
      }
    } else if (isZero && this.#of.version < 3) {
      throw new CorruptError('qcow2 L2 table', 'has a zero cluster, which version 2 does not know', { host });
    }
    if (isZero) return zero;
    if (!stored) return unallocated;
    if (host % this.#clusterSize !== 0) {
      throw new CorruptError('qcow2 L2 table', 'has an entry that is not aligned to a cluster', { host });
    }
    return host + unit * this.#unitSize;
  }

  /** Bytes in the data file. As in qemu, bytes past its end are zeroes. */
  #stored(host: number, length: number, shared: boolean): Mapping {
    const { dataFile } = this.#of;
    if (host >= dataFile.size) return { kind: 'hole', length };
    return {
      kind: 'data',
      length: Math.min(length, dataFile.size - host),
      disk: dataFile,
      offset: host,
      shared,
    };
  }

  /** Nothing is stored here: the disk below shows; past its end, or without one, zeroes. */
  #below(offset: number, length: number): Mapping {
    const { backing } = this.#of;
    if (!backing || offset >= backing.size) return { kind: 'hole', length };
    return {
      kind: 'data',
      length: Math.min(length, backing.size - offset),
      disk: backing,
      offset,
      shared: true,
    };
  }

  /** A compressed cluster, whose bytes end at the latest with the file. */
  #compressed(slice: DataView, at: number, skip: number): Mapping {
    const { file, clusterBits } = this.#of;
    if (this.#external) {
      throw new CorruptError('qcow2 L2 table', 'has a compressed cluster although the data is elsewhere');
    }
    const { offset, size } = compressedPlace(slice, at, clusterBits);
    if (offset >= file.size) {
      throw new CorruptError('qcow2 L2 table', 'has a compressed cluster outside the file', {
        offset,
        fileSize: file.size,
      });
    }
    return {
      kind: 'encoded',
      length: this.#clusterSize - skip,
      unit: {
        key: `${offset}`,
        codec: this.#codec,
        disk: file,
        offset,
        size: Math.min(size, file.size - offset),
        decodedSize: this.#clusterSize,
      },
      skip,
    };
  }
}
