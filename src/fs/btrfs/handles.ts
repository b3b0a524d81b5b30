/**
 * Numbers of inodes in a mount. A subvolume has inode numbers of its own, and may be met inside the mounted one, so a
 * handle joins the two. The handles of the mounted subvolume are its inode numbers.
 */
import { CorruptError, UnsupportedError } from '../../base/index.js';
import type { InodeNumber } from '../driver.js';
import type { Subvolume } from './subvolumes.js';

/** More inodes than a subvolume has: they are counted up, and a disk has no room for so many. */
const inodeSpan = 2 ** 35;
/** Handles of a subvolume: those of its inodes, and those of the empty directories in them. */
const subvolumeSpan = 2 * inodeSpan;
/** Subvolumes of lower numbers have places by these, others by the order in which they are met. */
const firstFreePlace = 65_536;
const mostPlaces = 2 ** 53 / subvolumeSpan;
const mountedPlace = 0;

/** What a handle stands for. */
export interface Named {
  readonly subvolume: Subvolume;
  readonly inode: number;
  /**
   * Whether it is the empty directory in the directory `inode`: it stands where the other subvolume was when this one
   * was made as its snapshot.
   */
  readonly isPlaceholder: boolean;
}

export class Handles {
  readonly #mounted: Subvolume;
  readonly #find: (id: number) => Subvolume | undefined;
  readonly #subvolumes = new Map<number, Subvolume | undefined>();
  readonly #late: number[] = [];
  readonly #latePlaces = new Map<number, number>();

  /** `find`: finds a subvolume by its number. */
  constructor(mounted: Subvolume, find: (id: number) => Subvolume | undefined) {
    this.#mounted = mounted;
    this.#find = find;
  }

  /** The handle of an inode of a subvolume. UnsupportedError for what has no room in it. */
  of(subvolume: Subvolume, inode: number, isPlaceholder = false): InodeNumber {
    if (inode < 0 || inode >= inodeSpan)
      throw new CorruptError(subvolume.tree.name, 'has an impossible number of an inode', { inode });
    const place = subvolume === this.#mounted ? mountedPlace : this.#placeOf(subvolume.id);
    return place * subvolumeSpan + (isPlaceholder ? inodeSpan : 0) + inode;
  }

  #placeOf(id: number): number {
    if (id < firstFreePlace) return id;
    let place = this.#latePlaces.get(id);
    if (place === undefined) {
      place = firstFreePlace + this.#late.length;
      if (place >= mostPlaces)
        throw new UnsupportedError('btrfs filesystem', ['more than 65,000 late subvolumes in one mount']);
      this.#late.push(id);
      this.#latePlaces.set(id, place);
    }
    return place;
  }

  /** CorruptError for a number that is no handle. */
  get(handle: InodeNumber): Named {
    // Mostly it is of the mounted subvolume, and remainders of numbers beyond 32 bits take long.
    if (handle >= 0 && handle < inodeSpan)
      return { subvolume: this.#mounted, inode: handle, isPlaceholder: false };
    const inHandle = handle % subvolumeSpan;
    const subvolume = this.subvolume(this.subvolumeOf(handle));
    if (subvolume === undefined || inHandle < 0)
      throw new CorruptError('btrfs filesystem', 'there is no such inode', { inode: handle });
    return { subvolume, inode: inHandle % inodeSpan, isPlaceholder: inHandle >= inodeSpan };
  }

  /** The number of the subvolume that the inode of a handle is in. */
  subvolumeOf(handle: InodeNumber): number {
    const place = Math.floor(handle / subvolumeSpan);
    if (place === mountedPlace) return this.#mounted.id;
    return place < firstFreePlace ? place : (this.#late[place - firstFreePlace] ?? -1);
  }

  /** The subvolume of a number; undefined if there is none. */
  subvolume(id: number): Subvolume | undefined {
    if (id === this.#mounted.id) return this.#mounted;
    if (!this.#subvolumes.has(id)) this.#subvolumes.set(id, this.#find(id));
    return this.#subvolumes.get(id);
  }
}
