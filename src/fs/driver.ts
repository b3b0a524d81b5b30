/**
 * The interface of every filesystem driver: bytes in, inodes out. A driver knows no paths, mounts or actions; it
 * decodes metadata and gives the place of a file's bytes. See ARCHITECTURE.md, "One driver, one shape".
 */
import { GuestfsError, UnsupportedError } from '../base/index.js';
import type { Disk, Kind } from '../disk/index.js';
import type { FileType, InodeNumber, InodeStat, Time } from './inode-facts.js';
import type { FileSystemWriter } from './writer.js';

export type { FileType, InodeNumber, InodeStat, Time } from './inode-facts.js';

export interface DirectoryEntry {
  /** Not decoded further: names that are not UTF-8 contain escapes, see `decodeText`. */
  readonly name: string;
  readonly inode: InodeNumber;
  readonly type: FileType;
}

/**
 * Called for each part of an answer that is left out because it is damaged or not implemented; the rest follows.
 * `path`: of the directory or file, if a walk knows it.
 */
export type OnDamage = (error: GuestfsError, path?: string) => void;

/**
 * Whether the error comes from the contents of the disk: they are wrong, unreadable, or not implemented. All other
 * errors, such as a cancelled call or a bug, concern more than one file.
 */
export function isDamage(thrown: unknown): thrown is GuestfsError {
  return thrown instanceof GuestfsError && (thrown.code === 'EIO' || thrown instanceof UnsupportedError);
}

/** The result of `work`; undefined if it met damage and `onDamage` was called. */
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

/** The facts of `statvfs`. Sizes in units of `blockSize`. */
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
  /** Whether names are found in any case by default (FAT). */
  readonly caseInsensitive: boolean;
  /**
   * The longest possible name in bytes: a longer one is ENAMETOOLONG. On FAT and ISO 9660 a longer name is merely not
   * found.
   */
  readonly longestName: number;
  /** Whether files can have extended attributes. If not, reading one is EOPNOTSUPP. */
  readonly hasXattrs: boolean;
  /** The facts of an inode. CorruptError for a number that names no inode. */
  stat(inode: InodeNumber): InodeStat;
  /**
   * The inode of a name in a directory; undefined if it does not exist. Never `.` or `..`: the caller handles those.
   */
  lookup(directory: InodeNumber, name: string): InodeNumber | undefined;
  /**
   * The entries of a directory in stored order, without `.` and `..`. Damage throws an error; with `onDamage`, it is
   * reported and the entries after it follow.
   */
  entries(directory: InodeNumber, onDamage?: OnDamage): Iterable<DirectoryEntry>;
  /** The inode of a directory's parent; of the root, the root. */
  parent(directory: InodeNumber): InodeNumber;
  /** The target of a symbolic link. */
  readlink(inode: InodeNumber): string;
  /**
   * The contents of a regular file as a read-only disk of the file's size. Holes are holes; the disk need not be
   * closed.
   */
  data(inode: InodeNumber): Disk;
  /**
   * Extended attributes by full name (`user.x`, `security.selinux`, `system.posix_acl_access`), in stored order. A value
   * that is longer than Linux can read is E2BIG; with `onTooLong`, it is reported, and the others follow.
   */
  xattrs(inode: InodeNumber, onTooLong?: (error: GuestfsError) => void): ReadonlyMap<string, Uint8Array>;
  /**
   * One attribute, in drivers that also answer to names that they do not list; undefined where the file has none of
   * that name. EOPNOTSUPP for names that no file can have.
   */
  xattr?(inode: InodeNumber, name: string): Uint8Array | undefined;
  /**
   * The flags of `lsattr`, by the bits of FS_IOC_GETFLAGS (linux/fs.h). Left out where the filesystem has none.
   */
  attributeFlags?(inode: InodeNumber): number;
  usage(): FileSystemUsage;
  /**
   * What of the disk nothing uses, in bytes and in order, as of the last `sync` of the writer. Left out where the driver
   * does not tell.
   */
  freeRanges?(): Iterable<{ readonly offset: number; readonly length: number }>;
  /**
   * For a filesystem whose files lie in several volumes, each of which is a device of its own to programs and counts its
   * inodes by itself: the number of an inode's volume.
   */
  volumeOf?(inode: InodeNumber): number;
  /** For a filesystem whose inode numbers here say more than those that programs see: what those are. */
  inodeOf?(inode: InodeNumber): number;
  /** Mount options that ask for nothing of this filesystem, and that Linux may refuse. */
  readonly idleOptions?: readonly string[];
  /** Undefined where this filesystem cannot be written: {@link whyReadOnly} says why. */
  readonly writer?: FileSystemWriter | undefined;
  /**
   * Why there is no writer: an UnsupportedError that names a feature, EROFS, or what is damaged. Undefined for a driver
   * that only reads.
   */
  readonly whyReadOnly?: GuestfsError | undefined;
  /**
   * Writes what is not written yet, in good order, and drops the caches. The disk stays open: its opener closes it.
   * Throws what could not be written, having given up everything all the same.
   */
  close(): void;
}

/** What an opener may want. */
export interface OpenOptions {
  /**
   * The disk for repairs that mounting needs (the replay of a journal): a copy-on-write layer of the caller, which
   * only this driver sees. Called at most once.
   */
  readonly overlay: (disk: Disk) => Disk;
  /** Finds the disk of a journal that lies outside the filesystem, by its UUID. */
  readonly findJournal?: (uuid: string) => Disk | undefined;
  /** Mount options of the driver, by name (`utf8`, `norecovery`, …); an unknown one is EINVAL. */
  readonly options?: Readonly<Record<string, string | true>>;
  /**
   * Whether nothing will be written: more damage is then accepted, as in the kernel, and repairs that mounting needs go
   * to the {@link overlay}. Otherwise they go to the disk.
   */
  readonly readonly?: boolean;
  /** The time that is written into inodes and superblocks. By default the machine's clock. */
  readonly now?: () => Time;
  /**
   * It was just made and is being filled: nobody needs it before it is closed, so nothing is journalled, and no mount is
   * counted.
   */
  readonly isNew?: boolean;
  /** For a filesystem on several disks: the other disks, in no order. */
  readonly others?: readonly Disk[];
  /** Called for oddities that do not stop the driver (a bad checksum that the kernel accepts, …). */
  readonly warn?: (message: string) => void;
}

/** One driver. */
export interface FileSystemDriver extends Kind {
  readonly role: 'filesystem';
  /** Linux never writes it: a mount for writing is then one for reading. */
  readonly neverWritten?: true;
  /** The types it opens, by the names that the kernel has for `mount -t`: `ext2`, `ext3`, `ext4`. */
  readonly types: readonly string[];
  /**
   * For a filesystem that may be on several disks: the set of this disk, the count of disks in the set, and the disk's
   * number among them. Never throws.
   */
  memberOf?(
    disk: Disk,
  ): { readonly set: string; readonly count: number; readonly number: number } | undefined;
  /** Opens and validates. CorruptError for damage; UnsupportedError with the names of missing features. */
  open?(disk: Disk, options: OpenOptions): FileSystem;
}
