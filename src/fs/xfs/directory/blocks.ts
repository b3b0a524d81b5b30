/**
 * Blocks of a directory: of one or more blocks of the filesystem, which need not lie together. They are checked as the
 * kernel's fs/xfs/libxfs/xfs_dir2_data.c does, __xfs_dir3_data_check; the entries themselves are looked at as they are
 * visited.
 */
import { CorruptError, viewOf, work } from '../../../base/index.js';
import type { ExtentMap } from '../extents.js';
import { magicAt, type SelfDescription } from '../layout.js';
import type { XfsVolume } from '../volume.js';

/** A block of a directory, and whether its checksum was verified. */
export interface DirectoryBlock {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** A part of a directory's block, where it lies. */
interface Place {
  readonly offset: number;
  readonly length: number;
}

/** Blocks of one directory, or of the attributes of one inode, by their places in the fork. */
export class ForkBlocks {
  readonly #volume: XfsVolume;
  readonly #map: ExtentMap;
  readonly #owner: number;
  readonly #name: string;
  readonly #blockSize: number;
  /** Places of blocks whose self-description was found to be right. */
  readonly #verified = new Set<number>();

  /** `blockSize` in bytes: a multiple of the filesystem's. */
  constructor(volume: XfsVolume, map: ExtentMap, owner: number, blockSize: number, name: string) {
    this.#volume = volume;
    this.#map = map;
    this.#owner = owner;
    this.#blockSize = blockSize;
    this.#name = name;
  }

  /**
   * The block at byte `offset` of the fork, verified. `self`: where its self-description lies, by its magic number;
   * undefined for a magic number that does not belong here.
   */
  read(offset: number, self: (view: DataView) => SelfDescription | undefined): DirectoryBlock {
    work.lookups.spend(1);
    const bytes = new Uint8Array(this.#blockSize);
    const view = viewOf(bytes);
    const places = this.#places(offset);
    let at = 0;
    for (const { offset: from, length } of places) {
      this.#volume.disk.read(bytes.subarray(at, at + length), from);
      at += length;
    }
    const description = self(view);
    if (description === undefined)
      throw new CorruptError(this.#name, 'a block has no magic number', {
        offset,
        found: view.getUint32(magicAt),
      });
    if (!this.#verified.has(offset)) {
      this.#volume.verify(bytes, description, places, this.#owner, `${this.#name}: block at ${offset}`);
      if (this.#verified.size >= 65536) this.#verified.clear(); // bounds memory: verifying again is harmless
      this.#verified.add(offset);
    }
    return { bytes, view };
  }

  #places(offset: number): Place[] {
    const { blockSize } = this.#volume.superblock;
    const places: Place[] = [];
    const first = offset / blockSize;
    const end = first + this.#blockSize / blockSize;
    for (let logical = first; logical < end; ) {
      const run = this.#map.find(logical);
      if (run.block === undefined) throw new CorruptError(this.#name, 'has a hole in a block', { offset });
      const count = Math.min(run.count, end - logical);
      places.push({ offset: this.#volume.offsetOf(run.block), length: count * blockSize });
      logical += count;
    }
    return places;
  }
}
