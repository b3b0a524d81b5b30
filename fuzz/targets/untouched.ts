/** What a round that changes a filesystem must leave as it was, told from the input alone and not by who writes. */
import { type Disk, MemoryDisk } from '../../src/disk/index.js';
import { readVolume } from '../../src/fs/fat/boot.js';
import { attrDirectory, attrLongName, attrVolumeId, badCluster, entrySize } from '../../src/fs/fat/layout.js';
import { part } from '../target.js';

/** Says what is wrong with a disk after the changes; undefined: nothing. */
export type Check = (after: Disk) => string | undefined;

/** What is written into files: no structure has it. */
export const written = { grown: 0x5a, made: 0xa5 } as const;
/** So many bytes of it are no accident. */
const telltale = 256;
const inodes = 'table of inodes';

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The bitmaps and tables of inodes of ext, as its descriptors have them: contents of files are never there. */
export function extCheck(bytes: Uint8Array): Check {
  const view = viewOf(bytes);
  const structures = groupsOf(bytes).flatMap(({ blockBitmap, inodeBitmap, inodeTable, tableLength }) => [
    { name: 'bitmap', at: blockBitmap, length: blockSizeOf(view) },
    { name: 'bitmap', at: inodeBitmap, length: blockSizeOf(view) },
    { name: inodes, at: inodeTable, length: tableLength },
  ]);
  return (after) => {
    for (const { name, at, length } of structures) {
      if (at + length > after.size) continue;
      const now = new Uint8Array(length);
      after.read(now, at);
      const before = bytes.subarray(at, at + length);
      for (const value of Object.values(written)) {
        const run = Buffer.alloc(telltale, value);
        if (Buffer.from(now.buffer).includes(run) && !Buffer.from(before).includes(run))
          return `what a file was given lies in a ${name} of the filesystem`;
      }
      if (name === inodes && hasCleared(before, now)) return `a part of a ${name} is cleared`;
    }
    return undefined;
  };
}

/** Whether some inodes have become zeroes: one that is deleted keeps the time of that. */
function hasCleared(before: Uint8Array, now: Uint8Array): boolean {
  const isClear = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);
  for (let at = 0; at < now.length; at += telltale)
    if (isClear(now.subarray(at, at + telltale)) && !isClear(before.subarray(at, at + telltale))) return true;
  return false;
}

const blockSizeOf = (view: DataView): number => 1024 * 2 ** (view.getUint32(1024 + 24, true) % 7);

/** The structures of the first groups, in bytes. */
export function groupsOf(bytes: Uint8Array): {
  readonly blockBitmap: number;
  readonly inodeBitmap: number;
  readonly inodeTable: number;
  readonly tableLength: number;
  readonly inodeSize: number;
  readonly blockSize: number;
}[] {
  if (bytes.length < 8192) return [];
  const view = viewOf(bytes);
  const blockSize = blockSizeOf(view);
  const isLong = (view.getUint32(1024 + 96, true) & 0x80) !== 0;
  const size = isLong ? view.getUint16(1024 + 254, true) || 32 : 32;
  const inodeSize = view.getUint32(1024 + 76, true) === 0 ? 128 : view.getUint16(1024 + 88, true);
  const inodesPerGroup = view.getUint32(1024 + 40, true);
  const groups = Math.ceil(view.getUint32(1024, true) / Math.max(1, inodesPerGroup));
  const first = blockSize === 1024 ? 2048 : blockSize;
  return Array.from({ length: Math.min(groups, 8) }, (_, group) => first + group * size)
    .filter((at) => at + size <= bytes.length)
    .map((at) => {
      const place = (field: number): number => view.getUint32(at + field, true) * blockSize;
      return {
        blockBitmap: place(0),
        inodeBitmap: place(4),
        inodeTable: place(8),
        tableLength: Math.min(inodesPerGroup * inodeSize, bytes.length),
        inodeSize,
        blockSize,
      };
    });
}

/** A file or directory, and its clusters as far as its chain goes. */
interface Owner {
  readonly name: string;
  /** The name in the root of what it is, or lies in. */
  readonly top: string;
  readonly clusters: readonly number[];
  readonly isWhole: boolean;
}

