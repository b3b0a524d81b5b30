/**
 * Numbers of inodes in a mount. A subvolume has inode numbers of its own, and may be met inside the mounted one, so a
 * handle joins the two: the subvolumes are counted as they are met, and the mounted one, the first, has handles that are
 * its inode numbers.
 */
import { CorruptError, UnsupportedError } from '../../base/index.js';
import type { InodeNumber } from '../driver.js';
import type { Subvolume } from './subvolumes.js';

/** More inodes than a subvolume has: they are counted up, and a disk has no room for so many. */
const inodeSpan = 2 ** 35;
/** Handles of a subvolume: those of its inodes, and those of the empty directories in them. */
const subvolumeSpan = 2 * inodeSpan;
const mostSubvolumes = Number.MAX_SAFE_INTEGER / subvolumeSpan - 1;

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
  readonly #subvolumes: Subvolume[] = [];
  readonly #places = new Map<number, number>();

  /** The handle of an inode of a subvolume. UnsupportedError for what has no room in it. */
  of(subvolume: Subvolume, inode: number, isPlaceholder = false): InodeNumber {
    let place = this.#places.get(subvolume.id);
    if (place === undefined) {
      place = this.#subvolumes.length;
      if (place > mostSubvolumes)
        throw new UnsupportedError('btrfs filesystem', ['more than 131,000 subvolumes in one mount']);
      this.#subvolumes.push(subvolume);
      this.#places.set(subvolume.id, place);
    }
    if (inode < 0 || inode >= inodeSpan)
      throw new CorruptError(subvolume.tree.name, 'has an impossible number of an inode', { inode });
    return place * subvolumeSpan + (isPlaceholder ? inodeSpan : 0) + inode;
  }

  /** CorruptError for a number that is no handle. */
  get(handle: InodeNumber): Named {
    const inHandle = handle % subvolumeSpan;
    const subvolume = this.#subvolumes[(handle - inHandle) / subvolumeSpan];
    if (subvolume === undefined || inHandle < 0)
      throw new CorruptError('btrfs filesystem', 'there is no such inode', { inode: handle });
    return { subvolume, inode: inHandle % inodeSpan, isPlaceholder: inHandle >= inodeSpan };
  }

  /** The subvolume of a number, if it was met. */
  known(id: number): Subvolume | undefined {
    const place = this.#places.get(id);
    return place === undefined ? undefined : this.#subvolumes[place];
  }
}
