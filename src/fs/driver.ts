/**
 * The shape of every filesystem driver: bytes in, inodes out. A driver knows nothing of paths, mounts or actions;
 * it decodes metadata and says where a file's bytes are. See ARCHITECTURE.md, "One driver, one shape".
 */
import { GuestfsError, type ModeType, UnsupportedError } from '../base/index.js';
import type { Disk, Kind } from '../disk/index.js';

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
  /** The type, as `Probed.type`. */
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
  /** Of a filesystem on several disks: the others, in no order. */
  readonly others?: readonly Disk[];
  /** Told of what is odd but can be lived with (a bad checksum that the kernel lets pass, …). */
  readonly warn?: (message: string) => void;
}

/** One driver. */
export interface FileSystemDriver extends Kind {
  readonly role: 'filesystem';
  /** The types it opens, by the names that the kernel has for `mount -t`: `ext2`, `ext3`, `ext4`. */
  readonly types: readonly string[];
  /**
   * Of a filesystem that may be on several disks: the set that this disk is of, and how many disks the set has. Never
   * throws on any bytes.
   */
  memberOf?(disk: Disk): { readonly set: string; readonly count: number } | undefined;
  /** Opens and validates. Corrupt: CorruptError; a feature not implemented: UnsupportedError by its name. */
  open?(disk: Disk, options: OpenOptions): FileSystem;
}
