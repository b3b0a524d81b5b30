/**
 * What may be on a disk: the part of every driver's shape that filesystems, volume systems and locks share, so that
 * one list can hold them all.
 */
import type { Disk } from './disk.js';

/** What a glance at a disk tells: the answers of `vfs_type`, `vfs_label` and `vfs_uuid`. */
export interface Probed {
  /** The type by libguestfs's (blkid's) name: `ext4`, `vfat`, `iso9660`, `swap`. */
  readonly type: string;
  /** Empty where there is none. */
  readonly label: string;
  /** As blkid prints it; empty where there is none. */
  readonly uuid: string;
  /** Further facts by blkid's names (`SEC_TYPE`, `VERSION`, `BLOCK_SIZE`, `FSBLOCKSIZE` …), for `blkid`. */
  readonly facts: Readonly<Record<string, string>>;
}

/** blkid's classes of what lies on a disk: `other` is swap, caches, journals. */
export type UsageClass = 'filesystem' | 'raid' | 'crypto' | 'other';

/** What a probe may want to know of the device beside its bytes. */
export interface ProbeContext {
  /** Whether it is a whole disk or a volume, and no partition of one. */
  readonly whole: boolean;
  /** Whether some partition of it holds all of these bytes. */
  covered(offset: number, length: number): boolean;
  /** Where the session of a disc begins that is asked for, in bytes. */
  readonly sessionOffset: number;
}

/** A whole disk without partitions, looked at from its start. */
export const plainDisk: ProbeContext = { whole: true, covered: () => false, sessionOffset: 0 };

/**
 * What a thing on a disk is good for. A `member` gives volumes together with others of its kind; a `locked` one gives
 * one disk to whoever has a key; a `filesystem` gives files. Swap areas, caches and logs count as filesystems that
 * cannot be opened.
 */
export type Role = 'member' | 'locked' | 'filesystem';

/** One kind of thing that may be on a disk. */
export interface Kind {
  /** The driver's own name: `ext`, `LVM2_member`. */
  readonly name: string;
  readonly role: Role;
  /** What it finds is of this class. */
  readonly usage: UsageClass;
  /** The size in bytes of the smallest disk that it is looked for on. */
  readonly minimumSize?: number;
  /** Whether it may share a disk with others that may (UDF and ISO 9660 do on many discs). */
  readonly tolerant?: boolean;
  /** Whether it is found on whole disks only: the host adapters that write it know no partitions. */
  readonly wholeDisksOnly?: boolean;
  /**
   * Looks whether it is on the disk. Pure; never throws on any bytes (a disk's own I/O error passes through). No
   * context is that of {@link plainDisk}.
   */
  probe(disk: Disk, context?: ProbeContext): Probed | undefined;
}
