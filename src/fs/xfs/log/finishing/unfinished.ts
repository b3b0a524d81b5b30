/** Inodes of which the log has begun a change that is finished in memory. */
import { PendingInode } from '../../pending.js';
import type { Replayed } from '../../replayed.js';
import type { XfsVolume } from '../../volume.js';

export class Unfinished {
  readonly volume: XfsVolume;
  readonly #pending: Replayed['pending'];
  readonly #told = new Set<string>();

  constructor(volume: XfsVolume, pending: Replayed['pending']) {
    this.volume = volume;
    this.#pending = pending;
  }

  inode(number: number): PendingInode {
    let found = this.#pending.get(number);
    if (found === undefined) {
      found = new PendingInode();
      this.#pending.set(number, found);
    }
    return found;
  }

  /** Says what may be out of date of an inode; each only once. */
  warn(inode: number, what: string): void {
    const message = `XFS log: inode ${inode}: ${what}; only a mount by Linux makes it right`;
    if (!this.#told.has(message)) this.volume.warn(message);
    this.#told.add(message);
  }
}