/** A volume of FAT, read by the simplest means. */
class PlainFat {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly volume: ReturnType<typeof readVolume>;
  readonly owners: Owner[] = [];

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = viewOf(bytes);
    this.volume = readVolume(new MemoryDisk(bytes));
    const { rootOffset, rootSize, rootCluster, bits } = this.volume;
    if (bits !== 32) this.#list([[rootOffset, rootSize]], '', 0);
    else {
      const { clusters } = this.#own('/', '', rootCluster);
      this.#list(this.placesOf(clusters), '', 0);
    }
  }

  /** Where the entry of a cluster is in the first table, and how many bytes it touches. */
  entryPlace(cluster: number): readonly [at: number, length: number] {
    const { bits, tableOffset } = this.volume;
    return bits === 12
      ? [tableOffset + cluster + Math.floor(cluster / 2), 2]
      : [tableOffset + (cluster * bits) / 8, bits / 8];
  }

  /** The value of an entry in these bytes. */
  valueIn(bytes: Uint8Array, cluster: number): number {
    const word = viewOf(bytes);
    if (this.volume.bits === 32) return word.getUint32(0, true) % 0x1000_0000;
    const pair = word.getUint16(0, true);
    if (this.volume.bits === 16) return pair;
    return cluster % 2 === 0 ? pair % 0x1000 : pair >>> 4;
  }

  placesOf(clusters: readonly number[]): [at: number, length: number][] {
    const { dataOffset, clusterSize } = this.volume;
    return clusters.map((cluster) => [dataOffset + (cluster - 2) * clusterSize, clusterSize]);
  }

  #own(name: string, top: string, first: number): Owner {
    const { clusterCount, bits } = this.volume;
    const clusters: number[] = [];
    const seen = new Set<number>();
    let at = first;
    while (at >= 2 && at < clusterCount + 2 && !seen.has(at)) {
      const [place, length] = this.entryPlace(at);
      if (place + length > this.#bytes.length) break;
      seen.add(at);
      clusters.push(at);
      at = this.valueIn(this.#bytes.subarray(place, place + length), at);
    }
    const owner = { name, top, clusters, isWhole: at >= badCluster[bits] };
    this.owners.push(owner);
    return owner;
  }

  #list(places: readonly (readonly [number, number])[], top: string, depth: number): void {
    for (const [from, length] of places)
      for (let at = from; at + entrySize <= Math.min(from + length, this.#bytes.length); at += entrySize) {
        const lead = this.#bytes[at] ?? 0;
        const attr = this.#bytes[at + 11] ?? 0;
        if (lead === 0) return;
        if (lead === 0xe5 || lead === 0x2e || (attr & attrLongName) === attrLongName) continue;
        if ((attr & attrVolumeId) !== 0) continue;
        const high = this.volume.bits === 32 ? this.#view.getUint16(at + 20, true) : 0;
        const owner = this.#own(
          `the entry at ${at}`,
          top || String(at / entrySize),
          high * 0x10000 + this.#view.getUint16(at + 26, true),
        );
        if ((attr & attrDirectory) !== 0 && depth < 4 && this.owners.length < 2000)
          this.#list(this.placesOf(owner.clusters), owner.top, depth + 1);
      }
  }
}

/** Clusters of FAT that a whole chain has, and no other: where nothing changes the file they and their entries stay. */
export function fatCheck(bytes: Uint8Array, changed: ReadonlySet<string>): Check {
  const fat = part(() => new PlainFat(bytes));
  if (fat === undefined) return () => undefined;
  const users = new Map<number, number>();
  for (const { clusters } of fat.owners)
    for (const cluster of clusters) users.set(cluster, (users.get(cluster) ?? 0) + 1);
  const kept = fat.owners.filter(
    ({ top, isWhole, clusters }) =>
      isWhole && top !== '' && !changed.has(top) && clusters.every((cluster) => users.get(cluster) === 1),
  );
  const differs = (after: Disk, at: number, length: number): boolean => {
    const now = new Uint8Array(length);
    if (at + length > after.size) return false;
    after.read(now, at);
    return Buffer.compare(now, bytes.subarray(at, at + length)) !== 0;
  };
  return (after) => {
    const [first] = fat.entryPlace(0);
    if (differs(after, first, 1)) return 'the first entry of the table, which is of no cluster, has changed';
    for (const { name, clusters } of kept) {
      for (const [at, length] of fat.placesOf(clusters))
        if (differs(after, at, length)) return `${name}, which nothing was done with, has other contents`;
      for (const cluster of clusters) {
        const [at, length] = fat.entryPlace(cluster);
        const now = new Uint8Array(length);
        after.read(now, at);
        if (fat.valueIn(now, cluster) !== fat.valueIn(bytes.subarray(at, at + length), cluster))
          return `${name}, which nothing was done with, has another chain`;
      }
    }
    return undefined;
  };
}
