/**
 * The write side of a filesystem. Each method is one transaction: it happened, or nothing did. Names, permissions, what
 * is inherited, and what an access control list means for a mode are the business of `vfs/`, which is the only caller.
 */
import type { GrowableDisk } from '../disk/index.js';
import type { FileType, InodeNumber, Time } from './inode-facts.js';

/** An inode that is to be made. */
export interface NewInode {
  readonly type: Exclude<FileType, 'unknown'>;
  /** The twelve bits of the mode, umask applied. */
  readonly permissions: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a symbolic link. */
  readonly target?: string;
  /** Of a device node: major and minor. */
  readonly device?: readonly [major: number, minor: number];
  /** Extended attributes that it has from the start, by full name. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** What `chmod`, `chown` and `utimensat` change; what is left out stays. The time of change is set in any case. */
export interface NewAttributes {
  readonly permissions?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly accessed?: Time;
  readonly modified?: Time;
  /** Extended attributes that change with it; undefined removes one. */
  readonly xattrs?: ReadonlyMap<string, Uint8Array | undefined>;
}

/**
 * A filesystem that can be written. ENOSPC, EDQUOT, EMLINK, EFBIG and ENAMETOOLONG leave everything as it was. What a
 * filesystem cannot store (a link on FAT) is EPERM, as in the kernel.
 */
export interface FileSystemWriter {
  /** Makes a file under a name that does not exist (EEXIST). Returns its inode. */
  create(directory: InodeNumber, name: string, what: NewInode): InodeNumber;
  link(inode: InodeNumber, directory: InodeNumber, name: string): void;
  /** Removes the name of a file that is no directory. The inode goes with its last name and its last holder. */
  unlink(directory: InodeNumber, name: string): void;
  /** ENOTEMPTY, ENOTDIR. */
  rmdir(directory: InodeNumber, name: string): void;
  /** Replaces what has the new name, if the rules of rename(2) allow that: EISDIR, ENOTDIR, ENOTEMPTY, EINVAL. */
  rename(from: InodeNumber, name: string, to: InodeNumber, newName: string): void;
  setAttributes(inode: InodeNumber, attributes: NewAttributes): void;
  /** Undefined removes it; ENODATA if it is not there. EOPNOTSUPP for names that no file can have. */
  setXattr(inode: InodeNumber, name: string, value: Uint8Array | undefined): void;
  /**
   * The contents of a regular file, with the same bytes that every `data(inode)` reads. Writing past the end makes the
   * file longer, `zero` with `discard` makes a hole, and the inode stays until this is closed. Each write sets the time
   * of modification, and so does a resize, even to the size that there is.
   */
  contents(inode: InodeNumber): GrowableDisk;
  /** Takes space for a range, whose bytes read as before or as zeroes. The size grows with it, as in `fallocate`. */
  allocate(inode: InodeNumber, offset: number, length: number): void;
  /** Makes all that was done durable. */
  sync(): void;
  /**
   * Runs many changes, of a filesystem that nobody needs before it is closed, as one: all of them happened, or none.
   * `work` may run twice.
   */
  together?<T>(work: () => T): T;
  /** The flags of `chattr`, and the generation number. */
  setFlags?(inode: InodeNumber, flags: number): void;
  setGeneration?(inode: InodeNumber, generation: number): void;
}
