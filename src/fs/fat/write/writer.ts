/**
 * The write side of FAT, with the rules of Linux's vfat (fs/fat/namei_vfat.c, fs/fat/file.c). What FAT cannot store is
 * EPERM: links, device nodes, owners, and permissions other than "nobody may write".
 */
import { CorruptError, systemError, UnsupportedError } from '../../../base/index.js';
import type { DiskTransaction, GrowableDisk } from '../../../disk/index.js';
import { ClusterChain, endOfChain } from '../../cluster-chain.js';
import { encodeTime } from '../../dos-times.js';
import type { FileSystem } from '../../driver.js';
import type { InodeNumber, Time } from '../../inode-facts.js';
import type { FileSystemWriter } from '../../writer.js';
import { encodeLabel } from '../label.js';
import {
  attrArchive,
  attrDirectory,
  attrReadOnly,
  attrVolumeId,
  bootSigFull,
  directoryEntry,
  entrySize,
  extended16,
  extended32,
  nameDeleted,
  nameKanji,
} from '../layout.js';
import type { FatOptions } from '../options.js';
import { FatContents } from './contents.js';
import { type EntryFields, WrittenDirectory } from './directory.js';
import type { ChainRun, FatSession } from './session.js';
import { makeShortName, partsOf, type StoredName, storableName } from './short-names.js';

/** What the writer asks of the filesystem that it belongs to. */
interface WrittenFileSystem {
  readonly root: InodeNumber;
  readonly options: FatOptions;
  fold(name: string): string;
  show(name: string): string;
  /** The session, begun at the first change. */
  session(): FatSession;
  now(): Time;
  parent(inode: InodeNumber): InodeNumber;
  /** Permissions and type, as `stat` tells them. */
  mode(inode: InodeNumber): number;
  /** A directory changed, or an entry of it: what is known of both is old. */
  changed(directory: InodeNumber, entry: InodeNumber, firstCluster: number): void;
  /** A directory is found at a new place. */
  moved(inode: InodeNumber, parent: InodeNumber): void;
}

type Entry = ReturnType<typeof directoryEntry.decode>;
type NewInode = Parameters<FileSystemWriter['create']>[2];
type NewAttributes = Parameters<FileSystemWriter['setAttributes']>[1];

/** Directories whose names are kept. */
const directoriesKept = 64;
const everyPermission = 0o777;
const writePermissions = 0o222;
const dotName = Uint8Array.from('.          ', (character) => character.charCodeAt(0));
const dotDotName = Uint8Array.from('..         ', (character) => character.charCodeAt(0));

/** A name whose first byte would say that its entry is deleted. */
function storedLead(name: Uint8Array): Uint8Array {
  return name[0] === nameDeleted ? Uint8Array.of(nameKanji, ...name.subarray(1)) : name;
}

/** A file whose contents are held: where its entry is, as long as it has one. */
interface HeldFile {
  inode: InodeNumber | undefined;
  contents: FatContents;
  holders: number;
}

/** Gives an open volume a label, in the case that is given. EINVAL for one that FAT cannot have. */
export function setFatLabel({ writer, whyReadOnly, type }: FileSystem, label: string): void {
  const name = encodeLabel(label);
  if (whyReadOnly !== undefined) throw whyReadOnly;
  if (!(writer instanceof FatWriter))
    throw new UnsupportedError(type, ['a label of a filesystem that is only read'], {
      elsewhere: 'appliance',
    });
  writer.setLabel(name);
  writer.sync();
}

/** The writer of an open volume. */
export function writerOf(fileSystem: WrittenFileSystem): FatWriter {
  return new FatWriter(fileSystem);
}

export class FatWriter implements FileSystemWriter {
  readonly #fileSystem: WrittenFileSystem;
  readonly #directories = new Map<InodeNumber, WrittenDirectory>();
  readonly #held = new Map<InodeNumber, HeldFile>();

  constructor(fileSystem: WrittenFileSystem) {
    this.#fileSystem = fileSystem;
  }

