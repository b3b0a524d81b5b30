/** The writer of an ext filesystem: each method is a transaction, by the rules of the kernel's fs/ext4/namei.c. */
import { encodeText, GuestfsError, UnsupportedError } from '../../../base/index.js';
import type { GrowableDisk } from '../../../disk/index.js';
import type { InodeNumber, Time } from '../../driver.js';
import type { FileSystemWriter } from '../../writer.js';
import { storedAcl } from '../acl.js';
import { roCompat } from '../features.js';
import { encodeDevice, type Inode, inodeName } from '../inode.js';
import {
  inodeAt as at,
  changeableFlags,
  extMagic,
  inodeBlockAreaSize,
  inodeFlags,
  linkLimit,
  reservedInodes,
  superblockSize,
  superblock as superblockTable,
  xattrIndex,
  xattrPrefixes,
} from '../layout.js';
import { has, type RawSuperblock, superblockCopies } from '../superblock.js';
import { type ContentsParts, checkChangeable, FileContents } from './contents.js';
import { moveOut } from './inline-writer.js';
import { setOwner } from './inode-life.js';
import { setSize, setTimes } from './inode-table.js';
import type { WriteSession } from './session.js';
import { addFeatures, changeSuperblock, encodeSuperblock } from './superblock-writer.js';

type NewInode = Parameters<FileSystemWriter['create']>[2];
type NewAttributes = Parameters<FileSystemWriter['setAttributes']>[1];

/** The types of inodes in their mode. */
const typeBits: Readonly<Record<NewInode['type'], number>> = {
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
};
const permissionBits = 0o7777;

/** Blocks of metadata that an operation on names may change. */
const usualBlocks = 64;
const longestName = 255;

/** The writer of an open filesystem; `start` prepares the writing, once. */
export function writerOf(start: () => WriteSession, now: () => Time): ExtWriter {
  return new ExtWriter(start, now);
}

class ExtWriter implements FileSystemWriter {
  readonly #start: () => WriteSession;
  readonly #now: () => Time;
  readonly #held = new Map<InodeNumber, number>();
  /** What writes the contents of files, once there are such. */
  #parts: ContentsParts | undefined;

  constructor(start: () => WriteSession, now: () => Time) {
    this.#start = start;
    this.#now = now;
  }

