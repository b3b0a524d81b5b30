/** What the ways to say where an inode's blocks lie have in common: extent trees and block maps. */

/** Some blocks of an inode that lie together. */
export interface BlockRun {
  /** The first block on the disk; undefined where there is none and the bytes are zero. */
  readonly block: number | undefined;
  /** How many blocks; at least 1. */
  readonly count: number;
}

export interface BlockMap {
  /** What holds block `logical` of the inode. `wanted` (≥ 1) bounds the work; the run may be longer or shorter. */
  find(logical: number, wanted: number): BlockRun;
}