  get #session(): FatSession {
    return this.#fileSystem.session();
  }

  /** The inode of a name, where its directory was changed: then its names are known. `undefined` for another one. */
  find(directory: InodeNumber, name: string): { readonly inode: InodeNumber | undefined } | undefined {
    const known = this.#directories.get(directory);
    if (known === undefined) return undefined;
    const offset = known.find(name);
    return { inode: offset === undefined ? undefined : known.place(offset) / entrySize };
  }

  #entry(inode: InodeNumber): Entry {
    return directoryEntry.decode(this.#session.cache.bytes(inode * entrySize, entrySize, 'FAT inode'));
  }

  #firstCluster({ fst_clus_hi, fst_clus_lo }: Entry): number {
    return (this.#session.volume.bits === 32 ? fst_clus_hi * 0x10000 : 0) + fst_clus_lo;
  }

  #clusterFields(cluster: number): EntryFields {
    return { fst_clus_lo: cluster % 0x10000, fst_clus_hi: Math.floor(cluster / 0x10000) };
  }

  /** The clusters of a chain. */
  #runs(first: number): ChainRun[] {
    if (first === 0) return [];
    const { table, volume } = this.#session;
    const runs: { first: number; count: number }[] = [];
    const total = new ClusterChain(table, volume, first, 'FAT file').length(volume.clusterCount);
    for (let cluster = first, left = total; left > 0; left--) {
      const last = runs.at(-1);
      if (last !== undefined && last.first + last.count === cluster) last.count++;
      else runs.push({ first: cluster, count: 1 });
      const next = table.next(cluster);
      if (next === endOfChain) break;
      cluster = next;
    }
    return runs;
  }

  #directory(inode: InodeNumber): WrittenDirectory {
    let directory = this.#directories.get(inode);
    if (directory === undefined) {
      const { root, options } = this.#fileSystem;
      const { rootCluster, bits } = this.#session.volume;
      const isFixed = inode === root && bits !== 32;
      const first = inode === root ? rootCluster : this.#firstCluster(this.#entry(inode));
      if (!isFixed && first === 0) throw new CorruptError('FAT directory', 'has no clusters', { inode });
      directory = new WrittenDirectory(
        this.#session,
        isFixed ? undefined : this.#runs(first),
        options,
        (name) => this.#fileSystem.fold(name),
        (name) => this.#fileSystem.show(name),
      );
      const [oldest] = this.#directories.keys();
      if (this.#directories.size >= directoriesKept && oldest !== undefined) this.#directories.delete(oldest);
      this.#directories.set(inode, directory);
    }
    return directory;
  }

  #time(time: Time): ReturnType<typeof encodeTime> {
    return encodeTime(time, this.#fileSystem.options.timeOffsetInSeconds);
  }

  #setEntry(transaction: DiskTransaction, inode: InodeNumber, fields: EntryFields): void {
    directoryEntry.encode(fields, this.#session.change(transaction, inode * entrySize, entrySize));
  }

  /** The times of a directory that changed. The root has none. */
  #touch(transaction: DiskTransaction, directory: InodeNumber): void {
    if (directory === this.#fileSystem.root) return;
    const { date, time } = this.#time(this.#fileSystem.now());
    this.#setEntry(transaction, directory, { wrt_date: date, wrt_time: time });
  }

  /** Runs a change of directories, whose names are read anew if it is undone. */
  #run<T>(kind: string, directories: readonly InodeNumber[], work: (transaction: DiskTransaction) => T): T {
    return this.#session.run(kind, (transaction) => {
      transaction.onUndo(() => {
        for (const directory of directories) this.#directories.delete(directory);
      });
      return work(transaction);
    });
  }

  #changed(directory: InodeNumber, entry: InodeNumber, firstCluster = 0): void {
    this.#fileSystem.changed(directory, entry, firstCluster);
  }

  #find(directory: InodeNumber, name: string): Found {
    const found = this.#directory(directory);
    const offset = found.find(name.replace(/\.+$/, ''));
    if (offset === undefined) throw systemError('ENOENT', name);
    const inode = found.place(offset) / entrySize;
    return { offset, inode, entry: this.#entry(inode) };
  }

  #storedName(directory: WrittenDirectory, name: string): StoredName {
    const storable = storableName(name);
    if (directory.find(storable) !== undefined) throw systemError('EEXIST', name);
    const marksCase = this.#fileSystem.options.shortNames === 'winnt';
    return makeShortName(storable, (short) => directory.hasShort(short), marksCase);
  }

  create(directory: InodeNumber, name: string, what: NewInode): InodeNumber {
    if (what.type !== 'file' && what.type !== 'directory') throw systemError('EPERM', name);
    const isDirectory = what.type === 'directory';
    const parent = this.#directory(directory);
    const stored = this.#storedName(parent, name);
    const { date, time, hundredths } = this.#time(this.#fileSystem.now());
    const times = {
      crt_date: date,
      crt_time: time,
      crt_time_tenth: hundredths,
      lst_acc_date: date,
      wrt_date: date,
      wrt_time: time,
    };
    const inode = this.#run('grow', [directory], (transaction) => {
      const cluster = isDirectory ? this.#newDirectory(transaction, directory, times) : 0;
      const room = parent.reserve(transaction, 1 + (stored.long === undefined ? 0 : partsOf(stored.long)));
      transaction.barrier();
      room.link();
      const fields = {
        ...times,
        ...this.#clusterFields(cluster),
        attr: isDirectory ? attrDirectory : attrArchive,
      };
      const offset = parent.add(transaction, room.offset, stored, fields);
      this.#touch(transaction, directory);
      return parent.place(offset) / entrySize;
    });
    this.#changed(directory, inode);
    if (isDirectory) this.#fileSystem.moved(inode, directory);
    return inode;
  }

  /** The first cluster of a new directory, with its two entries. */
  #newDirectory(transaction: DiskTransaction, parent: InodeNumber, times: EntryFields): number {
    const session = this.#session;
    const [run] = session.allocate(transaction, 1);
    const cluster = run?.first ?? 0;
    session.blank(transaction, cluster);
    const put = (at: number, name: Uint8Array, first: number): void => {
      const bytes = session.change(transaction, session.offsetOf(cluster) + at, entrySize);
      directoryEntry.encode({ ...times, name, attr: attrDirectory, ...this.#clusterFields(first) }, bytes);
    };
    put(0, dotName, cluster);
    put(entrySize, dotDotName, this.#parentCluster(parent));
    return cluster;
  }

  /** What `..` says: of a directory in the root nothing. */
  #parentCluster(parent: InodeNumber): number {
    return parent === this.#fileSystem.root ? 0 : this.#firstCluster(this.#entry(parent));
  }

  /** Gives the volume a label: as an entry of its root, which is made if there is none, and in its boot sectors. */
  setLabel(name: Uint8Array): void {
    const { root } = this.#fileSystem;
    const session = this.#session;
    const directory = this.#directory(root);
    const { date, time } = this.#time(this.#fileSystem.now());
    this.#run('label', [root], (transaction) => {
      const known = directory.findLabel();
      const room =
        known === undefined ? directory.reserve(transaction, 1) : { offset: known, link: () => {} };
      transaction.barrier();
      room.link();
      const entry = session.change(transaction, directory.place(room.offset), entrySize);
      const made = { attr: attrVolumeId, crt_date: date, crt_time: time, lst_acc_date: date };
      if (known === undefined) entry.fill(0);
      directoryEntry.encode(
        { ...(known === undefined && made), name: storedLead(name), wrt_date: date, wrt_time: time },
        entry,
      );
      const { bits, backupOffset } = session.volume;
      const table = bits === 32 ? extended32 : extended16;
      for (const sector of backupOffset > 0 ? [0, backupOffset] : [0]) {
        const bytes = session.change(transaction, sector, table.size);
        if (table.decode(bytes).boot_sig === bootSigFull) table.encode({ vol_lab: name }, bytes);
      }
    });
    this.#changed(root, root);
  }

  link(_inode: InodeNumber, _directory: InodeNumber, name: string): void {
    throw systemError('EPERM', name);
  }

  unlink(directory: InodeNumber, name: string): void {
    const { entry } = this.#find(directory, name);
    if ((entry.attr & attrDirectory) !== 0) throw systemError('EISDIR', name);
    this.#remove(directory, name);
  }

  rmdir(directory: InodeNumber, name: string): void {
    const { entry, inode } = this.#find(directory, name);
    if ((entry.attr & attrDirectory) === 0) throw systemError('ENOTDIR', name);
    if (!this.#directory(inode).isEmpty) throw systemError('ENOTEMPTY', name);
    this.#remove(directory, name);
    this.#directories.delete(inode);
  }

  #remove(directory: InodeNumber, name: string): void {
    const { offset, inode, entry } = this.#find(directory, name);
    const first = this.#firstCluster(entry);
    const held = this.#held.get(inode);
    // The clusters of a file that is held are freed by another change, which has to come behind this one.
    const kind = held === undefined ? 'shrink' : 'hold';
    this.#run(kind, [directory], (transaction) => {
      this.#directory(directory).remove(transaction, offset);
      this.#touch(transaction, directory);
      transaction.barrier();
      if (held === undefined) this.#session.free(transaction, this.#runs(first));
    });
    this.#letGo(inode, held);
    this.#changed(directory, inode, first);
  }

  /** A file that is held has no entry any more: its clusters go with the last holder. */
  #letGo(inode: InodeNumber, held: HeldFile | undefined): void {
    if (held === undefined) return;
    held.inode = undefined;
    this.#held.delete(inode);
  }

  rename(from: InodeNumber, name: string, to: InodeNumber, newName: string): void {
    const source = this.#find(from, name);
    const isDirectory = (source.entry.attr & attrDirectory) !== 0;
    const target = this.#directory(to);
    const storable = storableName(newName);
    const replaced = target.find(storable) === undefined ? undefined : this.#find(to, storable);
    if (isDirectory) this.#checkNotInside(source.inode, to);
    // As in the kernel, a file keeps its name where the new one is another of its own, in other letters for example.
    if (replaced?.inode === source.inode) return;
    if (replaced === undefined) this.#renameToNew(from, source, to, storable);
    else this.#replace(from, source, to, replaced, newName);
  }

  #checkNotInside(inode: InodeNumber, directory: InodeNumber): void {
    for (let at = directory, depth = 0; at !== this.#fileSystem.root; at = this.#fileSystem.parent(at)) {
      if (at === inode) throw systemError('EINVAL', 'a directory cannot move into itself');
      if (++depth > this.#session.volume.clusterCount)
        throw new CorruptError('FAT directory', 'lies in itself');
    }
  }

  #renameToNew(from: InodeNumber, source: Found, to: InodeNumber, name: string): void {
    const { inode, offset, entry } = source;
    const [origin, target] = [this.#directory(from), this.#directory(to)];
    const moved = this.#run('rename', [from, to], (transaction) => {
      const marksCase = this.#fileSystem.options.shortNames === 'winnt';
      const stored = makeShortName(name, (short) => target.hasShort(short), marksCase);
      const room = target.reserve(transaction, 1 + (stored.long === undefined ? 0 : partsOf(stored.long)));
      transaction.barrier();
      room.link();
      const at = target.add(transaction, room.offset, stored, entry);
      const next = target.place(at) / entrySize;
      transaction.barrier();
      this.#setParent(transaction, from, to, entry);
      origin.remove(transaction, offset);
      this.#touch(transaction, from);
      if (to !== from) this.#touch(transaction, to);
      return next;
    });
    this.#relocate(inode, moved, from, to, entry);
  }

  /** What has the new name takes over what the old one had, in its own entry. */
  #replace(from: InodeNumber, source: Found, to: InodeNumber, replaced: Found, name: string): void {
    const isDirectory = (source.entry.attr & attrDirectory) !== 0;
    const replacesDirectory = (replaced.entry.attr & attrDirectory) !== 0;
    if (isDirectory && !replacesDirectory) throw systemError('ENOTDIR', name);
    if (!isDirectory && replacesDirectory) throw systemError('EISDIR', name);
    if (replacesDirectory && !this.#directory(replaced.inode).isEmpty) throw systemError('ENOTEMPTY', name);
    const held = this.#held.get(replaced.inode);
    const first = this.#firstCluster(replaced.entry);
    this.#run('replace', [from, to], (transaction) => {
      const { name: _name, nt_res: _flags, ...fields } = source.entry;
      this.#setEntry(transaction, replaced.inode, fields);
      transaction.barrier();
      this.#setParent(transaction, from, to, source.entry);
      this.#directory(from).remove(transaction, source.offset);
      this.#touch(transaction, from);
      if (to !== from) this.#touch(transaction, to);
      transaction.barrier();
      if (held === undefined) this.#session.free(transaction, this.#runs(first));
    });
    this.#letGo(replaced.inode, held);
    this.#directories.delete(replaced.inode);
    this.#changed(to, replaced.inode, first);
    this.#relocate(source.inode, replaced.inode, from, to, source.entry);
  }

  /** `..` of a directory that moves to another one. */
  #setParent(transaction: DiskTransaction, from: InodeNumber, to: InodeNumber, entry: Entry): void {
    if (from === to || (entry.attr & attrDirectory) === 0) return;
    const at = this.#session.offsetOf(this.#firstCluster(entry)) + entrySize;
    const bytes = this.#session.change(transaction, at, entrySize);
    if (directoryEntry.decode(bytes).name.some((byte, i) => byte !== dotDotName[i]))
      throw new CorruptError('FAT directory', 'has no entry ..');
    directoryEntry.encode(this.#clusterFields(this.#parentCluster(to)), bytes);
  }

  /** The entry of a file is at another place, so that its number is another one. */
  #relocate(inode: InodeNumber, next: InodeNumber, from: InodeNumber, to: InodeNumber, entry: Entry): void {
    const held = this.#held.get(inode);
    if (held !== undefined) {
      this.#held.delete(inode);
      held.inode = next;
      this.#held.set(next, held);
    }
    const directory = this.#directories.get(inode);
    this.#directories.delete(inode);
    if (directory !== undefined) this.#directories.set(next, directory);
    this.#changed(from, inode, this.#firstCluster(entry));
    this.#changed(to, next, this.#firstCluster(entry));
    if ((entry.attr & attrDirectory) !== 0) this.#fileSystem.moved(next, to);
  }

  setAttributes(inode: InodeNumber, { permissions, uid, gid, accessed, modified }: NewAttributes): void {
    const { options, root } = this.#fileSystem;
    const what = `vfat inode ${inode}`;
    if ((uid ?? options.uid) !== options.uid || (gid ?? options.gid) !== options.gid)
      throw systemError('EPERM', what);
    if (permissions !== undefined && (permissions & ~everyPermission) !== 0) throw systemError('EPERM', what);
    // The kernel keeps the root's attributes in memory alone.
    if (inode === root) return;
    const entry = this.#entry(inode);
    const fields: EntryFields = {};
    const attr = permissions === undefined ? undefined : this.#attributesFor(inode, entry, permissions);
    if (attr !== undefined) fields.attr = attr;
    if (accessed !== undefined) fields.lst_acc_date = this.#time(accessed).date;
    if (modified !== undefined) {
      const { date, time } = this.#time(modified);
      fields.wrt_date = date;
      fields.wrt_time = time;
    }
    if (Object.keys(fields).length === 0) return;
    this.#session.run('attributes', (transaction) => this.#setEntry(transaction, inode, fields));
    this.#changed(this.#fileSystem.root, inode);
  }

  /**
   * The attribute byte for permissions; undefined where FAT cannot store them, which the kernel passes over in silence
   * (fat_sanitize_mode).
   */
  #attributesFor(inode: InodeNumber, entry: Entry, permissions: number): number | undefined {
    const { options } = this.#fileSystem;
    const isDirectory = (entry.attr & attrDirectory) !== 0;
    const allowed = everyPermission & ~(isDirectory ? options.directoryMask : options.fileMask);
    const wanted = permissions & allowed;
    const now = this.#fileSystem.mode(inode) & everyPermission;
    if ((wanted & ~writePermissions) !== (now & ~writePermissions)) return undefined;
    const canWrite = allowed & writePermissions;
    const holdsReadOnly = (!isDirectory || options.readOnlyDirectories) && canWrite !== 0;
    const writes = wanted & writePermissions;
    if (writes !== canWrite && (writes !== 0 || !holdsReadOnly)) return undefined;
    const isReadOnly = writes === 0 && holdsReadOnly;
    return isReadOnly ? entry.attr | attrReadOnly : entry.attr & ~attrReadOnly;
  }

  setXattr(inode: InodeNumber, name: string): void {
    throw systemError('EOPNOTSUPP', `vfat inode ${inode}: ${name}`);
  }

  contents(inode: InodeNumber): GrowableDisk {
    let held = this.#held.get(inode);
    if (held === undefined) {
      const entry = this.#entry(inode);
      if (inode === this.#fileSystem.root || (entry.attr & attrDirectory) !== 0)
        throw systemError('EISDIR', `vfat inode ${inode}`);
      const file: HeldFile = { inode, contents: undefined as never, holders: 0 };
      file.contents = this.#openContents(file, this.#runs(this.#firstCluster(entry)), entry.file_size);
      held = file;
      this.#held.set(inode, held);
    }
    held.holders++;
    return held.contents;
  }

  #openContents(file: HeldFile, runs: readonly ChainRun[], size: number): FatContents {
    return new FatContents(
      this.#session,
      {
        store: (transaction, firstCluster, newSize) => {
          if (file.inode === undefined) return;
          const { date, time } = this.#time(this.#fileSystem.now());
          const fields = {
            file_size: newSize,
            wrt_date: date,
            wrt_time: time,
            ...this.#clusterFields(firstCluster),
          };
          const { attr } = this.#entry(file.inode);
          this.#setEntry(transaction, file.inode, { ...fields, attr: attr | attrArchive });
        },
        release: () => this.#release(file),
      },
      runs,
      size,
    );
  }

  #release(file: HeldFile): void {
    if (--file.holders > 0) return;
    if (file.inode !== undefined) this.#held.delete(file.inode);
    else if (file.contents.runs.length > 0)
      this.#session.run('shrink', (transaction) => this.#session.free(transaction, file.contents.runs));
  }

  allocate(inode: InodeNumber, offset: number, length: number): void {
    const contents = this.contents(inode);
    try {
      if (offset + length > contents.size) contents.resize(offset + length);
    } finally {
      contents.close();
    }
  }

  sync(): void {
    this.#session.sync();
  }
}

/** An entry that was found by its name. */
interface Found {
  readonly offset: number;
  readonly inode: InodeNumber;
  readonly entry: Entry;
}