  create(directory: InodeNumber, name: string, what: NewInode): InodeNumber {
    const { volume, life, directories, files, blocks } = this.#session;
    const bytes = this.#nameOf(name);
    const target = what.target === undefined ? undefined : encodeText(what.target);
    const { blockSize } = volume.superblock;
    if (what.type === 'symlink' && (target === undefined || target.length === 0))
      throw new GuestfsError('ENOENT', 'a symbolic link has a target');
    if (target !== undefined && target.length >= blockSize)
      throw new GuestfsError('ENAMETOOLONG', 'the target of a symbolic link is too long');
    return this.#run('create', () => {
      const parent = this.#directory(directory);
      if (directories.find(parent, bytes) !== undefined) throw exists(name);
      const isDirectory = what.type === 'directory';
      if (isDirectory) this.#checkLinks(parent);
      const isFast = target !== undefined && target.length < inodeBlockAreaSize;
      const isMapped = what.type === 'file' || isDirectory || (what.type === 'symlink' && !isFast);
      const mode = typeBits[what.type] | (what.permissions & permissionBits);
      const facts = {
        mode,
        uid: what.uid,
        gid: what.gid,
        links: isDirectory ? 2 : 1,
        isMapped,
      };
      const number = life.make(parent, facts, (record) => {
        if (what.device !== undefined) encodeDevice(record.view, what.device[0], what.device[1]);
        if (target === undefined) return;
        setSize(record, target.length);
        if (isFast) record.bytes.set(target, at.i_block);
      });
      if (isDirectory) directories.begin(volume.inode(number), directory);
      if (target !== undefined && !isFast) {
        const [run] = files.take(volume.inode(number), 0, 1, true);
        if (run !== undefined) blocks.change(run.block, true).bytes.set(target);
      }
      for (const [key, value] of what.xattrs ?? []) this.#putXattr(number, splitName(key), value);
      blocks.barrier();
      directories.add(volume.inode(directory), { name: bytes, inode: number, kind: what.type });
      this.#touchDirectory(directory, isDirectory ? 1 : 0);
      return number;
    });
  }

  link(number: InodeNumber, directory: InodeNumber, name: string): void {
    const { volume, life, directories, blocks } = this.#session;
    const bytes = this.#nameOf(name);
    this.#run('create', () => {
      const parent = this.#directory(directory);
      const inode = volume.inode(number);
      if (inode.kind === 'directory') throw new GuestfsError('EPERM', `${inodeName(number)}: is a directory`);
      this.#checkOwnChange(inode);
      if (directories.find(parent, bytes) !== undefined) throw exists(name);
      if (inode.stat.linkCount >= linkLimit)
        throw new GuestfsError('EMLINK', `${inodeName(number)}: has as many names as an inode can have`);
      life.countLinks(inode, inode.stat.linkCount + 1);
      blocks.barrier();
      directories.add(parent, { name: bytes, inode: number, kind: inode.kind });
      this.#touchDirectory(directory, 0);
    });
  }

  unlink(directory: InodeNumber, name: string): void {
    const bytes = this.#nameOf(name);
    const gone = this.#run('remove', () => {
      const { volume, directories, blocks } = this.#session;
      const parent = this.#directory(directory);
      const found = this.#find(parent, bytes, name);
      const inode = volume.inode(found);
      if (inode.kind === 'directory') throw new GuestfsError('EISDIR', `'${name}' is a directory`);
      this.#checkOwnChange(inode);
      directories.remove(parent, bytes);
      this.#touchDirectory(directory, 0);
      blocks.barrier();
      return this.#dropLink(inode);
    });
    if (gone !== undefined) this.#session.life.remove(gone);
  }

  rmdir(directory: InodeNumber, name: string): void {
    const bytes = this.#nameOf(name);
    const gone = this.#run('remove', () => {
      const { volume, directories, blocks } = this.#session;
      const parent = this.#directory(directory);
      const inode = volume.inode(this.#find(parent, bytes, name));
      if (inode.kind !== 'directory') throw new GuestfsError('ENOTDIR', `'${name}' is no directory`);
      this.#checkOwnChange(inode);
      if (!directories.isEmpty(inode)) throw new GuestfsError('ENOTEMPTY', `'${name}' is not empty`);
      directories.remove(parent, bytes);
      this.#touchDirectory(directory, -1);
      blocks.barrier();
      return this.#dropDirectory(inode);
    });
    if (gone !== undefined) this.#session.life.remove(gone);
  }

  rename(from: InodeNumber, name: string, to: InodeNumber, newName: string): void {
    const [bytes, newBytes] = [this.#nameOf(name), this.#nameOf(newName)];
    const gone = this.#run(undefined, () => {
      const { volume, directories, blocks, inodes } = this.#session;
      const number = this.#find(this.#directory(from), bytes, name);
      const inode = volume.inode(number);
      const isDirectory = inode.kind === 'directory';
      this.#checkOwnChange(inode);
      if (isDirectory) this.#checkNotInside(number, to);
      const target = directories.find(this.#directory(to), newBytes)?.inode;
      if (target === number) return undefined;
      const old = target === undefined ? undefined : volume.inode(target);
      if (old !== undefined) this.#checkReplaceable(old, isDirectory, newName);
      if (isDirectory && from !== to && old === undefined) this.#checkLinks(volume.inode(to));
      const entry = { name: newBytes, inode: number, kind: inode.kind };
      if (old === undefined) directories.add(volume.inode(to), entry);
      else directories.replace(volume.inode(to), entry);
      if (isDirectory && from !== to) directories.setParent(volume.inode(number), to);
      inodes.change(number, (record) => setTimes(record, { changed: this.#now() }));
      blocks.barrier();
      directories.remove(volume.inode(from), bytes);
      const isMoved = isDirectory && from !== to;
      const isReplaced = old?.kind === 'directory';
      this.#touchDirectory(from, isMoved || (isReplaced && from === to) ? -1 : 0);
      if (to !== from) this.#touchDirectory(to, (isMoved ? 1 : 0) - (isReplaced ? 1 : 0));
      if (old === undefined) return undefined;
      // Behind the barrier above, since which another inode has its name.
      return isReplaced ? this.#dropDirectory(old) : this.#dropLink(old);
    });
    if (gone !== undefined) this.#session.life.remove(gone);
  }

  setAttributes(number: InodeNumber, attributes: NewAttributes): void {
    const { volume, inodes } = this.#session;
    const { permissions, uid, gid, accessed, modified } = attributes;
    const xattrs = [...(attributes.xattrs ?? [])].map(([name, value]) => [splitName(name), value] as const);
    this.#run('create', () => {
      const inode = volume.heldInode(number);
      this.#checkOwnChange(inode);
      const { mode } = inode.stat;
      inodes.change(number, (record) => {
        if (permissions !== undefined)
          record.view.setUint16(at.i_mode, (mode & ~permissionBits) | (permissions & permissionBits), true);
        setOwner(record, uid ?? inode.stat.uid, gid ?? inode.stat.gid);
        setTimes(record, { accessed, modified, changed: this.#now() });
      });
      for (const [name, value] of xattrs) this.#putXattr(number, name, value);
    });
  }

  setXattr(number: InodeNumber, name: string, value: Uint8Array | undefined): void {
    this.setAttributes(number, { xattrs: new Map([[name, value]]) });
  }

  #putXattr(
    number: InodeNumber,
    [index, rest]: ReturnType<typeof splitName>,
    value: Uint8Array | undefined,
  ): void {
    const { volume, life } = this.#session;
    const isAcl = index === xattrIndex.aclDefault || index === xattrIndex.aclAccess;
    const stored = isAcl && value !== undefined ? storedAcl(value) : value;
    life.xattrs.set(volume.heldInode(number), index, rest, stored);
  }

  contents(number: InodeNumber): GrowableDisk {
    return this.#open(number);
  }

  allocate(number: InodeNumber, offset: number, length: number): void {
    const contents = this.#open(number);
    try {
      contents.allocate(offset, length);
    } finally {
      contents.close();
    }
  }

  setFlags(number: InodeNumber, flags: number): void {
    const { volume, inodes } = this.#session;
    this.#run('create', () => {
      const inode = volume.heldInode(number);
      const changed = (inode.flags ^ flags) & changeableFlags;
      if ((changed & (inodeFlags.EXT4_EXTENTS_FL | inodeFlags.EXT4_CASEFOLD_FL)) !== 0)
        throw new UnsupportedError(inodeName(number), ['changing how a file is stored by its flags'], {
          elsewhere: 'appliance',
        });
      inodes.change(number, (record) => {
        record.view.setUint32(at.i_flags, (inode.flags ^ changed) >>> 0, true);
        setTimes(record, { changed: this.#now() });
      });
    });
  }

  /** As in the kernel, not where checksums are made with it. */
  setGeneration(number: InodeNumber, generation: number): void {
    const { volume, inodes } = this.#session;
    if (volume.superblock.checksumSeed !== undefined)
      throw new GuestfsError('ENOTTY', `${inodeName(number)}: its checksums are made with its generation`);
    this.#run('create', () => {
      inodes.change(number, (record) => {
        record.view.setUint32(at.i_generation, generation, true);
        setTimes(record, { changed: this.#now() });
      });
    });
  }

  /** Changes fields of the superblock and of its copies, which are all in their places then: devices show them. */
  changeSuperblocks(changes: Partial<RawSuperblock>): void {
    const { volume, blocks, journal } = this.#session;
    const { superblock } = volume;
    // Its marks are changes of the superblock, too, and come first.
    journal.begin();
    const copies = [...superblockCopies(superblock)];
    for (let done = 0; done < copies.length; done += usualBlocks)
      this.#run(undefined, () => {
        for (const block of copies.slice(done, done + usualBlocks)) {
          // What is no copy is left alone: it was damaged before, and is e2fsck's business.
          if (superblockTable.decode(blocks.peek(block).bytes).s_magic !== extMagic) continue;
          encodeSuperblock(blocks.change(block).bytes.subarray(0, superblockSize), () => changes);
        }
      });
    this.#run(undefined, () => {
      const before = { ...superblock.raw };
      blocks.onUndo(() => Object.assign(superblock.raw, before));
      changeSuperblock(blocks, superblock.blockSize, () => changes);
      Object.assign(superblock.raw, changes);
    });
    journal.checkpoint();
  }

  sync(): void {
    this.#session.journal.commit();
  }

  /** Elsewhere a transaction has too little room. */
  together<T>(work: () => T): T {
    const { journal } = this.#session;
    return Number.isFinite(journal.most) || journal.isOrdered ? work() : this.#run('create', work);
  }

  get #session(): WriteSession {
    return this.#start();
  }

  /** Those of kind `create` give space to what may not be found yet, and then names; those of `remove` the reverse. */
  #run<T>(kind: 'create' | 'remove' | undefined, work: () => T): T {
    return this.#session.blocks.run(usualBlocks, kind, work);
  }

  #open(number: InodeNumber): FileContents {
    const { volume } = this.#session;
    checkChangeable(volume.heldInode(number));
    this.#parts ??= this.#contentsParts();
    const contents = new FileContents(this.#parts, number, () => this.#letGo(number));
    this.#held.set(number, (this.#held.get(number) ?? 0) + 1);
    return contents;
  }

  #contentsParts(): ContentsParts {
    const session = this.#session;
    const { volume, blocks, inodes, files, life } = session;
    return {
      volume,
      blocks,
      inodes,
      files,
      life,
      change: (of, count, work) =>
        blocks.run(count, 'create', () => {
          let current = volume.heldInode(of);
          if (has(current.flags, inodeFlags.EXT4_INLINE_DATA_FL))
            current = moveOut({ ...session, xattrs: life.xattrs }, current);
          work(current);
          inodes.change(of, (record) => setTimes(record, { modified: this.#now(), changed: this.#now() }));
        }),
      touch: (of, work) => inodes.change(of, work),
      allowLarge: () => this.#allowLarge(),
      sync: () => this.sync(),
    };
  }

  #letGo(number: InodeNumber): void {
    const holders = (this.#held.get(number) ?? 1) - 1;
    if (holders > 0) {
      this.#held.set(number, holders);
      return;
    }
    this.#held.delete(number);
    const { volume, life } = this.#session;
    if (volume.heldInode(number).stat.linkCount === 0) life.remove(number);
  }

  /** One name less. The inode, if it is to be deleted when the transaction is over. */
  #dropLink(inode: Inode): number | undefined {
    const { volume, life } = this.#session;
    const { number } = inode;
    const links = volume.inode(number).stat.linkCount - 1;
    life.countLinks(inode, Math.max(0, links));
    return links > 0 ? undefined : this.#dropInode(number);
  }

  #dropDirectory(inode: Inode): number | undefined {
    this.#session.life.countLinks(inode, 0);
    return this.#dropInode(inode.number);
  }

  /** An inode without a name: deleted now, or an orphan until that can be done. */
  #dropInode(number: number): number | undefined {
    const { life } = this.#session;
    if (this.#held.has(number)) {
      life.addOrphan(number);
      return undefined;
    }
    if (life.isRemovableAtOnce(number)) {
      life.remove(number);
      return undefined;
    }
    life.addOrphan(number);
    return number;
  }

  #touchDirectory(number: number, links: number): void {
    const { volume, inodes } = this.#session;
    const inode = volume.inode(number);
    let count = inode.stat.linkCount;
    // More than can be counted is 1, and stays so.
    if (links !== 0 && count !== 1) {
      count += links;
      if (count > linkLimit) count = 1;
    }
    inodes.change(number, (record) => {
      record.view.setUint16(at.i_links_count, count, true);
      setTimes(record, { modified: this.#now(), changed: this.#now() });
    });
  }

  #directory(number: InodeNumber): Inode {
    const inode = this.#session.volume.inode(number);
    if (inode.kind !== 'directory')
      throw new GuestfsError('ENOTDIR', `${inodeName(number)}: not a directory`);
    checkChangeable(inode);
    return inode;
  }

  #find(directory: Inode, bytes: Uint8Array, name: string): number {
    const found = this.#session.directories.find(directory, bytes);
    if (found === undefined) throw new GuestfsError('ENOENT', `there is no '${name}'`);
    return found.inode;
  }

  #nameOf(name: string): Uint8Array {
    const bytes = encodeText(name);
    if (bytes.length > longestName) throw new GuestfsError('ENAMETOOLONG', 'the name is too long');
    if (bytes.length === 0 || bytes.includes(0) || bytes.includes(slash) || name === '.' || name === '..')
      throw new GuestfsError('EINVAL', `'${name}' is no name that a file can have`);
    return bytes;
  }

  /** EMLINK where a directory can have no further directory. */
  #checkLinks(parent: Inode): void {
    const { features } = this.#session.volume.superblock;
    const isCounted =
      !has(features.roCompat, roCompat.dirNlink) || !has(parent.flags, inodeFlags.EXT4_INDEX_FL);
    if (isCounted && parent.stat.linkCount >= linkLimit)
      throw new GuestfsError('EMLINK', `${inodeName(parent.number)}: has as many directories as it can have`);
  }

  /** EPERM for what must not be renamed, linked or removed. */
  #checkOwnChange(inode: Inode): void {
    if (has(inode.flags, inodeFlags.EXT4_IMMUTABLE_FL | inodeFlags.EXT4_APPEND_FL))
      throw new GuestfsError('EPERM', `${inodeName(inode.number)}: is immutable or only to be appended to`);
  }

  #checkReplaceable(old: Inode, byDirectory: boolean, name: string): void {
    this.#checkOwnChange(old);
    const isDirectory = old.kind === 'directory';
    if (isDirectory && !byDirectory) throw new GuestfsError('EISDIR', `'${name}' is a directory`);
    if (!isDirectory && byDirectory) throw new GuestfsError('ENOTDIR', `'${name}' is no directory`);
    if (isDirectory && !this.#session.directories.isEmpty(old))
      throw new GuestfsError('ENOTEMPTY', `'${name}' is not empty`);
  }

  /** EINVAL where a directory would come to be inside itself. */
  #checkNotInside(number: number, directory: number): void {
    const { parentOf } = this.#session;
    const seen = new Set<number>();
    for (let at = directory; !seen.has(at); at = parentOf(at)) {
      if (at === number) throw new GuestfsError('EINVAL', 'a directory cannot be moved into itself');
      if (at === reservedInodes.root) return;
      seen.add(at);
    }
  }

  #allowLarge(): void {
    const { volume, blocks } = this.#session;
    addFeatures(blocks, volume.superblock.blockSize, { roCompat: roCompat.largeFile });
  }
}

const slash = 0x2f;

function exists(name: string): GuestfsError {
  return new GuestfsError('EEXIST', `'${name}' exists`);
}

/** The index of the prefix of an attribute's name, and the rest. EOPNOTSUPP. */
function splitName(name: string): [index: number, rest: Uint8Array] {
  for (const [index, prefix] of Object.entries(xattrPrefixes)) {
    if (prefix.endsWith('.') ? name.length > prefix.length && name.startsWith(prefix) : name === prefix)
      return [Number(index), encodeText(name.slice(prefix.length))];
  }
  throw new GuestfsError('EOPNOTSUPP', `no file can have an attribute '${name}'`);
}
