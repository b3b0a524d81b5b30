/**
 * The contents of files by their addresses, as a disk. Sectors that have a checksum are compared with it, and where one
 * differs the other copies are tried.
 */
import { CorruptError, systemError, viewOf } from '../../../base/index.js';
import type { Disk, Span } from '../../../disk/index.js';
import { isDamage } from '../../driver.js';
import { itemTypes, objects } from '../layout.js';
import type { Superblock } from '../superblock.js';
import type { Item } from '../tree/node.js';
import type { BTree } from '../tree/tree.js';
import type { AddressSpace } from './space.js';

const name = 'btrfs data';

/** Checksums of sectors that lie next to each other. */
interface Sums {
  /** An address. */
  readonly start: number;
  readonly end: number;
  readonly view: DataView;
  /** Where the first of them lies in the view. */
  readonly at: number;
}

export class VerifiedData implements Disk {
  readonly size: number;
  readonly sectorSize: number;
  readonly writable = false;
  readonly #space: AddressSpace;
  readonly #sumTree: BTree | undefined;
  readonly #superblock: Superblock;
  readonly #warn: (message: string) => void;
  #sums: Sums | undefined;

  /** `sumTree`: undefined if nothing is to be compared. */
  constructor(
    space: AddressSpace,
    superblock: Superblock,
    sumTree: BTree | undefined,
    warn: (message: string) => void,
  ) {
    this.#space = space;
    this.#superblock = superblock;
    this.#sumTree = sumTree;
    this.#warn = warn;
    this.size = space.end;
    this.sectorSize = superblock.sectorSize;
  }

  read(into: Uint8Array, offset: number): void {
    const before = offset % this.sectorSize;
    const after = (this.sectorSize - ((offset + into.length) % this.sectorSize)) % this.sectorSize;
    if (before === 0 && after === 0) {
      this.#readSectors(into, offset);
      return;
    }
    const whole = new Uint8Array(before + into.length + after);
    this.#readSectors(whole, offset - before);
    into.set(whole.subarray(before, before + into.length));
  }

  #readSectors(into: Uint8Array, address: number): void {
    const copies = this.#space.copiesAt(address, name);
    try {
      this.#space.readCopy(into, address, 0, name);
    } catch (thrown) {
      if (!isDamage(thrown) || copies === 1) throw thrown;
      // One by one, since each may be whole in another copy.
      this.#warn(`${thrown.message}: another copy is read`);
      for (let at = 0; at < into.length; at += this.sectorSize)
        this.#readOther(into.subarray(at, at + this.sectorSize), address + at, 0, thrown);
      return;
    }
    const view = viewOf(into);
    for (let at = 0; at < into.length; ) {
      const sums = this.#sumsAt(address + at);
      const end = Math.min(into.length, sums.end - address);
      if (this.#allHold(view, at, end, sums, address + at)) at = end;
      for (; at < end; at += this.sectorSize)
        if (!this.#holds(view, at, sums, address + at))
          this.#readOther(
            into.subarray(at, at + this.sectorSize),
            address + at,
            1,
            new CorruptError(name, 'has a bad checksum', { address: address + at }),
          );
    }
  }

  /** Fills a sector from the first good copy from `from` on. Throws `failure` if there is none. */
  #readOther(into: Uint8Array, address: number, from: number, failure: Error): void {
    const copies = this.#space.copiesAt(address, name);
    const sums = this.#sumsAt(address);
    for (let copy = from; copy < copies; copy++) {
      try {
        this.#space.readCopy(into, address, copy, name);
      } catch (thrown) {
        if (!isDamage(thrown)) throw thrown;
        continue;
      }
      if (!this.#holds(viewOf(into), 0, sums, address)) continue;
      if (from > 0) this.#warn(`${failure.message}: another copy is read`);
      return;
    }
    throw failure;
  }

  #holds(data: DataView, at: number, sums: Sums, address: number): boolean {
    if (sums.view === nothing) return true;
    const { checksum } = this.#superblock;
    return checksum.holds(data, at, at + this.sectorSize, sums.view, this.#placeOf(sums, address));
  }

  /** Whether all sectors have their checksums; false where it is not known of all of them together. */
  #allHold(data: DataView, start: number, end: number, sums: Sums, address: number): boolean {
    if (sums.view === nothing) return true;
    const { checksum } = this.#superblock;
    const { view: stored } = sums;
    const storedAt = this.#placeOf(sums, address);
    const pieceLength = this.sectorSize;
    return checksum.allHold?.({ data, start, end, pieceLength, stored, storedAt }) ?? false;
  }

  /** Where the checksum of a sector lies among those of its item. */
  #placeOf({ at, start }: Sums, address: number): number {
    return at + ((address - start) / this.sectorSize) * this.#superblock.checksum.length;
  }

  /** The checksums of a sector and of those after it; `nothing` for sectors without. */
  #sumsAt(address: number): Sums {
    const known = this.#sums;
    if (known !== undefined && address >= known.start && address < known.end) return known;
    const sums = this.#findSums(address);
    this.#sums = sums;
    return sums;
  }

  #findSums(address: number): Sums {
    const tree = this.#sumTree;
    if (tree === undefined) return { start: 0, end: this.size, view: nothing, at: 0 };
    const { extentCsum: type } = itemTypes;
    const item = tree.floor(objects.extentCsum, type, address);
    if (item !== undefined) {
      const end = this.#endOf(item);
      if (address < end) return { start: item.offset, end, view: item.view, at: item.start };
    }
    const next = tree.ceiling(objects.extentCsum, type, address);
    return { start: address, end: next === undefined ? this.size : next.offset, view: nothing, at: 0 };
  }

  /** The end of what an item has the checksums of. */
  #endOf(item: Item): number {
    const { length } = this.#superblock.checksum;
    if (item.size % length !== 0 || item.offset % this.sectorSize !== 0)
      throw new CorruptError('btrfs checksum tree', 'has an item of an odd size or place', {
        address: item.offset,
        size: item.size,
      });
    return item.offset + (item.size / length) * this.sectorSize;
  }

  checkWritable(): void {
    throw systemError('EROFS', name);
  }

  write(): void {
    this.checkWritable();
  }

  zero(): void {
    this.checkWritable();
  }

  span(_offset: number, length: number): Span {
    return { length, hole: false };
  }

  flush(): void {}

  close(): void {}
}

const nothing = viewOf(new Uint8Array(0));
