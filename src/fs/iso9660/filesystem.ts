/**
 * An ISO 9660 volume as inodes, with the same answers as Linux's isofs.
 *
 * Rock Ridge is preferred to Joliet, and Joliet to plain names. An inode's number is the place of its directory
 * record: the block, times the 32-byte units in a block, plus the unit in which the record begins (a unit has at most
 * one, since the shortest record has 34 bytes). A directory is identified by its own record, the `.` at its start,
 * which also has its attributes.
 * One difference from Linux: a directory that Rock Ridge relocated has one number, that of its own `.`; Linux uses
 * another number when it is reached from its original place.
 */
import {
  CorruptError,
  decodeText,
  LruMap,
  modeTypeMask,
  modeTypes,
  systemError,
  typeOfMode,
  UnsupportedError,
} from '../../base/index.js';
import { type Disk, MappedDisk } from '../../disk/index.js';
import {
  type DirectoryEntry,
  type FileSystem,
  type FileSystemUsage,
  heeding,
  type InodeNumber,
  type InodeStat,
  type OnDamage,
  type OpenOptions,
} from '../driver.js';
import { DirectoryCache, emptyUsage, noXattrs } from '../support.js';
import { decodeShortDate } from './dates.js';
import { type IsoVolume, readVolume } from './descriptors.js';
import { flagAssociated, flagDirectory, flagHidden, flagMultiExtent, sectorSize } from './layout.js';
import { acornName, decodeJolietName, foldJolietName, rawName, translateName } from './names.js';
import { type IsoOptions, parseOptions } from './options.js';
import { type DirectoryRecord, isParent, isSelf, readRecord, readRecords } from './record.js';
import { decodeRockRidge, type RockRidge } from './rock-ridge.js';
import { readSharing, readUseEntries, type SuspDamage } from './susp.js';
import { openCompressed } from './zisofs.js';

const unitSize = 32;
/** A file with more records than this would have more than 4 TB. */
const maxSections = 1000;
/** The longest target of a symbolic link. */
const maxTarget = 4095;
const nodesKept = 8192;

/** A run of a file's bytes. */
interface Section {
  readonly firstBlock: number;
  readonly sizeInBytes: number;
}

/** How many bytes directories may exceed the disk, for small discs of careless writers. */
const overlapAllowed = 16 * 1024 * 1024;

/** What one inode is. */
interface Node {
  readonly record: DirectoryRecord;
  readonly rockRidge: RockRidge | undefined;
  readonly mode: number;
  readonly sections: readonly Section[];
  readonly storedSize: number;
}

/** A directory's record, and the facts that belong to it. */
interface Child {
  readonly name: string;
  readonly inode: InodeNumber;
}

class IsoFileSystem implements FileSystem {
  readonly type = 'iso9660';
  readonly root: InodeNumber;
  readonly caseInsensitive: boolean;
  readonly longestName = Number.POSITIVE_INFINITY;
  readonly hasXattrs = false;
  readonly #disk: Disk;
  readonly #volume: IsoVolume;
  readonly #options: IsoOptions;
  readonly #joliet: boolean;
  /** Bytes to skip in system use areas; undefined without Rock Ridge. */
  readonly #skip: number | undefined;
  readonly #nodes = new LruMap<InodeNumber, Node>(nodesKept);
  /** Known parents take precedence over `..`, because some writers store a wrong one. */
  readonly #known = new DirectoryCache();

  /** The sizes in bytes of all directories that were read, by first block, and their sum. */
  readonly #directorySizes = new Map<number, number>();
  #bytesInDirectories = 0;

