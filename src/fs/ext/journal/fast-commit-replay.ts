/**
 * Applies the records of fast commits, as the kernel's ext4_fc_replay does: inodes are written to their places, names
 * and ranges of blocks become patches. As there, a record about an inode that does not exist is skipped: a later
 * record says why. Times of directories stay those on the disk; the kernel sets them to the time of the mount. A
 * directory that was made in a fast commit is read here, while kernels up to 6.1 and e2fsck 1.47 fail at its first
 * block, which no record has.
 */
import { CorruptError, decodeText, UnsupportedError, viewOf, work } from '../../../base/index.js';
import { directJournal, type WriteCache } from '../../../disk/index.js';
import { isInodeInUse } from '../allocation.js';
import { Directory } from '../directory/directory.js';
import { DistinctRuns } from '../distinct.js';
import { ExtentMap } from '../extents.js';
import { type Inode, inodeName } from '../inode.js';
import {
  inodeAt as at,
  extentHeader,
  extentMagic,
  inodeBlockAreaSize,
  inodeFlags,
  shortInodeSize,
} from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import { releaseAttributes } from '../write/attributes.js';
import { ChangeableBlocks } from '../write/blocks.js';
import { DirectoryWriter } from '../write/directory-writer.js';
import { emptyTree } from '../write/extent-tree.js';
import { Files } from '../write/files.js';
import { InodeTable, setBlocks } from '../write/inode-table.js';
import { type BlockRange, Space } from '../write/space.js';
import type { FastCommitRecord } from './fast-commit.js';

const what = 'ext4 fast commit';
/** What a fast commit found of an inode before it changed it. */
interface Before {
  readonly used: boolean;
  /** Whether it had a name. One in use without is an orphan, and stays what it is. */
  readonly linked: boolean;
  readonly isDirectory: boolean;
  readonly ranges: readonly BlockRange[];
}

/**
 * Replays into `cache`, from which `volume` reads its metadata, what has room in one transaction of `room` blocks. The
 * volume is to be opened anew afterwards.
 */
export function changeAsCommitted(
  volume: ExtVolume,
  cache: WriteCache,
  room: number,
  records: readonly FastCommitRecord[],
): void {
  const blocks = new ChangeableBlocks(cache, directJournal(cache), volume);
  blocks.run(room, undefined, () => {
    const replay = new FastCommitReplay(volume, blocks, rangesOf(records));
    for (const record of records) {
      work.entries.spend(1);
      replay.apply(record);
    }
    replay.finish();
  });
  blocks.seal();
}

/** The blocks that records give to files: not to be given out for anything else in between. In order. */
function rangesOf(records: readonly FastCommitRecord[]): BlockRange[] {
  return records
    .flatMap((record) => (record.kind === 'add-range' ? [{ block: record.block, count: record.count }] : []))
    .sort((a, b) => a.block - b.block);
}

class FastCommitReplay {
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  readonly #space: Space;
  readonly #inodes: InodeTable;
  readonly #files: Files;
  readonly #directories: DirectoryWriter;
  readonly #before = new Map<number, Before>();
  /** Inodes whose extents were changed. */
  readonly #mapped = new Set<number>();

