/** Facts about a log that was replayed, for those who read what it wrote. */
import type { PendingInode } from './pending.js';

/** What a replay of the log did, which the checks of what it wrote must know. */
export interface Replayed {
  /** Whether any of these bytes of the disk come from the log, so that a checksum over them is out of date. */
  touches(offset: number, length: number): boolean;
  /** Inodes that took over the blocks of another: such blocks still name the other as their owner. */
  readonly newOwners: ReadonlySet<number>;
  /** Inodes of which the log has more than the disk, by number. */
  readonly pending: Map<number, PendingInode>;
}
