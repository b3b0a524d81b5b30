/**
 * A FAT volume as inodes, with the same answers as Linux's vfat.
 *
 * FAT has no inodes. A file's number here is the place of its directory entry on the disk, in units of 32 bytes:
 * unique, and the same each time. The root, which has no entry, is 1 as in Linux: a place inside the boot sector. A
 * directory's size is that of its clusters, its link count is 2 more than its number of directories, and the root's
 * times are 1970.
 */
import {
  CorruptError,
  decodeLatin1,
  type GuestfsError,
  LruMap,
  modeTypes,
  systemError,
  UnsupportedError,
} from '../../base/index.js';
import { BlockCache, type Disk, MappedDisk, SliceDisk, WriteCache } from '../../disk/index.js';
import { ClusterChain } from '../cluster-chain.js';
import { decodeTime } from '../dos-times.js';
import {
  type DirectoryEntry,
  type FileSystem,
  type FileSystemUsage,
  heeding,
  type InodeNumber,
  type InodeStat,
  isDamage,
  type OnDamage,
  type OpenOptions,
  type Time,
} from '../driver.js';
import {
  currentTime,
  DirectoryCache,
  directoriesKept,
  emptyUsage,
  noXattrs,
  parentsKept,
} from '../support.js';
import { type FatVolume, readVolume } from './boot.js';
import { nameEncoder } from './charset.js';
import { isDotEntry, type RawEntry, readEntries, shownName } from './directory.js';
import {
  attrDirectory,
  attrLongName,
  attrReadOnly,
  attrVolumeId,
  directoryEntry,
  entrySize,
  nameDeleted,
  nameEnd,
} from './layout.js';
import { foldName } from './names.js';
import { type FatOptions, parseOptions } from './options.js';
import { AllocationTable } from './table.js';
import { type FatSession, type FatWriter, followedFile, startWriting, writerOf } from './write/index.js';

const rootInode = 1;
/** The largest size of a file or directory, in bytes. */
const maxSize = 0xffffffff;

/** What one inode is. */
interface Node {
  readonly isDirectory: boolean;
  /** Its first cluster; 0 without one. */
  readonly firstCluster: number;
  /** Its directory entry; the root has none. */
  readonly entry: ReturnType<typeof directoryEntry.decode> | undefined;
}

/** A directory's bytes, and the place of each on the disk. */
interface Directory {
  readonly data: Disk;
  place(offset: number): number;
}

class FatFileSystem implements FileSystem {
  readonly type = 'vfat';
  readonly root = rootInode;
  readonly caseInsensitive: boolean;
  readonly longestName = Number.POSITIVE_INFINITY;
  readonly hasXattrs = false;
  readonly writer: FatWriter | undefined;
  readonly whyReadOnly: GuestfsError | undefined;
  readonly #disk: Disk;
  readonly #cache: WriteCache | undefined;
  readonly #now: () => Time;
  #session: FatSession | undefined;
  readonly #volume: FatVolume;
  readonly #options: FatOptions;
  readonly #table: AllocationTable;
  readonly #show: (name: string) => string;
  readonly #directories = new LruMap<InodeNumber, Directory>(directoriesKept);
  readonly #known = new DirectoryCache();
  readonly #linkCounts = new LruMap<InodeNumber, number>(parentsKept);
  /** Directories by their first cluster. */
  readonly #chains = new LruMap<number, Directory>(directoriesKept);
  /** The lengths in clusters of the chains of all directories that were read, by first cluster, and their sum. */
  readonly #chainLengths = new Map<number, number>();
  #clustersInDirectories = 0;
  #freeClusters: number | undefined;

