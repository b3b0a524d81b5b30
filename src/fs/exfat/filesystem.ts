/**
 * An exFAT volume as inodes, with the same answers as Linux.
 *
 * exFAT has no inodes. A file's number here is the place of its first directory entry on the disk, in units of 32 bytes:
 * unique, and the same each time. The root, which has no entry, is 1: a place inside the boot sector. A directory's link
 * count is 2 more than its number of directories, and the root's times, which are not stored, are 1970. A file has as
 * many bytes as it claims: those behind its valid data are zeroes, which older kernels do not show.
 */
import { CorruptError, LruMap, modeTypes, systemError, work } from '../../base/index.js';
import { type Disk, MappedDisk, type Mapping } from '../../disk/index.js';
import { ClusterChain, firstCluster } from '../cluster-chain.js';
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
import { DirectoryCache, directoriesKept, emptyUsage, noXattrs, parentsKept } from '../support.js';
import { type ExfatVolume, readVolume } from './boot.js';
import { type FileSet, readFileSets, readRawEntries } from './directory.js';
import {
  attributes,
  dateShift,
  entrySize,
  entryTypes,
  mostDirectorySize,
  mostNameBytes,
  NoFatChain,
  offsetBits,
  offsetSign,
  offsetValid,
  secondsPerOffset,
  tableEntry,
  timeBits,
} from './layout.js';
import { type ExfatOptions, parseOptions } from './options.js';
import { ExfatTable } from './table.js';
import { defaultUpcaseTable, readUpcaseTable, type UpcaseTable, upcase } from './upcase.js';

const rootInode = 1;
const epoch: Time = { seconds: 0, nanoseconds: 0 };

/** A file's entries, and the directory that they are in. */
interface Node {
  readonly set: FileSet;
  readonly parent: InodeNumber;
}

/** Where the bytes of a file or a directory lie. */
interface Clusters {
  readonly first: number;
  readonly size: number;
  /** Bytes from here on are zeroes. */
  readonly validSize: number;
  readonly isContiguous: boolean;
}

/** A directory's bytes, and the place of each on the disk. */
interface Directory {
  readonly data: Disk;
  readonly place: (offset: number) => number;
}

const isDirectory = ({ file }: FileSet): boolean => (file.FileAttributes & attributes.Directory) !== 0;

class ExfatFileSystem implements FileSystem {
  readonly type = 'exfat';
  readonly root = rootInode;
  readonly caseInsensitive = true;
  readonly longestName = Number.POSITIVE_INFINITY;
  readonly hasXattrs = false;
  readonly #disk: Disk;
  readonly #volume: ExfatVolume;
  readonly #table: ExfatTable;
  readonly #options: ExfatOptions;
  readonly #warn: (message: string) => void;
  readonly #nodes = new LruMap<InodeNumber, Node>(parentsKept);
  readonly #directories = new LruMap<InodeNumber, Directory>(directoriesKept);
  readonly #names = new DirectoryCache();
  readonly #linkCounts = new LruMap<InodeNumber, number>(parentsKept);
  /** The lengths in clusters of all directories that were read, by first cluster, and their sum. */
  readonly #lengths = new Map<number, number>();
  #clustersInDirectories = 0;
  #upcaseTable: UpcaseTable | undefined;
  #freeClusters: number | undefined;

  /** Validates the volume: CorruptError where Linux would not mount it, unless the backup of the boot region helps. */
  constructor(disk: Disk, { options = {}, warn = () => {} }: OpenOptions) {
    this.#options = parseOptions(options);
    this.#warn = warn;
    this.#disk = disk;
    this.#volume = readVolume(disk, warn);
    this.#table = new ExfatTable(disk, this.#volume);
    this.#directory(rootInode);
    if (this.#volume.dirty) warn('exfat: the volume was not cleanly unmounted');
    if (this.#volume.failed) warn('exfat: the medium has reported failures');
  }

  /** A file's entries; undefined for the root. CorruptError for a number that is no entry's place. */
  #set(inode: InodeNumber): FileSet | undefined {
    return inode === rootInode ? undefined : this.#node(inode).set;
  }

  #node(inode: InodeNumber): Node {
    const node = this.#nodes.get(inode) ?? this.#find(inode);
    if (node === undefined) throw new CorruptError('exFAT inode', 'is in no directory', { inode });
    return node;
  }

