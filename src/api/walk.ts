/**
 * A whole tree in one answer, in columns: the answers of `find` and `lstatns` for every file, without an object for
 * each.
 */

/** The columns of a {@link TreeListing}: one number for each file, in the order of its paths. */
export type ListingColumn =
  | 'device'
  | 'inode'
  | 'mode'
  | 'linkCount'
  | 'uid'
  | 'gid'
  | 'deviceNode'
  | 'size'
  | 'blocks'
  | 'accessedSeconds'
  | 'accessedNanoseconds'
  | 'modifiedSeconds'
  | 'modifiedNanoseconds'
  | 'changedSeconds'
  | 'changedNanoseconds';

/** Everything below a directory, the directory itself left out; each directory comes before what is in it. */
export interface TreeListing {
  readonly count: number;
  /** Paths relative to the directory, each followed by a NUL. */
  readonly paths: string;
  /** `size` in bytes, `blocks` in units of 512 bytes, times since 1970 in UTC; the others as in `lstat`. */
  readonly columns: Readonly<Record<ListingColumn, Float64Array>>;
}
