/**
 * The shape of every filesystem driver: bytes in, inodes out. A driver knows nothing of paths, mounts or actions;
 * it decodes metadata and says where a file's bytes are. See ARCHITECTURE.md, "One driver, one shape".
 */
import { GuestfsError, type ModeType, UnsupportedError } from '../base/index.js';
import type { Disk } from '../disk/index.js';

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

/** An inode's number; unique in its filesystem. */
export type InodeNumber = number;

/** Seconds since 1970 (may be negative) and nanoseconds (0 to 999,999,999). */
export interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** Everything `lstat` tells but the device. */
export interface InodeStat {
  readonly inode: InodeNumber;
  /** File type and permissions, as in `st_mode`. */
  readonly mode: number;
  readonly linkCount: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a device node: major and minor numbers; 0 otherwise. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  readonly sizeInBytes: number;
  /** What it occupies, in units of 512 bytes. */
  readonly blockCount512: number;
  readonly accessed: Time;
  readonly modified: Time;
  readonly changed: Time;
}

/** The file types of directory entries, by the letters of libguestfs's `dirent`. */
export type FileType = ModeType | 'unknown';

export interface DirectoryEntry {
  /** Not decoded further: names that are no UTF-8 hold escapes, see `decodeText`. */
  readonly name: string;
  readonly inode: InodeNumber;
  readonly type: FileType;
}

/**
 * Told of something damaged, or not implemented, that is left out of an answer, of which the rest follows. `path`: of the
 * directory or file, where a walk has one.
 */
export type OnDamage = (error: GuestfsError, path?: string) => void;

/**
 * Whether an error is what a disk holds: it is wrong, cannot be read, or is of a kind that is not implemented. All else, as
 * a cancelled call or a mistake of ours, concerns more than one file.
 */
export function isDamage(thrown: unknown): thrown is GuestfsError {
  return thrown instanceof GuestfsError && (thrown.code === 'EIO' || thrown instanceof UnsupportedError);
}

/** What `work` gives; undefined where it met damage and there is `onDamage` to tell. */
export function heeding<T>(onDamage: OnDamage | undefined, work: () => T): T | undefined {
  if (onDamage === undefined) return work();
  try {
    return work();
  } catch (thrown) {
    if (!isDamage(thrown)) throw thrown;
    onDamage(thrown);
    return undefined;
  }
}

/** What `statvfs` tells. Sizes in units of `blockSize`. */
export interface FileSystemUsage {
  readonly blockSize: number;
  /** The unit of the block counts below (`f_frsize`). */
  readonly fragmentSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** Free for users other than root. */
  readonly availableBlocks: number;
  readonly inodes: number;
  readonly freeInodes: number;
  readonly nameMax: number;
  /** As the kernel gives it in `f_fsid`. */
  readonly id: bigint;
}

/** An open filesystem. Everything is read on demand and checked as it is read. */
export interface FileSystem {
  /** The type, as {@link Probed.type}. */
  readonly type: string;
  readonly root: InodeNumber;
  /** Whether names are found whatever their case by default (FAT). */
  readonly caseInsensitive: boolean;
  /** The longest name that can be asked for, in bytes: a longer one is ENAMETOOLONG. On FAT and ISO 9660 it is just not there. */
  readonly longestName: number;
  /** Whether files can have extended attributes. Where they cannot, asking for one is EOPNOTSUPP. */
  readonly hasXattrs: boolean;
  /** What an inode is. A number that names no inode is a CorruptError. */
  stat(inode: InodeNumber): InodeStat;
  /** The inode of a name in a directory; undefined where there is none. Never `.` or `..`: the caller walks those. */
  lookup(directory: InodeNumber, name: string): InodeNumber | undefined;
  /**
   * The entries of a directory in the order they are stored in, with `.` and `..` left out. Damage ends them with an error,
   * unless there is `onDamage` to tell: then what lies behind it follows.
   */
  entries(directory: InodeNumber, onDamage?: OnDamage): Iterable<DirectoryEntry>;
  /** The inode of a directory's parent; of the root, the root. */
  parent(directory: InodeNumber): InodeNumber;
  /** The target of a symbolic link. */
  readlink(inode: InodeNumber): string;
  /** The contents of a regular file as a read-only disk of the file's size: holes are holes, and closing it is not needed. */
  data(inode: InodeNumber): Disk;
  /** Extended attributes by full name (`user.x`, `security.selinux`, `system.posix_acl_access`), in stored order. */
  xattrs(inode: InodeNumber): ReadonlyMap<string, Uint8Array>;
  usage(): FileSystemUsage;
  /** Gives up caches; the disk stays open: its opener closes it. */
  close(): void;
}

/** What an opener may want. */
export interface OpenOptions {
  /**
   * Where repairs that mounting implies may be written (the replay of a journal): a copy-on-write layer made by the
   * caller, who sees them only through this driver. Called at most once.
   */
  readonly overlay: (disk: Disk) => Disk;
  /** Mount options of the driver's own, by name (`utf8`, `norecovery`, …); an unknown one is EINVAL. */
  readonly options?: Readonly<Record<string, string | true>>;
  /** Whether nothing will be written: more damage is let pass then, as by the kernel. */
  readonly readonly?: boolean;
  /** Told of what is odd but can be lived with (a bad checksum that the kernel lets pass, …). */
  readonly warn?: (message: string) => void;
}

/** blkid's classes of what lies on a disk: `other` is swap, caches, journals. */
export type Usage = 'filesystem' | 'raid' | 'crypto' | 'other';

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

/** One driver. */
export interface FileSystemDriver {
  /** The driver's own name: `ext`. */
  readonly name: string;
  /** The types it opens, by the names that the kernel has for `mount -t`: `ext2`, `ext3`, `ext4`. */
  readonly types: readonly string[];
  /** What it finds is of this class. */
  readonly usage: Usage;
  /** The size in bytes of the smallest disk that it is looked for on. */
  readonly minimumSize?: number;
  /** Whether it may share a disk with others that may (UDF and ISO 9660 do on many discs). */
  readonly tolerant?: boolean;
  /** Whether it is found on whole disks only: the host adapters that write it know no partitions. */
  readonly wholeDisksOnly?: boolean;
  /**
   * Looks whether this filesystem is on the disk. Pure; never throws on any bytes (a disk's own I/O error passes through).
   * No context is that of {@link plainDisk}.
   */
  probe(disk: Disk, context?: ProbeContext): Probed | undefined;
  /** Opens and validates. Corrupt: CorruptError; a feature not implemented: UnsupportedError by its name. */
  open?(disk: Disk, options: OpenOptions): FileSystem;
}