  /** Looks for a file from the root on. What is damaged elsewhere does not matter to it. */
  #find(inode: InodeNumber): Node | undefined {
    const pending: InodeNumber[] = [rootInode];
    const seen = new Set<InodeNumber>(pending);
    for (let above = pending.pop(); above !== undefined; above = pending.pop()) {
      const directory = above;
      const node = heeding(
        () => {},
        () => {
          for (const [number, found] of this.#children(directory, () => {})) {
            if (number === inode) return found;
            if (!isDirectory(found.set) || seen.has(number)) continue;
            seen.add(number);
            pending.push(number);
          }
          return undefined;
        },
      );
      if (node !== undefined) return node;
    }
    return undefined;
  }

  /** The files of a directory by number. They are remembered: whoever lists often asks for them next. */
  *#children(directory: InodeNumber, onDamage?: OnDamage): Generator<readonly [InodeNumber, Node]> {
    const { data, place } = this.#directory(directory);
    for (const set of readFileSets(data, onDamage)) {
      if (!set.isIntact) this.#warn('exfat: entries of a file have a wrong checksum');
      const number = place(set.offset) / entrySize;
      const node = { set, parent: directory };
      this.#nodes.set(number, node);
      yield [number, node];
    }
  }

  #directory(inode: InodeNumber): Directory {
    let directory = this.#directories.get(inode);
    if (directory !== undefined) return directory;
    const set = this.#set(inode);
    if (set !== undefined && !isDirectory(set)) throw systemError('ENOTDIR', `exfat inode ${inode}`);
    const what = set === undefined ? 'exFAT root directory' : `exFAT directory ${inode}`;
    directory = this.#openDirectory(this.#directoryClusters(set, what), what);
    this.#directories.set(inode, directory);
    return directory;
  }

  /** The root says nowhere how long it is: its chain tells. */
  #directoryClusters(set: FileSet | undefined, what: string): Clusters {
    if (set !== undefined) return clustersOf(set, set.stream.DataLength);
    const { rootCluster, clusterSize } = this.#volume;
    const most = Math.floor(mostDirectorySize / clusterSize);
    const size = new ClusterChain(this.#table, this.#volume, rootCluster, what).length(most) * clusterSize;
    return { first: rootCluster, size, validSize: size, isContiguous: false };
  }

  #openDirectory(clusters: Clusters, what: string): Directory {
    const { clusterSize, clusterCount } = this.#volume;
    const { first, size } = clusters;
    if (size > mostDirectorySize) throw new CorruptError(what, 'is too long', { size });
    if (size > 0 && !this.#lengths.has(first)) {
      const length = Math.ceil(size / clusterSize);
      this.#lengths.set(first, length);
      this.#clustersInDirectories += length;
    }
    // Each cluster belongs to one directory. Those that overlap take the product of their number and their length.
    if (this.#clustersInDirectories > clusterCount)
      throw new CorruptError(what, 'shares clusters with other directories', {
        inDirectories: this.#clustersInDirectories,
        clusterCount,
      });
    const lookup = this.#lookup(clusters, what);
    return {
      data: new MappedDisk(size, lookup, { name: what }),
      place: (offset) => {
        const mapping = lookup(offset, entrySize);
        if (mapping.kind !== 'data') throw new CorruptError(what, 'is shorter than it was', { offset });
        return mapping.offset;
      },
    };
  }

  /** Says where the bytes of some clusters lie. */
  #lookup(clusters: Clusters, what: string): (offset: number, length: number) => Mapping {
    const { first, size, validSize, isContiguous } = clusters;
    const { clusterSize, clusterCount, dataOffset } = this.#volume;
    if (size === 0) return () => ({ kind: 'hole', length: 1 });
    if (validSize > size)
      throw new CorruptError(what, 'has more valid bytes than bytes', { validSize, size });
    const length = Math.ceil(size / clusterSize);
    if (length > clusterCount) throw new CorruptError(what, 'is larger than the volume', { size });
    if (!this.#table.isCluster(first))
      throw new CorruptError(what, 'starts at no cluster', { cluster: first, clusters: clusterCount });
    if (!isContiguous) {
      const chain = new ClusterChain(this.#table, this.#volume, first, what);
      return (offset, wanted) => {
        if (offset >= validSize) return { kind: 'hole', length: size - offset };
        const mapping = chain.lookup(this.#disk, offset, Math.min(wanted, validSize - offset));
        if (mapping === undefined)
          throw new CorruptError(what, 'has fewer clusters than bytes', { offset, size });
        return { ...mapping, length: Math.min(mapping.length, validSize - offset) };
      };
    }
    if (first - firstCluster + length > clusterCount)
      throw new CorruptError(what, 'has clusters outside the volume', { cluster: first, length });
    const start = dataOffset + (first - firstCluster) * clusterSize;
    return (offset) =>
      offset >= validSize
        ? { kind: 'hole', length: size - offset }
        : { kind: 'data', disk: this.#disk, offset: start + offset, length: validSize - offset };
  }

  stat(inode: InodeNumber): InodeStat {
    const set = this.#set(inode);
    const isDir = set === undefined || isDirectory(set);
    const sizeInBytes = set === undefined ? this.#directory(inode).data.size : set.stream.DataLength;
    const { uid, gid, fileMask, directoryMask } = this.#options;
    const { clusterSize } = this.#volume;
    const isReadOnly = ((set?.file.FileAttributes ?? 0) & attributes.ReadOnly) !== 0;
    const modified = set === undefined ? epoch : this.#modified(set);
    return {
      inode,
      mode: isDir
        ? modeTypes.directory | (0o777 & ~directoryMask)
        : modeTypes.file | ((isReadOnly ? 0o555 : 0o777) & ~fileMask),
      linkCount: isDir ? this.#linkCount(inode) : 1,
      uid,
      gid,
      deviceMajor: 0,
      deviceMinor: 0,
      sizeInBytes,
      blockCount512: (Math.ceil(sizeInBytes / clusterSize) * clusterSize) / 512,
      accessed: set === undefined ? epoch : this.#accessed(set),
      modified,
      // Linux shows the time of the last write.
      changed: modified,
    };
  }

  #modified({ file }: FileSet): Time {
    const { LastModifiedTimestamp, LastModified10msIncrement, LastModifiedUtcOffset } = file;
    return this.#time(LastModifiedTimestamp, LastModified10msIncrement, LastModifiedUtcOffset);
  }

  #accessed({ file }: FileSet): Time {
    return this.#time(file.LastAccessedTimestamp, 0, file.LastAccessedUtcOffset);
  }

  #time(timestamp: number, hundredths: number, offset: number): Time {
    const quarters = (offset & offsetBits) - 2 * (offset & offsetSign);
    const zone =
      (offset & offsetValid) !== 0 ? -quarters * secondsPerOffset : this.#options.timeOffsetInSeconds;
    return decodeTime(timestamp >>> dateShift, timestamp & timeBits, hundredths, zone);
  }

  #linkCount(inode: InodeNumber): number {
    let count = this.#linkCounts.get(inode);
    if (count !== undefined) return count;
    count = 2;
    for (const [, { set }] of this.#children(inode, () => {})) if (isDirectory(set)) count++;
    this.#linkCounts.set(inode, count);
    return count;
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    const wanted = this.#options.keepLastDots ? name : name.replace(/\.+$/, '');
    if (wanted === '') return undefined;
    const table = this.#upcase();
    return this.#names.find(
      directory,
      upcase(table, wanted),
      () => this.#namesOf(directory, table),
      (number) => number,
    );
  }

  *#namesOf(
    directory: InodeNumber,
    table: UpcaseTable,
  ): Generator<readonly [name: string, entry: InodeNumber]> {
    for (const [number, { set }] of this.#children(directory)) yield [upcase(table, set.name), number];
  }

  /** The volume's own table, or, as in Linux, a common one. */
  #upcase(): UpcaseTable {
    this.#upcaseTable ??= heeding(
      (error) => this.#warn(`exfat: ${error.message}: names are compared as Unicode says`),
      () => {
        const entry = this.#findTable(entryTypes.upcaseTable);
        return readUpcaseTable(this.#tableData(entry, 'exFAT up-case table'), entry.TableChecksum);
      },
    );
    this.#upcaseTable ??= defaultUpcaseTable();
    return this.#upcaseTable;
  }

  /** An entry of the root that says where a table lies. */
  #findTable(type: number): ReturnType<typeof tableEntry.decode> {
    for (const entry of readRawEntries(this.#directory(rootInode).data))
      if (entry.type === type) return tableEntry.decode(entry.bytes);
    throw new CorruptError('exFAT root directory', 'lacks an entry', { type });
  }

  #tableData({ FirstCluster, DataLength }: { FirstCluster: number; DataLength: number }, what: string): Disk {
    const clusters = { first: FirstCluster, size: DataLength, validSize: DataLength, isContiguous: false };
    return new MappedDisk(DataLength, this.#lookup(clusters, what), { name: what });
  }

  *entries(directory: InodeNumber, onDamage?: OnDamage): Generator<DirectoryEntry> {
    try {
      for (const [inode, { set }] of this.#children(directory, onDamage))
        yield { name: set.name, inode, type: isDirectory(set) ? 'directory' : 'file' };
    } catch (thrown) {
      if (onDamage === undefined || !isDamage(thrown)) throw thrown;
      onDamage(thrown);
    }
  }

  parent(inode: InodeNumber): InodeNumber {
    if (inode === rootInode) return rootInode;
    const { set, parent } = this.#node(inode);
    if (!isDirectory(set)) throw systemError('ENOTDIR', `exfat inode ${inode}`);
    return parent;
  }

  readlink(inode: InodeNumber): string {
    throw systemError('EINVAL', `exfat inode ${inode}`);
  }

  data(inode: InodeNumber): Disk {
    const set = this.#set(inode);
    if (set === undefined || isDirectory(set)) throw systemError('EISDIR', `exfat inode ${inode}`);
    const what = `exFAT file ${inode}`;
    const clusters = clustersOf(set, set.stream.ValidDataLength);
    return new MappedDisk(clusters.size, this.#lookup(clusters, what), { name: what });
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return noXattrs;
  }

  usage(): FileSystemUsage {
    const { clusterSize, clusterCount } = this.#volume;
    this.#freeClusters ??= this.#countFree();
    return {
      ...emptyUsage,
      blockSize: clusterSize,
      fragmentSize: clusterSize,
      blocks: clusterCount,
      freeBlocks: this.#freeClusters,
      availableBlocks: this.#freeClusters,
      nameMax: mostNameBytes,
    };
  }

  /** Counts the bits of clusters that are not in use. */
  #countFree(): number {
    const { clusterCount } = this.#volume;
    const what = 'exFAT allocation bitmap';
    const data = this.#tableData(this.#findTable(entryTypes.allocationBitmap), what);
    if (data.size * 8 < clusterCount)
      throw new CorruptError(what, 'is too short', { size: data.size, clusterCount });
    const piece = new Uint8Array(Math.min(data.size, 65_536));
    let free = clusterCount;
    for (let done = 0; done * 8 < clusterCount; done += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, data.size - done));
      data.read(part, done);
      work.steps.spend(part.length);
      for (let i = 0; i < part.length; i++) {
        const left = clusterCount - (done + i) * 8;
        if (left <= 0) break;
        let bits = (part[i] as number) & (left < 8 ? 2 ** left - 1 : 0xff); // safe: i < its length
        for (; bits !== 0; bits &= bits - 1) free--;
      }
    }
    return free;
  }

  close(): void {
    this.#table.clear();
    this.#nodes.clear();
    this.#directories.clear();
    this.#names.clear();
    this.#linkCounts.clear();
    this.#lengths.clear();
    this.#clustersInDirectories = 0;
    this.#upcaseTable = undefined;
  }
}

function clustersOf({ stream }: FileSet, validSize: number): Clusters {
  const isContiguous = (stream.GeneralSecondaryFlags & NoFatChain) !== 0;
  return { first: stream.FirstCluster, size: stream.DataLength, validSize, isContiguous };
}

export function openExfat(disk: Disk, options: OpenOptions): FileSystem {
  return new ExfatFileSystem(disk, options);
}
