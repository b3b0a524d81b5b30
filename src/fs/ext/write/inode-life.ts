/** Inodes that are made, and those whose last name is gone: what they have is given back, in parts where that is much. */
import { typeOfMode, viewOf, work } from '../../../base/index.js';
import type { Time } from '../../driver.js';
import { incompat } from '../features.js';
import { type Inode, isPublicInode } from '../inode.js';
import {
  inodeAt as at,
  inheritedFlags,
  inodeBlockAreaSize,
  inodeFlags,
  reservedInodes,
  shortInodeSize,
  superblock as superblockLayout,
  superblockOffset,
  usualExtraSize,
} from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { hasXattrs } from '../xattr.js';
import type { ChangeableBlocks } from './blocks.js';
import { emptyTree } from './extent-tree.js';
import type { Files } from './files.js';
import { type InodeRecord, type InodeTable, setBlocks, setSize, setTimes } from './inode-table.js';
import type { Space } from './space.js';
import { changeSuperblock } from './superblock-writer.js';
import { type ValueInodes, XattrWriter } from './xattr-writer.js';

/** What a new inode has. */
interface InodeFacts {
  /** With the type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Whether it gets blocks, and so an empty map. */
  readonly isMapped: boolean;
  readonly flags?: number;
}

/** Blocks that one transaction gives back at most: each group of them changes a bitmap and a descriptor. */
const groupsAtOnce = 16;
/** Blocks that one deletion changes besides. */
const roomToDelete = 40;

export class InodeLife implements ValueInodes {
  readonly xattrs: XattrWriter;
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  readonly #space: Space;
  readonly #inodes: InodeTable;
  readonly #files: Files;
  readonly #now: () => Time;
  /** The orphans in the order of their list. */
  readonly #orphans: number[] = [];

  constructor(
    volume: ExtVolume,
    blocks: ChangeableBlocks,
    space: Space,
    inodes: InodeTable,
    files: Files,
    now: () => Time,
  ) {
    this.#volume = volume;
    this.#blocks = blocks;
    this.#space = space;
    this.#inodes = inodes;
    this.#files = files;
    this.#now = now;
    this.xattrs = new XattrWriter(volume, blocks, space, inodes, this);
  }

