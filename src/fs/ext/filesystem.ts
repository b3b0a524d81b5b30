/** An open ext2, ext3 or ext4 filesystem: implements FileSystem with the other files. */
import { type GuestfsError, LruMap } from '../../base/index.js';
import type { Disk, GatheredDisk, WriteCache } from '../../disk/index.js';
import {
  type DirectoryEntry,
  type FileSystem,
  type FileSystemUsage,
  type InodeNumber,
  type InodeStat,
  isDamage,
  type OnDamage,
  type OpenOptions,
  type Time,
} from '../driver.js';
import { freeRuns } from './allocation.js';
import { openFile } from './data.js';
import { Directory } from './directory/directory.js';
import { compat } from './features.js';
import type { Inode } from './inode.js';
import { inodeFlags, reservedInodes } from './layout.js';
import type { ExtMountOptions } from './options.js';
import type { Orphans } from './orphans.js';
import { readUsage } from './report/usage.js';
import { has, type RawSuperblock } from './superblock.js';
import { readSymlink } from './symlink.js';
import type { ExtVolume } from './volume.js';
import { followedData, startWriting, type WriteSession, writerOf } from './write/index.js';
import { readXattrs } from './xattr.js';

/** EXT4_FL_USER_VISIBLE: the rest of the flags is the driver's own. */
const visibleFlags = 0x725bdfff;
/** FS_PROJINHERIT_FL, which has no meaning for a file. */
const projectInheritFlag = 0x20000000;

/** Directories kept open. */
const keptDirectories = 64;

/** How a filesystem is written, or why it is not. */
export type Writing =
  | {
      readonly cache: WriteCache;
      readonly data: GatheredDisk;
      readonly now: () => Time;
      readonly findJournal: OpenOptions['findJournal'];
      readonly isNew: boolean;
    }
  | { readonly whyReadOnly: GuestfsError | undefined };

export class ExtFileSystem implements FileSystem {
  readonly type: string;
  readonly root: InodeNumber = reservedInodes.root;
  readonly caseInsensitive = false;
  readonly longestName = 255;
  readonly hasXattrs = true;
  readonly idleOptions: readonly string[];
  readonly volume: ExtVolume;
  readonly writer: ReturnType<typeof writerOf> | undefined;
  readonly whyReadOnly: GuestfsError | undefined;
  readonly #options: ExtMountOptions;
  readonly #writing: Writing;
  #orphans: Orphans;
  #session: WriteSession | undefined;
  readonly #directories = new LruMap<InodeNumber, Directory>(keptDirectories);

  constructor(type: string, volume: ExtVolume, options: ExtMountOptions, orphans: Orphans, writing: Writing) {
    this.type = type;
    this.volume = volume;
    // There is no log to leave alone.
    this.idleOptions = has(volume.superblock.features.compat, compat.hasJournal)
      ? []
      : ['noload', 'norecovery'];
    this.#options = options;
    this.#orphans = orphans;
    this.#writing = writing;
    this.whyReadOnly = 'cache' in writing ? undefined : writing.whyReadOnly;
    this.writer = 'cache' in writing ? writerOf(() => this.#start(writing), writing.now) : undefined;
  }

  stat(inode: InodeNumber): InodeStat {
    const { stat, kind, flags } = this.volume.inode(inode);
    const truncated = this.#orphans.truncated.get(inode);
    if (truncated !== undefined) return { ...stat, blockCount512: truncated };
    // For an encrypted link the kernel returns the length of the target that it shows.
    if (kind === 'symlink' && has(flags, inodeFlags.EXT4_ENCRYPT_FL))
      return { ...stat, sizeInBytes: this.readlink(inode).length };
    // For files in the inode the kernel returns the space that they would occupy elsewhere.
    if (kind === 'file' && has(flags, inodeFlags.EXT4_INLINE_DATA_FL))
      return { ...stat, blockCount512: stat.blockCount512 + Math.ceil(stat.sizeInBytes / 512) };
    return stat;
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    const writing = this.#session?.directories;
    const inode = writing && this.volume.inode(directory);
    if (inode !== undefined && writing?.isPlain(inode))
      try {
        return writing.lookup(inode, name);
      } catch (thrown) {
        // Who only reads goes on behind what is damaged, and says so.
        if (!isDamage(thrown)) throw thrown;
      }
    return this.#directory(directory).lookup(name);
  }

  entries(directory: InodeNumber, onDamage?: OnDamage): Iterable<DirectoryEntry> {
    return this.#directory(directory).entries(onDamage);
  }

  parent(directory: InodeNumber): InodeNumber {
    return directory === this.root ? this.root : this.#directory(directory).parent();
  }

  readlink(inode: InodeNumber): string {
    return readSymlink(this.volume, this.volume.inode(inode));
  }

  data(inode: InodeNumber): Disk {
    const { volume } = this;
    return 'cache' in this.#writing
      ? followedData(volume, volume.inode(inode).number)
      : openFile(volume, volume.inode(inode));
  }

  xattrs(inode: InodeNumber): ReadonlyMap<string, Uint8Array> {
    return readXattrs(this.volume, this.volume.inode(inode));
  }

  attributeFlags(inode: InodeNumber): number {
    const { flags, kind } = this.volume.inode(inode);
    return (flags & visibleFlags & (kind === 'file' ? ~projectInheritFlag : ~0)) >>> 0;
  }

  usage(): FileSystemUsage {
    return readUsage(this.volume, this.#orphans.reclaimed, this.#options.minixDf);
  }

  *freeRanges(): Iterable<{ readonly offset: number; readonly length: number }> {
    this.#session?.blocks.seal();
    const { blockSize } = this.volume.superblock;
    for (const { block, count } of freeRuns(this.volume))
      yield { offset: block * blockSize, length: count * blockSize };
  }

  close(): void {
    try {
      this.#session?.close();
    } finally {
      this.#directories.clear();
      this.volume.close();
    }
  }

  /** What changes fields of the superblock and of its copies; undefined where it is not written. */
  superblockChange(changes: Partial<RawSuperblock>): (() => void) | undefined {
    const { writer } = this;
    return writer && (() => writer.changeSuperblocks(changes));
  }

  /** The inode itself, for facts that only ext has. */
  inode(inode: InodeNumber): Inode {
    return this.volume.inode(inode);
  }

  #directory(number: InodeNumber): Directory {
    let directory = this.#directories.get(number);
    const isOld = 'cache' in this.#writing && directory?.inode !== this.volume.inode(number);
    if (directory === undefined || isOld) {
      directory = new Directory(this.volume, this.volume.inode(number));
      this.#directories.set(number, directory);
    }
    return directory;
  }

  /** Prepares for writing, once. */
  #start({
    cache,
    data,
    now,
    findJournal,
    isNew,
  }: Extract<Writing, { readonly cache: WriteCache }>): WriteSession {
    if (this.#session === undefined) {
      const { volume } = this;
      const orphans = this.#orphans;
      this.#session = startWriting({
        volume,
        cache,
        data,
        orphans,
        now,
        findJournal,
        isNew,
        parentOf: (directory) => this.parent(directory),
      });
      // What they would have given back is given back.
      this.#orphans = { truncated: new Map(), listed: [], filed: [], reclaimed: { clusters: 0, inodes: 0 } };
    }
    return this.#session;
  }
}