  constructor(volume: ExtVolume, blocks: ChangeableBlocks, reserved: readonly BlockRange[]) {
    this.#volume = volume;
    this.#blocks = blocks;
    this.#space = new Space(volume, blocks, reserved);
    this.#inodes = new InodeTable(volume, blocks);
    this.#files = new Files(volume, blocks, this.#space, this.#inodes);
    this.#directories = new DirectoryWriter(volume, blocks, this.#inodes, this.#files, (inode) => {
      throw new UnsupportedError(inodeName(inode.number), ['a directory that outgrows its inode']);
    });
  }

  apply(record: FastCommitRecord): void {
    switch (record.kind) {
      case 'inode':
        this.#replaceInode(record.inode, record.record);
        break;
      case 'add-range':
        this.#changeRange(record.inode, record.logical, record.count, record);
        break;
      case 'remove-range':
        this.#changeRange(record.inode, record.logical, record.count, undefined);
        break;
      case 'create':
        this.#create(record.parent, record.inode, record.name);
        break;
      case 'link': {
        const inode = this.#find(record.inode);
        if (inode !== undefined && this.#link(record.parent, inode, record.name))
          this.#setLinkCount(inode, inode.stat.linkCount + 1);
        break;
      }
      case 'unlink':
        this.#unlink(record.parent, record.inode, record.name);
        break;
    }
  }

  /** Writes what was held in memory, and marks what is taken and what is free. */
  finish(): void {
    for (const number of this.#mapped) this.#countBlocks(number);
    const changed = [...this.#before]
      .map(([number, before]) => ({ number, before, inode: this.#find(number) }))
      .filter(({ before, inode }) => before.linked || !before.used || inode !== undefined);
    for (const { before } of changed) for (const range of before.ranges) this.#space.markBlocks(range, false);
    const taken = new DistinctRuns();
    for (const { number, before, inode } of changed) {
      if (inode === undefined) {
        if (before.used) this.#space.markInode(number, false, before.isDirectory);
        continue;
      }
      if (before.used && before.isDirectory !== (inode.kind === 'directory')) {
        // Deleted, and given to another kind of file.
        this.#space.markInode(number, false, before.isDirectory);
        this.#space.markInode(number, true, inode.kind === 'directory');
      }
      if (!before.used) this.#space.markInode(number, true, inode.kind === 'directory');
      for (const range of this.#rangesOf(inode)) {
        if (!taken.add(range.block, range.count))
          throw new CorruptError(what, 'gives a block to two files', { inode: number, block: range.block });
        this.#space.markBlocks(range, true);
      }
    }
  }

  /** What an inode with extents occupies. */
  #countBlocks(number: number): void {
    const inode = this.#find(number);
    if (inode === undefined || !has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)) return;
    const { blockSize, blocksPerCluster } = this.#volume.superblock;
    const touched = new Set<number>();
    let clusters = inode.attributeBlock === 0 ? 0 : 1;
    for (const { block, count } of this.#rangesOf(inode)) {
      // Neighbours share at most their first and last clusters.
      const first = Math.floor(block / blocksPerCluster);
      const last = Math.floor((block + count - 1) / blocksPerCluster);
      clusters += Math.max(0, last - first - 1);
      touched.add(first).add(last);
    }
    const blocks = (clusters + touched.size) * blocksPerCluster;
    this.#inodes.change(number, (record) => setBlocks(record, blocks, blockSize));
  }

  /** An inode in use; undefined for other numbers. As in the kernel, a damaged one is skipped. */
  #find(number: number): Inode | undefined {
    try {
      return this.#volume.inode(number);
    } catch (error) {
      if (error instanceof CorruptError) return undefined;
      throw error;
    }
  }

  #noteBefore(number: number): void {
    if (this.#before.has(number)) return;
    // Refuses a number that names no inode.
    void this.#volume.inodeOffset(number);
    const used = isInodeInUse(this.#volume, number);
    const inode = used ? this.#volume.anyInode(number) : undefined;
    this.#before.set(number, {
      used,
      linked: (inode?.stat.linkCount ?? 0) > 0,
      isDirectory: inode?.kind === 'directory',
      ranges: inode === undefined ? [] : this.#rangesOf(inode),
    });
  }

  /** Stores an inode's record with the right checksum. */
  #rangesOf(inode: Inode): BlockRange[] {
    if (!has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)) return [];
    const map = new ExtentMap(this.#volume, inode);
    const ranges: BlockRange[] = [];
    for (const { block, count } of map.extents()) ranges.push({ block, count });
    for (const { block } of map.treeBlocks()) ranges.push({ block, count: 1 });
    return ranges;
  }

  /** Everything except `i_block`, which range records describe; for an inode without extents, `i_block` too. */
  #replaceInode(number: number, replacement: Uint8Array): void {
    if (replacement.length < shortInodeSize || replacement.length > this.#volume.superblock.inodeSize)
      throw new CorruptError(what, 'an inode has an invalid size', {
        inode: number,
        size: replacement.length,
      });
    this.#noteBefore(number);
    this.#inodes.change(number, ({ bytes, view }) => {
      const area = bytes.slice(at.i_block, at.i_block + inodeBlockAreaSize);
      bytes.set(replacement);
      if (has(view.getUint32(at.i_flags, true), inodeFlags.EXT4_EXTENTS_FL)) {
        const isTree = viewOf(area).getUint16(extentHeader.fields.eh_magic.at, true) === extentMagic;
        bytes.set(isTree ? area : emptyTree(), at.i_block);
        if (isTree) return;
      }
      this.#files.forget(number);
    });
    this.#mapped.add(number);
  }

  #changeRange(
    number: number,
    logical: number,
    count: number,
    to: { readonly block: number; readonly written: boolean } | undefined,
  ): void {
    const inode = this.#find(number);
    if (inode === undefined) return;
    this.#noteBefore(number);
    if (!has(inode.flags, inodeFlags.EXT4_EXTENTS_FL))
      throw new UnsupportedError(inodeName(number), ['fast commit of a file without extents']);
    this.#mapped.add(number);
    if (to === undefined) this.#files.drop(inode, logical, count);
    else {
      if (!this.#volume.containsBlocks(to.block, count))
        throw new CorruptError(what, 'a range lies outside the filesystem', {
          inode: number,
          block: to.block,
          count,
        });
      this.#files.put(inode, logical, { block: to.block, count }, to.written);
    }
  }

  #create(parent: number, number: number, name: Uint8Array): void {
    const inode = this.#find(number);
    if (inode === undefined)
      throw new CorruptError(what, 'creates a file that has no inode', { inode: number });
    if (inode.kind === 'directory') this.#begin(inode, parent);
    if (this.#link(parent, inode, name) && inode.kind === 'directory') this.#countSubdirectory(parent, 1);
  }

  /** Makes the first block of a directory, which no record holds, where there is none. */
  #begin(directory: Inode, parent: number): void {
    if (has(directory.flags, inodeFlags.EXT4_INLINE_DATA_FL)) return;
    this.#noteBefore(directory.number);
    if (this.#files.map(directory).at(0).kind === 'hole') this.#directories.begin(directory, parent);
  }

  /** No record has the link count of a directory, so the directories in it are counted. */
  #countSubdirectory(parent: number, difference: number): void {
    const inode = this.#find(parent);
    // 1 stands for more than can be counted.
    if (inode !== undefined && inode.stat.linkCount > 1)
      this.#setLinkCount(inode, inode.stat.linkCount + difference);
  }

  #unlink(parent: number, number: number, name: Uint8Array): void {
    const inode = this.#find(number);
    const directory = this.#directory(parent);
    const text = decodeText(name);
    // The name may have been given to another file since.
    if (inode === undefined || directory === undefined || directory.lookup(text) !== number) return;
    this.#noteBefore(number);
    this.#noteBefore(parent);
    this.#directories.remove(directory.inode, name);
    const isDirectory = inode.kind === 'directory';
    if (isDirectory) this.#countSubdirectory(parent, -1);
    const linkCount = isDirectory ? 0 : Math.max(0, inode.stat.linkCount - 1);
    this.#setLinkCount(inode, linkCount);
    if (linkCount === 0) this.#delete(inode);
  }

  /** Whether the name was not there yet. */
  #link(parent: number, inode: Inode, name: Uint8Array): boolean {
    const directory = this.#directory(parent);
    const text = decodeText(name);
    if (name.includes(0x2f) || name.includes(0))
      throw new CorruptError(what, 'a name holds a slash or a NUL', { inode: inode.number });
    if (directory === undefined || directory.lookup(text) !== undefined) return false;
    this.#noteBefore(parent);
    this.#directories.add(directory.inode, { name, inode: inode.number, kind: inode.kind });
    return true;
  }

  #directory(number: number): Directory | undefined {
    const inode = this.#find(number);
    return inode?.kind === 'directory' ? new Directory(this.#volume, inode) : undefined;
  }

  /** A deleted file gives its blocks back, because another file may get its inode. */
  #delete(inode: Inode): void {
    const isMapped = has(inode.flags, inodeFlags.EXT4_EXTENTS_FL);
    if (isMapped) this.#files.drop(inode, 0, this.#files.map(inode).limit);
    else if (inode.stat.blockCount512 > 0 && inode.attributeBlock === 0)
      throw new UnsupportedError(inodeName(inode.number), [
        'fast commit that deletes a file without extents',
      ]);
    if (
      inode.attributeBlock !== 0 &&
      releaseAttributes(this.#volume, this.#blocks, inode.attributeBlock) === 0
    )
      this.#space.markBlocks({ block: inode.attributeBlock, count: 1 }, false);
    this.#inodes.change(inode.number, (record) => {
      const { bytes, view } = record;
      if (isMapped) bytes.set(emptyTree(), at.i_block);
      view.setUint32(at.i_file_acl_lo, 0, true);
      view.setUint16(at.i_file_acl_high, 0, true);
      setBlocks(record, 0, this.#volume.superblock.blockSize);
      view.setUint32(at.i_dtime, view.getUint32(at.i_ctime, true), true);
    });
    this.#files.forget(inode.number);
    this.#mapped.delete(inode.number);
  }

  #setLinkCount(inode: Inode, count: number): void {
    this.#noteBefore(inode.number);
    this.#inodes.change(inode.number, ({ view }) =>
      view.setUint16(at.i_links_count, Math.min(count, 0xffff), true),
    );
  }
}