  /** Validates the volume: CorruptError where Linux would not mount it. */
  constructor(disk: Disk, { options = {}, warn, readonly = true, now = currentTime }: OpenOptions) {
    this.#options = parseOptions(options);
    this.caseInsensitive = !this.#options.caseSensitive;
    this.#show = nameEncoder(this.#options.charset, this.#options.escapeUnknown);
    this.#volume = readVolume(disk);
    this.whyReadOnly = readonly ? undefined : whyNotWritable(disk, this.#volume, this.#options);
    const isWritten = !readonly && this.whyReadOnly === undefined;
    this.#cache = isWritten ? new WriteCache(disk, { blockSize: this.#volume.sectorSize }) : undefined;
    this.#disk = this.#cache?.view ?? disk;
    this.#table = new AllocationTable(this.#cache ?? new BlockCache(disk), disk.size, this.#volume);
    this.#now = now;
    this.writer = this.#cache && this.#makeWriter(this.#cache);
    if (this.#options.trustFreeCount) this.#freeClusters = this.#volume.freeHint;
    this.#directory(rootInode);
    if (this.#volume.dirty) warn?.('vfat: the volume was not cleanly unmounted');
  }

  #makeWriter(cache: WriteCache): FatWriter {
    return writerOf({
      root: rootInode,
      options: this.#options,
      fold: (name) => this.#fold(name),
      show: (name) => this.#show(name),
      session: () => (this.#session ??= startWriting(cache, this.#volume, this.#table)),
      now: () => this.#now(),
      parent: (inode) => this.parent(inode),
      mode: (inode) => this.#mode(this.#node(inode)),
      changed: (directory, entry, firstCluster) => this.#forget(directory, entry, firstCluster),
      moved: (inode, parent) => this.#known.parents.set(inode, parent),
    });
  }

  /** Drops what was known of a directory that changed, and of what an entry of it was. */
  #forget(directory: InodeNumber, entry: InodeNumber, firstCluster: number): void {
    for (const inode of [directory, entry]) {
      this.#directories.delete(inode);
      this.#linkCounts.delete(inode);
      this.#known.forget(inode);
    }
    this.#known.parents.delete(entry);
    const { rootCluster } = this.#volume;
    for (const first of [
      firstCluster,
      directory === rootInode ? rootCluster : this.#node(directory).firstCluster,
    ]) {
      this.#chains.delete(first);
      this.#clustersInDirectories -= this.#chainLengths.get(first) ?? 0;
      this.#chainLengths.delete(first);
    }
  }

  /** Decodes an inode. CorruptError for a number that is no entry's place. */
  #node(inode: InodeNumber): Node {
    const { rootOffset, dataOffset, bits, rootCluster } = this.#volume;
    if (inode === rootInode) return { isDirectory: true, firstCluster: rootCluster, entry: undefined };
    const offset = inode * entrySize;
    const first = bits === 32 ? dataOffset : rootOffset;
    if (!Number.isSafeInteger(inode) || offset < first || offset + entrySize > this.#disk.size) {
      throw new CorruptError('FAT inode', 'lies outside the directories', { inode });
    }
    const raw = new Uint8Array(entrySize);
    this.#disk.read(raw, offset);
    const entry = directoryEntry.decode(raw);
    const lead = raw[0];
    if (
      lead === nameEnd ||
      lead === nameDeleted ||
      entry.attr === attrLongName ||
      (entry.attr & attrVolumeId) !== 0
    ) {
      throw new CorruptError('FAT inode', 'is no file', { inode });
    }
    const high = bits === 32 ? entry.fst_clus_hi * 0x10000 : 0;
    return {
      isDirectory: (entry.attr & attrDirectory) !== 0,
      firstCluster: high + entry.fst_clus_lo,
      entry,
    };
  }

  /** A directory by its first cluster, cached: directories with the same chain are one. */
  #chainDirectory(first: number, what: string): Directory {
    let directory = this.#chains.get(first);
    if (directory === undefined) {
      directory = this.#openChain(first, what);
      this.#chains.set(first, directory);
    }
    return directory;
  }

