/** The common part of extent trees and block maps, the two ways to find an inode's blocks. */

/** Some blocks of an inode that lie together. */
export interface BlockRun {
  /** The first block on the disk; undefined for a hole, which reads as zeroes. */
  readonly block: number | undefined;
  /** How many blocks; at least 1. */
  readonly count: number;
}

export interface BlockMap {
  /** The run with block `logical` of the inode. `wanted` (≥ 1) bounds the work; the run may be longer or shorter. */
  find(logical: number, wanted: number): BlockRun;
}