  constructor(disk: Disk, { options = {} }: OpenOptions) {
    this.#disk = disk;
    this.#options = parseOptions(options);
    this.#volume = readVolume(disk);
    const { blockSize, primaryRoot, jolietRoot } = this.#volume;
    const jolietWanted = this.#options.joliet && jolietRoot !== undefined;
    let sharing = { skip: 0, declared: false };
    if (this.#options.rockRidge) {
      const self = readRecord(disk, primaryRoot * blockSize);
      sharing = readSharing(disk, blockSize, self.systemUse);
      if (sharing.declared && jolietWanted && this.#isEmpty(primaryRoot)) sharing.declared = false;
    }
    this.#joliet = jolietWanted && !sharing.declared;
    this.#skip = this.#options.rockRidge && !this.#joliet ? sharing.skip : undefined;
    this.caseInsensitive = this.#options.relaxed ?? this.#joliet;
    if (this.#joliet && this.#options.charset !== 'utf8')
      throw new UnsupportedError('iso9660', [`Joliet names with iocharset=${this.#options.charset}`]);
    this.root = this.#inodeOfBlock(this.#joliet ? (jolietRoot ?? primaryRoot) : primaryRoot);
    if (typeOfMode(this.#node(this.root).mode) !== 'directory') {
      throw new CorruptError('ISO 9660 volume', 'has a root that is no directory', { inode: this.root });
    }
  }

  /** Whether a directory has only the records `.` and `..`: some discs have files only in Joliet's tree. */
  #isEmpty(block: number): boolean {
    const start = block * this.#volume.blockSize;
    const self = readRecord(this.#disk, start);
    for (const record of readRecords(this.#disk, start, start + self.dataLength)) {
      if (!isSelf(record) && !isParent(record)) return false;
    }
    return true;
  }

  #inodeOfBlock(block: number): InodeNumber {
    return block * (this.#volume.blockSize / unitSize);
  }

  #rockRidge(record: DirectoryRecord): RockRidge | undefined {
    if (this.#skip === undefined) return undefined;
    // The root's own record begins with SP, so no bytes are skipped in it.
    const skip = record.position === this.root * unitSize ? 0 : this.#skip;
    const result: { damage: SuspDamage } = { damage: 'none' };
    const entries = readUseEntries(this.#disk, this.#volume.blockSize, record.systemUse, skip, result);
    const rockRidge = decodeRockRidge(entries);
    rockRidge.damage = result.damage;
    return rockRidge;
  }

  /** Decodes an inode. CorruptError for a number that is no record's place. */
  #node(inode: InodeNumber): Node {
    let node = this.#nodes.get(inode);
    if (node === undefined) {
      const record = this.#findRecord(inode);
      node = this.#decodeNode(record, this.#rockRidge(record), undefined);
      this.#nodes.set(inode, node);
    }
    return node;
  }

  /**
   * The record that begins in the 32 bytes of an inode's number. It is found by following the records from the start
   * of the sector, where one always begins. With blocks smaller than a sector, an extent may begin in the middle of a
   * sector, so the earlier blocks are tried as starts, the furthest first.
   */
  #findRecord(inode: InodeNumber): DirectoryRecord {
    const start = inode * unitSize;
    if (!Number.isSafeInteger(inode) || inode <= 0 || start >= this.#disk.size) {
      throw new CorruptError('ISO 9660 inode', 'lies outside the disk', { inode });
    }
    const { blockSize } = this.#volume;
    const block = Math.floor(start / blockSize) * blockSize;
    for (let from = block - sectorSize + blockSize; from <= block; from += blockSize) {
      let position = Math.max(0, from);
      while (position < start) {
        const length = this.#byteAt(position);
        if (length === 0) break;
        position += length;
      }
      if (position >= start && position < start + unitSize && this.#byteAt(position) !== 0) {
        return readRecord(this.#disk, position);
      }
    }
    throw new CorruptError('ISO 9660 inode', 'is no directory record', { inode });
  }

  #byteAt(position: number): number {
    const byte = new Uint8Array(1);
    this.#disk.read(byte, position);
    return byte[0] as number; // safe: one byte was read
  }

  /** `sections`, if the caller has already read the further records of the file. */
  #decodeNode(
    record: DirectoryRecord,
    rockRidge: RockRidge | undefined,
    sections: readonly Section[] | undefined,
  ): Node {
    const isDirectory = (record.flags & flagDirectory) !== 0;
    let mode = isDirectory
      ? modeTypes.directory | this.#options.directoryMode
      : modeTypes.file | this.#options.fileMode;
    if (rockRidge?.mode !== undefined) {
      mode = this.#options.overrideModes
        ? (rockRidge.mode & modeTypeMask) | (mode & ~modeTypeMask)
        : rockRidge.mode;
    }
    const all = sections ?? this.#readSections(record);
    let storedSize = 0;
    for (const { sizeInBytes } of all) storedSize += sizeInBytes;
    return { record, rockRidge, mode, sections: all, storedSize };
  }

  /** The runs of a file: one for each of its consecutive records. */
  #readSections(first: DirectoryRecord): Section[] {
    const sections = [{ firstBlock: first.firstBlock, sizeInBytes: first.dataLength }];
    let { position, length, flags } = first;
    while ((flags & flagMultiExtent) !== 0) {
      position += length;
      if (position % sectorSize !== 0 && this.#byteAt(position) === 0) {
        position = Math.ceil(position / sectorSize) * sectorSize;
      }
      const record = readRecord(this.#disk, position);
      addSection(sections, record);
      ({ length, flags } = record);
    }
    return sections;
  }

  #directoryNode(inode: InodeNumber): Node {
    const node = this.#node(inode);
    if (typeOfMode(node.mode) !== 'directory') throw systemError('ENOTDIR', `iso9660 inode ${inode}`);
    return node;
  }

  /** The records of a directory, `.` and `..` included. */
  #records(node: Node, onDamage?: OnDamage): Generator<DirectoryRecord> {
    const { firstBlock, dataLength } = node.record;
    const start = firstBlock * this.#volume.blockSize;
    if (!this.#directorySizes.has(firstBlock)) {
      this.#directorySizes.set(firstBlock, dataLength);
      this.#bytesInDirectories += Math.max(0, Math.min(dataLength, this.#disk.size - start));
    }
    // Each block belongs to one directory. Overlapping directories would cost the product of their number and their
    // length.
    if (this.#bytesInDirectories > this.#disk.size + overlapAllowed)
      throw new CorruptError('ISO 9660 directory', 'overlaps other directories', {
        block: firstBlock,
        inDirectories: this.#bytesInDirectories,
      });
    return readRecords(this.#disk, start, start + dataLength, onDamage);
  }

  /**
   * The files of a directory, in stored order. Their nodes are cached, because a caller that lists often reads them
   * next.
   */
  *#children(inode: InodeNumber, onDamage?: OnDamage): Generator<Child> {
    let first: DirectoryRecord | undefined;
    let sections: Section[] = [];
    for (const record of this.#records(this.#directoryNode(inode), onDamage)) {
      if (first === undefined) {
        first = record;
        sections = [{ firstBlock: record.firstBlock, sizeInBytes: record.dataLength }];
      } else addSection(sections, record);
      if ((record.flags & flagMultiExtent) !== 0) continue;
      const [head, all] = [first, sections];
      const child = heeding(onDamage, () => this.#child(inode, head, all));
      if (child !== undefined) yield child;
      first = undefined;
    }
  }

  /** The file of a first record; undefined if it is not shown. */
  #child(parent: InodeNumber, record: DirectoryRecord, sections: Section[]): Child | undefined {
    if (isSelf(record) || isParent(record)) return undefined;
    if (this.#options.hide && (record.flags & flagHidden) !== 0) return undefined;
    if (!this.#options.showAssociated && (record.flags & flagAssociated) !== 0) return undefined;
    const rockRidge = this.#rockRidge(record);
    // Linux hides a file whose entries cannot all be read.
    if (rockRidge?.relocated || rockRidge?.damage === 'continuation') return undefined;
    const name = this.#name(record, rockRidge);
    if (name === '' || name === '.' || name === '..') return undefined;
    const directory =
      rockRidge?.childBlock ?? ((record.flags & flagDirectory) !== 0 ? record.firstBlock : undefined);
    if (directory !== undefined) {
      const child = this.#inodeOfBlock(directory);
      this.#known.parents.set(child, parent);
      return { name, inode: child };
    }
    const inode = Math.floor(record.position / unitSize);
    this.#nodes.set(inode, this.#decodeNode(record, rockRidge, sections));
    return { name, inode };
  }

  #name(record: DirectoryRecord, rockRidge: RockRidge | undefined): string {
    if (rockRidge?.name !== undefined && rockRidge.damage === 'none') return decodeText(rockRidge.name);
    if (this.#joliet) return decodeJolietName(record.name);
    if (!this.#options.translateNames) return rawName(record.name);
    const name = translateName(record.name);
    return this.#options.acornNames ? acornName(name, record) : name;
  }

  #fold(name: string): string {
    return this.caseInsensitive ? foldJolietName(name) : name;
  }

  stat(inode: InodeNumber): InodeStat {
    const node = this.#node(inode);
    const { record, rockRidge, mode, storedSize } = node;
    const isDirectory = typeOfMode(mode) === 'directory';
    const time = decodeShortDate(record.date);
    return {
      inode,
      mode,
      linkCount: rockRidge?.mode === undefined ? 1 : rockRidge.links,
      uid: this.#options.uid ?? rockRidge?.uid ?? 0,
      gid: this.#options.gid ?? rockRidge?.gid ?? 0,
      deviceMajor: rockRidge?.deviceMajor ?? 0,
      deviceMinor: rockRidge?.deviceMinor ?? 0,
      sizeInBytes: isDirectory ? record.dataLength : this.#size(node),
      blockCount512: Math.ceil(storedSize / 512),
      accessed: rockRidge?.accessed ?? time,
      modified: rockRidge?.modified ?? time,
      changed: rockRidge?.changed ?? time,
    };
  }

  #size({ mode, rockRidge, storedSize }: Node): number {
    if (typeOfMode(mode) === 'symlink') return rockRidge?.symlink?.length ?? storedSize;
    if (this.#options.decompress && rockRidge?.compression) return rockRidge.compression.size;
    return storedSize;
  }

  lookup(directory: InodeNumber, name: string): InodeNumber | undefined {
    const wanted = this.#fold(name);
    return this.#known.find(
      directory,
      wanted,
      () => this.#names(directory),
      ({ inode }) => inode,
    );
  }

  *#names(directory: InodeNumber): Generator<[name: string, child: Child]> {
    for (const child of this.#children(directory)) yield [this.#fold(child.name), child];
  }

  *entries(directory: InodeNumber, onDamage?: OnDamage): Generator<DirectoryEntry> {
    for (const { name, inode } of this.#children(directory, onDamage)) {
      if (name.includes('/')) {
        const details = { name: JSON.stringify(name), directory };
        const error = new CorruptError('ISO 9660 directory', 'has a name that is none', details);
        if (onDamage === undefined) throw error;
        onDamage(error);
        continue;
      }
      // Linux's isofs returns no types in directories.
      yield { name, inode, type: 'unknown' };
    }
  }

  parent(directory: InodeNumber): InodeNumber {
    const node = this.#directoryNode(directory);
    if (directory === this.root) return directory;
    const known = this.#known.parents.get(directory);
    if (known !== undefined) return known;
    for (const record of this.#records(node)) {
      if (!isParent(record)) continue;
      return this.#inodeOfBlock(this.#rockRidge(record)?.parentBlock ?? record.firstBlock);
    }
    throw new CorruptError('ISO 9660 directory', 'has no record of its parent', { inode: directory });
  }

  readlink(inode: InodeNumber): string {
    const { mode, rockRidge } = this.#node(inode);
    if (typeOfMode(mode) !== 'symlink') throw systemError('EINVAL', `iso9660 inode ${inode}`);
    const target = rockRidge?.symlink;
    if (target === undefined || rockRidge?.damage !== 'none' || target.length > maxTarget) {
      throw new CorruptError('Rock Ridge symbolic link', 'has no target, or a damaged or too long one', {
        inode,
        length: target?.length ?? 0,
      });
    }
    return decodeText(target);
  }

  data(inode: InodeNumber): Disk {
    const node = this.#node(inode);
    const what = `iso9660 file ${inode}`;
    if (typeOfMode(node.mode) === 'directory') throw systemError('EISDIR', what);
    if (node.record.interleaved) throw new UnsupportedError(what, ['interleaved files']);
    if (node.rockRidge?.sparse) throw new UnsupportedError(what, ['Rock Ridge sparse files (SF)']);
    const stored = this.#stored(node, what);
    const compression = node.rockRidge?.compression;
    return compression && this.#options.decompress
      ? openCompressed(stored, compression, String(inode))
      : stored;
  }

  /** The bytes of a file as they are stored. */
  #stored({ sections, storedSize }: Node, what: string): Disk {
    const { blockSize } = this.#volume;
    const starts: number[] = [];
    let total = 0;
    for (const { sizeInBytes } of sections) {
      starts.push(total);
      total += sizeInBytes;
    }
    return new MappedDisk(
      storedSize,
      (offset) => {
        // The last section that begins at or before the offset; empty ones before it are skipped.
        let index = starts.length - 1;
        while (index > 0 && (starts[index] ?? 0) > offset) index--;
        const section = sections[index];
        const into = offset - (starts[index] ?? 0);
        if (section === undefined) throw new CorruptError(what, 'has no bytes there', { offset });
        return {
          kind: 'data',
          disk: this.#disk,
          offset: section.firstBlock * blockSize + into,
          length: section.sizeInBytes - into,
        };
      },
      { name: what },
    );
  }

  xattrs(): ReadonlyMap<string, Uint8Array> {
    return noXattrs;
  }

  usage(): FileSystemUsage {
    const { blockSize, blockCount } = this.#volume;
    return { ...emptyUsage, blockSize, fragmentSize: blockSize, blocks: blockCount };
  }

  close(): void {
    this.#nodes.clear();
    this.#directorySizes.clear();
    this.#known.clear();
  }
}

/** Adds the run of one more record of a file. */
function addSection(sections: Section[], record: DirectoryRecord): void {
  if (sections.length >= maxSections) {
    throw new CorruptError('ISO 9660 file', 'has too many records', { limit: maxSections });
  }
  sections.push({ firstBlock: record.firstBlock, sizeInBytes: record.dataLength });
}

export function openIso(disk: Disk, options: OpenOptions): FileSystem {
  return new IsoFileSystem(disk, options);
}