  #openChain(first: number, what: string): Directory {
    const chain = new ClusterChain(this.#table, this.#volume, first, what);
    const { clusterSize, clusterCount } = this.#volume;
    const length = chain.length(Math.floor(maxSize / clusterSize) + 1);
    if (!this.#chainLengths.has(first)) {
      this.#chainLengths.set(first, length);
      this.#clustersInDirectories += length;
    }
    // Each cluster belongs to one directory. Chains that merge would cost the product of their number and their
    // length.
    if (this.#clustersInDirectories > clusterCount)
      throw new CorruptError(what, 'shares clusters with other directories', {
        inDirectories: this.#clustersInDirectories,
        clusterCount,
      });
    const size = length * clusterSize;
    return {
      data: chain.data(this.#disk, size, what),
      place: (offset) => {
        const mapping = chain.lookup(this.#disk, offset, entrySize);
        if (mapping?.kind !== 'data') throw new CorruptError(what, 'is shorter than it was', { offset });
        return mapping.offset;
      },
    };
  }

  #directory(inode: InodeNumber): Directory {
    let directory = this.#directories.get(inode);
    if (directory !== undefined) return directory;
    const node = this.#node(inode);
    if (!node.isDirectory) throw systemError('ENOTDIR', `vfat inode ${inode}`);
    const { rootOffset, rootSize, bits, rootCluster } = this.#volume;
    if (inode === rootInode && (bits !== 32 || rootCluster === 0)) {
      // FAT32 without a root cluster is an empty root, as in Linux.
      const data = new SliceDisk(this.#disk, rootOffset, rootSize);
      directory = { data, place: (offset) => rootOffset + offset };
    } else {
      const what = inode === rootInode ? 'FAT root directory' : `FAT directory ${inode}`;
      if (inode !== rootInode && (node.firstCluster === 0 || node.firstCluster === rootCluster)) {
        throw new CorruptError(what, 'starts where the root does', { cluster: node.firstCluster });
      }
      directory = this.#chainDirectory(node.firstCluster, what);
    }
    this.#directories.set(inode, directory);
    return directory;
  }

  #readEntries(directory: Directory): Generator<RawEntry> {
    return readEntries(directory.data, this.#options.shortNames, this.#show);
  }

  #linkCount(inode: InodeNumber): number {
    let count = this.#linkCounts.get(inode);
    if (count !== undefined) return count;
    // As in Linux, a directory other than the root counts its own `.` and `..`: without them the count is 0 or 1.
    count = inode === rootInode ? 2 : 0;
    for (const { attributes } of this.#readEntries(this.#directory(inode))) {
      if ((attributes & attrDirectory) !== 0) count++;
    }
    if (count < 2) throw new CorruptError(`FAT directory ${inode}`, 'has no entries . and ..');
    this.#linkCounts.set(inode, count);
    return count;
  }

  #mode(node: Node): number {
    const { fileMask, directoryMask, showExecutable, readOnlyDirectories } = this.#options;
    const readOnly = ((node.entry?.attr ?? 0) & attrReadOnly) !== 0;
    if (node.isDirectory) {
      return modeTypes.directory | ((readOnly && readOnlyDirectories ? 0o555 : 0o777) & ~directoryMask);
    }
    const extension = node.entry === undefined ? '' : decodeLatin1(node.entry.name.subarray(8));
    const executable = !showExecutable || ['EXE', 'COM', 'BAT'].includes(extension);
    const permissions = (executable ? 0o777 : 0o666) & (readOnly ? 0o555 : 0o777);
    return modeTypes.file | (permissions & ~fileMask);
  }

  stat(inode: InodeNumber): InodeStat {
    const node = this.#node(inode);
    const { entry } = node;
    const { clusterSize } = this.#volume;
    const sizeInBytes = node.isDirectory ? this.#directory(inode).data.size : (entry?.file_size ?? 0);
    const offset = this.#options.timeOffsetInSeconds;
    const epoch = { seconds: 0, nanoseconds: 0 };
    const modified = entry ? decodeTime(entry.wrt_date, entry.wrt_time, 0, offset) : epoch;
    return {
      inode,
      mode: this.#mode(node),
      linkCount: node.isDirectory ? this.#linkCount(inode) : 1,
      uid: this.#options.uid,
      gid: this.#options.gid,
      deviceMajor: 0,
      deviceMinor: 0,
      sizeInBytes,
      blockCount512: (Math.ceil(sizeInBytes / clusterSize) * clusterSize) / 512,
      accessed: entry ? decodeTime(entry.lst_acc_date, 0, 0, offset) : epoch,
      modified,
      // Linux ≥ 5.19 returns the time of the last write; the stored creation time is no change time.
      changed: modified,
    };
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    const wanted = this.#fold(name.replace(/\.+$/, ''));
    if (wanted === '') return undefined;
    const written = this.writer?.find(directory, wanted);
    if (written !== undefined) return written.inode;
    return this.#known.find(
      directory,
      wanted,
      () => this.#names(directory),
      (place) => place(),
    );
  }

