/**
 * What may be on a disk: the common part of the interfaces of filesystems, volume systems and locks, so that one list
 * can hold them all.
 */
import type { Disk } from './disk.js';

/** The result of a probe: the answers of `vfs_type`, `vfs_label` and `vfs_uuid`. */
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

/** Facts about the device that a probe may need beside its bytes. */
export interface ProbeContext {
  /** Whether it is a whole disk or a volume, and no partition of one. */
  readonly whole: boolean;
  /** Whether some partition of it holds all of these bytes. */
  covered(offset: number, length: number): boolean;
  /** The offset of the wanted session of a disc, in bytes. */
  readonly sessionOffset: number;
}

/** A whole disk without partitions, looked at from its start. */
export const plainDisk: ProbeContext = { whole: true, covered: () => false, sessionOffset: 0 };

/**
 * The use of a thing on a disk. A `member` gives volumes together with others of its kind; a `locked` one gives one
 * disk for a key; a `filesystem` gives files. Swap areas, caches and logs count as filesystems that cannot be opened.
 */
type Role = 'member' | 'locked' | 'filesystem';

/** One kind of thing that may be on a disk. */
export interface Kind {
  /** The driver's own name: `ext`, `LVM2_member`. */
  readonly name: string;
  readonly role: Role;
  /** What it finds is of this class. */
  readonly usage: UsageClass;
  /** The size in bytes of the smallest disk that it is looked for on. */
  readonly minimumSize?: number;
  /** Whether it may share a disk with other such kinds (UDF and ISO 9660 do on many discs). */
  readonly tolerant?: boolean;
  /** Whether it occurs on whole disks only: the host adapters that write it know no partitions. */
  readonly wholeDisksOnly?: boolean;
  /**
   * Whether no distribution's Linux makes anything of it: where this package cannot open it, the appliance cannot either.
   */
  readonly beyondLinux?: boolean;
  /**
   * Looks for it on the disk. Pure; never throws for any bytes (a disk's own I/O error passes through). Without a
   * context, {@link plainDisk} applies.
   */
  probe(disk: Disk, context?: ProbeContext): Probed | undefined;
}