  /** Makes an inode near its parent, with flags and project from there. ENOSPC. */
  make(parent: Inode, facts: InodeFacts, more: (record: InodeRecord) => void = () => {}): number {
    const { inodeSize, features, raw } = this.#volume.superblock;
    const isDirectory = typeOfMode(facts.mode) === 'directory';
    const isTop = isDirectory && parent.number === reservedInodes.root;
    const number = this.#space.allocateInode(parent.number, isDirectory, isTop);
    const extra =
      inodeSize > shortInodeSize
        ? Math.min(raw.s_want_extra_isize || usualExtraSize, inodeSize - shortInodeSize)
        : 0;
    const kind = typeOfMode(facts.mode);
    const inherited = parent.flags & inheritedFlags[kind === 'directory' || kind === 'file' ? kind : 'other'];
    const isTree = facts.isMapped && has(features.incompat, incompat.extents);
    const now = this.#now();
    const project = this.#projectOf(parent);
    this.#inodes.begin(number, extra, (record) => {
      const { bytes, view } = record;
      view.setUint16(at.i_mode, facts.mode, true);
      setOwner(record, facts.uid, facts.gid);
      view.setUint16(at.i_links_count, facts.links, true);
      let flags = inherited | (facts.flags ?? 0);
      if (isTree) {
        flags |= inodeFlags.EXT4_EXTENTS_FL;
        bytes.set(emptyTree(), at.i_block);
      }
      view.setUint32(at.i_flags, flags >>> 0, true);
      setTimes(record, { accessed: now, modified: now, changed: now, created: now });
      if (project !== 0 && shortInodeSize + extra >= at.i_projid + 4)
        view.setUint32(at.i_projid, project, true);
      more(record);
    });
    this.#files.forget(number);
    return number;
  }

  /** Changes the count of an inode's names by `change`, and its time of change. */
  countLinks(inode: Inode, count: number): void {
    this.#inodes.change(inode.number, (record) => {
      record.view.setUint16(at.i_links_count, count, true);
      setTimes(record, { changed: this.#now() });
    });
  }

  /** The rest of a deletion: gives all back that an inode without a name has. */
  remove(number: number): void {
    const inode = this.#volume.heldInode(number);
    if (this.#isSmall(inode)) {
      this.#blocks.run(roomToDelete + groupsAtOnce * 2, 'remove', () => this.#free(inode));
      return;
    }
    // In parts, each of which leaves a file that is to be deleted.
    for (;;) {
      work.checkpoint();
      const current = this.#volume.heldInode(number);
      const end = lastBlock(this.#files, current);
      if (end === 0) break;
      const count = this.#volume.superblock.blocksPerGroup * groupsAtOnce;
      this.#blocks.run(roomToDelete + groupsAtOnce * 4, undefined, () => {
        this.addOrphan(number);
        this.#files.release(current, Math.max(0, end - count), count);
      });
    }
    this.#blocks.run(roomToDelete, undefined, () => this.#free(this.#volume.heldInode(number)));
  }

  /** Whether an inode can be deleted in the transaction that takes its last name. */
  #isSmall(inode: Inode): boolean {
    const { blockSize, blocksPerGroup } = this.#volume.superblock;
    return inode.stat.blockCount512 * 512 <= blockSize * blocksPerGroup * 2 && !this.#isScattered(inode);
  }

  #isScattered(inode: Inode): boolean {
    return hasBlocks(this.#volume, inode) && this.#files.map(inode).size > 1000;
  }

  /** Whether {@link remove} may run inside the transaction that takes the last name. */
  isRemovableAtOnce(number: number): boolean {
    return this.#isSmall(this.#volume.heldInode(number));
  }

  #free(inode: Inode): void {
    const { number } = inode;
    this.removeOrphan(number);
    if (hasXattrs(this.#volume, inode)) this.xattrs.removeAll(inode);
    const current = this.#volume.heldInode(number);
    if (hasBlocks(this.#volume, current)) this.#files.release(current, 0, this.#files.map(current).limit);
    this.#files.forget(number);
    this.#blocks.barrier();
    this.#inodes.change(number, (record) => {
      const { view } = record;
      view.setUint32(at.i_dtime, Math.max(1, this.#now().seconds) >>> 0, true);
      view.setUint16(at.i_links_count, 0, true);
      setSize(record, 0);
      setBlocks(record, 0, this.#volume.superblock.blockSize);
    });
    this.#space.markInode(number, false, inode.kind === 'directory');
  }

  /** Notes that an inode is to be deleted, or to be cut at its size, should that not come to an end. */
  addOrphan(number: number): void {
    if (this.#orphans.includes(number)) return;
    const first = this.#firstOrphan();
    this.#inodes.change(number, ({ view }) => view.setUint32(at.i_dtime, first, true));
    this.#setFirst(number);
    this.#orphans.unshift(number);
    this.#blocks.onUndo(() => this.#orphans.splice(this.#orphans.indexOf(number), 1));
  }

  removeOrphan(number: number): void {
    const index = this.#orphans.indexOf(number);
    if (index < 0) return;
    const next = this.#orphans[index + 1] ?? 0;
    const before = this.#orphans[index - 1];
    if (before === undefined) this.#setFirst(next);
    else this.#inodes.change(before, ({ view }) => view.setUint32(at.i_dtime, next, true));
    this.#inodes.change(number, ({ view }) => view.setUint32(at.i_dtime, 0, true));
    this.#orphans.splice(index, 1);
    this.#blocks.onUndo(() => this.#orphans.splice(index, 0, number));
  }

  get orphans(): readonly number[] {
    return [...this.#orphans];
  }

  /** These are on the list already, in this order. */
  adopt(listed: readonly number[]): void {
    this.#orphans.push(...listed);
  }

  /** Orphans that others left, as a mount does with them: deletes those without a name, and cuts the others. */
  finishOrphans(others: readonly number[]): void {
    for (const number of others) {
      const inode = this.#volume.heldInode(number);
      if (inode.stat.linkCount === 0) this.remove(number);
      else {
        if (hasBlocks(this.#volume, inode)) this.cut(number);
        this.#blocks.run(roomToDelete, undefined, () => this.removeOrphan(number));
      }
    }
  }

  /** Gives back what a file has behind its size, in parts. */
  cut(number: number): void {
    const { blockSize, blocksPerGroup } = this.#volume.superblock;
    for (;;) {
      work.checkpoint();
      const inode = this.#volume.heldInode(number);
      const keep = Math.ceil(inode.stat.sizeInBytes / blockSize);
      const end = lastBlock(this.#files, inode);
      if (end <= keep) break;
      const from = Math.max(keep, end - blocksPerGroup * groupsAtOnce);
      this.#blocks.run(roomToDelete + groupsAtOnce * 4, undefined, () => {
        if (from > keep) this.addOrphan(number);
        this.#files.release(inode, from, end - from);
        if (from === keep) this.removeOrphan(number);
      });
    }
  }

  create(value: Uint8Array, hash: number, owner: Inode): number {
    const { uid, gid } = owner.stat;
    const facts = { mode: valueMode, uid, gid, links: 1, isMapped: true, flags: inodeFlags.EXT4_EA_INODE_FL };
    const number = this.make(owner, facts, (record) => {
      setSize(record, value.length);
      // The hash of the value and the count of its users stand in place of times and version.
      const none = { seconds: 0, nanoseconds: 0 };
      setTimes(record, { accessed: { seconds: hash | 0, nanoseconds: 0 }, modified: none, changed: none });
      record.view.setUint32(at.i_version, 1, true);
      record.view.setUint32(
        at.i_flags,
        (record.view.getUint32(at.i_flags, true) & ~inheritedFlags.directory) >>> 0,
        true,
      );
    });
    this.#files.fill(this.#volume.heldInode(number), value);
    return number;
  }

  retain(number: number): void {
    const users = viewOf(this.#volume.inodeRecord(number)).getUint32(at.i_version, true);
    this.#inodes.change(number, ({ view }) => view.setUint32(at.i_version, users + 1, true));
  }

  release(number: number): void {
    const users = viewOf(this.#volume.inodeRecord(number)).getUint32(at.i_version, true);
    if (users > 1) this.#inodes.change(number, ({ view }) => view.setUint32(at.i_version, users - 1, true));
    else this.#free(this.#volume.heldInode(number));
  }

  #projectOf(parent: Inode): number {
    if (!has(parent.flags, inodeFlags.EXT4_PROJINHERIT_FL) || parent.attributesAt < at.i_projid + 4) return 0;
    return viewOf(parent.record).getUint32(at.i_projid, true);
  }

  #firstOrphan(): number {
    const { blockSize } = this.#volume.superblock;
    const { view } = this.#blocks.peek(Math.floor(superblockOffset / blockSize));
    return superblockLayout.get(view, superblockOffset % blockSize, 's_last_orphan');
  }

  #setFirst(number: number): void {
    changeSuperblock(this.#blocks, this.#volume.superblock.blockSize, () => ({ s_last_orphan: number }));
  }
}

/** Regular, for its owner alone. */
const valueMode = 0o100600;

export function setOwner({ view }: InodeRecord, uid: number, gid: number): void {
  view.setUint16(at.i_uid, uid % 0x10000, true);
  view.setUint16(at.i_uid_high, Math.floor(uid / 0x10000), true);
  view.setUint16(at.i_gid, gid % 0x10000, true);
  view.setUint16(at.i_gid_high, Math.floor(gid / 0x10000), true);
}

/** Whether `i_block` of an inode leads to blocks. */
function hasBlocks(volume: ExtVolume, inode: Inode): boolean {
  if (has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL)) return false;
  if (inode.kind === 'file' || inode.kind === 'directory') return true;
  if (inode.kind !== 'symlink') return false;
  if (has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)) return true;
  const { blockSize, blocksPerCluster, features } = volume.superblock;
  // Where values have inodes, what those occupy counts too: the length tells.
  if (inode.stat.sizeInBytes >= inodeBlockAreaSize) return true;
  if (has(features.incompat, incompat.eaInode)) return false;
  const own = inode.attributeBlock === 0 ? 0 : (blocksPerCluster * blockSize) / 512;
  return inode.stat.blockCount512 > own && isPublicInode(volume.superblock, inode.number);
}

/** Where the last block of a file ends, in blocks; 0 for none. */
function lastBlock(files: Files, inode: Inode): number {
  return files.map(inode).end();
}