  #fold(name: string): string {
    return this.#options.caseSensitive ? name : foldName(name);
  }

  /** All names that find an entry, in search order: the short one, then the long one. */
  *#names(inode: InodeNumber): Generator<[name: string, place: () => InodeNumber]> {
    const directory = this.#directory(inode);
    for (const entry of this.#readEntries(directory)) {
      if (isDotEntry(entry)) continue;
      const place = () => this.#inodeOf(inode, directory, entry);
      if (entry.shortName !== '') yield [this.#fold(entry.shortName), place];
      if (entry.longName !== undefined) yield [this.#fold(entry.longName), place];
    }
  }

  /** The number of an entry. Remembers the parent of a directory. */
  #inodeOf(parent: InodeNumber, directory: Directory, entry: RawEntry): InodeNumber {
    const inode = directory.place(entry.offset) / entrySize;
    if ((entry.attributes & attrDirectory) !== 0) this.#known.parents.set(inode, parent);
    return inode;
  }

  *entries(inode: InodeNumber, onDamage?: OnDamage): Generator<DirectoryEntry> {
    const directory = this.#directory(inode);
    try {
      for (const entry of this.#readEntries(directory)) {
        if (isDotEntry(entry)) continue;
        const name = heeding(onDamage, () => shownName(entry));
        if (name === undefined || name === '.' || name === '..') continue;
        yield {
          name,
          inode: this.#inodeOf(inode, directory, entry),
          type: (entry.attributes & attrDirectory) !== 0 ? 'directory' : 'file',
        };
      }
    } catch (thrown) {
      if (onDamage === undefined || !isDamage(thrown)) throw thrown;
      onDamage(thrown);
    }
  }

  parent(inode: InodeNumber): InodeNumber {
    if (inode === rootInode) return rootInode;
    return this.#known.parents.get(inode) ?? this.#findParent(inode);
  }

  /** The first cluster of a directory's parent by its `..`; 0 for the root. */
  #parentCluster(directory: Directory): number {
    for (const entry of this.#readEntries(directory)) {
      if (entry.name[1] !== 0x2e || !isDotEntry(entry)) continue;
      const first = this.#node(directory.place(entry.offset) / entrySize).firstCluster;
      return first === this.#volume.rootCluster ? 0 : first;
    }
    throw new CorruptError('FAT directory', 'has no entry ..');
  }

  /** Finds a parent that this driver has not returned before: by `..`, and by its entry in the grandparent. */
  #findParent(inode: InodeNumber): InodeNumber {
    const cluster = this.#parentCluster(this.#directory(inode));
    if (cluster === 0) return rootInode;
    const above = this.#parentCluster(this.#chainDirectory(cluster, 'FAT directory'));
    const grandparent =
      above === 0 ? this.#directory(rootInode) : this.#chainDirectory(above, 'FAT directory');
    for (const entry of this.#readEntries(grandparent)) {
      if ((entry.attributes & attrDirectory) === 0 || isDotEntry(entry)) continue;
      const candidate = grandparent.place(entry.offset) / entrySize;
      if (this.#node(candidate).firstCluster === cluster) return candidate;
    }
    throw new CorruptError('FAT directory', 'is not in its parent', { inode, cluster });
  }

  readlink(inode: InodeNumber): string {
    throw systemError('EINVAL', `vfat inode ${inode}`);
  }

  data(inode: InodeNumber): Disk {
    if (this.writer === undefined) return this.#data(inode);
    void this.#data(inode);
    return followedFile(
      () => this.#data(inode),
      () => this.#session?.version ?? 0,
    );
  }

  #data(inode: InodeNumber): Disk {
    const node = this.#node(inode);
    if (node.isDirectory) throw systemError('EISDIR', `vfat inode ${inode}`);
    const size = node.entry?.file_size ?? 0;
    const what = `FAT file ${inode}`;
    // In Linux, a file with a size but without a first cluster reads as zeroes.
    if (size === 0 || node.firstCluster === 0) {
      return new MappedDisk(size, (offset) => ({ kind: 'hole', length: size - offset }), { name: what });
    }
    return new ClusterChain(this.#table, this.#volume, node.firstCluster, what).data(this.#disk, size, what);
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return noXattrs;
  }

  usage(): FileSystemUsage {
    const { clusterSize, clusterCount } = this.#volume;
    if (this.#session === undefined) this.#freeClusters ??= this.#table.countFree();
    const free = this.#session?.freeClusters ?? this.#freeClusters ?? 0;
    return {
      ...emptyUsage,
      blockSize: clusterSize,
      fragmentSize: clusterSize,
      blocks: clusterCount,
      freeBlocks: free,
      availableBlocks: free,
      // 255 units of UTF-16, each counted as six bytes, as in Linux.
      nameMax: 255 * 6,
    };
  }

  close(): void {
    try {
      this.#session?.close();
    } finally {
      this.#directories.clear();
      this.#chains.clear();
      this.#chainLengths.clear();
      this.#known.clear();
      this.#linkCounts.clear();
    }
  }
}

/** Why a volume is not written; undefined if it can be. */
function whyNotWritable(
  disk: Disk,
  volume: FatVolume,
  { readOnly, unwritten }: FatOptions,
): GuestfsError | undefined {
  if (!disk.writable || readOnly) return systemError('EROFS', 'vfat');
  const missing = [
    ...(volume.isMirrored ? [] : ['writing a volume of whose tables only one is in use']),
    ...unwritten.map((name) => `writing with the mount option ${name}`),
  ];
  if (missing.length > 0) return new UnsupportedError('vfat', missing, { elsewhere: 'appliance' });
  const { dataOffset, clusterCount, clusterSize, sectorSize } = volume;
  if (dataOffset + clusterCount * clusterSize > disk.size || dataOffset % sectorSize !== 0)
    return new CorruptError('FAT volume', 'is larger than its device', { size: disk.size });
  return undefined;
}

export function openFat(disk: Disk, options: OpenOptions): FileSystem {
  return new FatFileSystem(disk, options);
}
