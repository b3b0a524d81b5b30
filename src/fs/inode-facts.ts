/** What is known of an inode, in every filesystem. */
import type { ModeType } from '../base/index.js';

/** An inode's number; unique in its filesystem. */
export type InodeNumber = number;

/** Seconds since 1970 (may be negative) and nanoseconds (0 to 999,999,999). */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** All facts of `lstat`, except the device. */
export interface InodeStat {
  readonly inode: InodeNumber;
  /** File type and permissions, as in `st_mode`. */
  readonly mode: number;
  readonly linkCount: number;
  readonly uid: number;
  readonly gid: number;
  /** For a device node: major and minor numbers; otherwise 0. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly sizeInBytes: number;
  /** The space that it occupies, in units of 512 bytes. */
  readonly blockCount512: number;
  readonly accessed: Time;
  readonly modified: Time;
  readonly changed: Time;
}

/** The file types of directory entries, by the letters of libguestfs's `dirent`. */
export type FileType = ModeType | 'unknown';
