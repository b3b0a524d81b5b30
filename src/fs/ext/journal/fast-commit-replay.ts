/**
 * Applies the records of fast commits, as the kernel's ext4_fc_replay does: inodes are written to their places, names
 * and ranges of blocks become patches. As there, a record about an inode that does not exist is skipped: a later
 * record says why. Times of directories stay those on the disk; the kernel sets them to the time of the mount. A
 * directory that was made in a fast commit is read here, while kernels up to 6.1 and e2fsck 1.47 fail at its first
 * block, which no record has.
 */
import { CorruptError, decodeText, UnsupportedError, viewOf, work } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { Directory } from '../directory/directory.js';
import { ExtentMap } from '../extents.js';
import { type Inode, inodeName, setInodeChecksum } from '../inode.js';
import {
  inodeAt as at,
  extentEntrySize,
  extentHeader,
  extentMagic,
  inodeBlockAreaSize,
  inodeFlags,
  shortInodeSize,
  writtenInode,
} from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { FastCommitRecord } from './fast-commit.js';
import { type DirectoryPatch, ExtentList, type Patches } from './patches.js';

const what = 'ext4 fast commit';
/** The most extents in memory, of all files together. */
const extentLimit = 1_000_000;

/** How the replay changed the amount of free space. */
export interface FastCommitUsage {
  /** In units of 512 bytes; negative if more is in use. */
  readonly freed512: number;
  readonly freedInodes: number;
}

/** Replays onto `disk`, which `volume` reads, and into the volume's patches. */
export function replayFastCommits(
  volume: ExtVolume,
  disk: Disk,
  records: Iterable<FastCommitRecord>,
): FastCommitUsage {
  const replay = new FastCommitReplay(volume, disk);
  for (const record of records) {
    work.entries.spend(1);
    replay.apply(record);
  }
  return replay.usage();
}

class FastCommitReplay {
  readonly #volume: ExtVolume;
  readonly #disk: Disk;
  readonly #patches: Patches;
  /** The space of each changed inode before; undefined if it was not in use. */
  readonly #before = new Map<number, number | undefined>();

  #extentCount = 0;

  constructor(volume: ExtVolume, disk: Disk) {
    this.#volume = volume;
    this.#disk = disk;
    this.#patches = volume.patches;
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

  usage(): FastCommitUsage {
    let freed512 = 0;
    let freedInodes = 0;
    for (const [number, before] of this.#before) {
      const after = this.#find(number)?.stat.blockCount512;
      freed512 += (before ?? 0) - (after ?? 0);
      freedInodes += (before === undefined ? 0 : 1) - (after === undefined ? 0 : 1);
    }
    // A new directory gets its first block in the replay.
    for (const { parent } of this.#patches.directories.values())
      if (parent !== undefined) freed512 -= this.#volume.superblock.blockSize / 512;
    return { freed512, freedInodes };
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
    if (!this.#before.has(number)) this.#before.set(number, this.#find(number)?.stat.blockCount512);
  }

  /** Stores an inode's record with the right checksum. */
  #store(number: number, record: Uint8Array): void {
    setInodeChecksum(this.#volume.superblock, number, record);
    this.#disk.write(record, this.#volume.inodeOffset(number));
    this.#volume.forgetInode(number);
  }

  /** Everything except `i_block`, which range records describe; for an inode without extents, `i_block` too. */
  #replaceInode(number: number, replacement: Uint8Array): void {
    if (replacement.length < shortInodeSize || replacement.length > this.#volume.superblock.inodeSize)
      throw new CorruptError(what, 'an inode has an invalid size', {
        inode: number,
        size: replacement.length,
      });
    this.#noteBefore(number);
    const record = this.#volume.inodeRecord(number);
    const view = viewOf(record);
    const area = record.slice(at.i_block, at.i_block + inodeBlockAreaSize);
    record.set(replacement);
    if (has(view.getUint32(at.i_flags, true), inodeFlags.EXT4_EXTENTS_FL)) {
      const isTree = viewOf(area).getUint16(extentHeader.fields.eh_magic.at, true) === extentMagic;
      record.set(isTree ? area : emptyTree(), at.i_block);
    }
    this.#store(number, record);
    const inode = this.#find(number);
    if (inode === undefined) return;
    const list = this.#extents(inode);
    if (list !== undefined) this.#setBlockCount(number, list);
  }

  /** The extents of an inode, in memory from now on; undefined if it has none. */
  #extents(inode: Inode): ExtentList | undefined {
    let list = this.#patches.blockMaps.get(inode.number);
    if (list === undefined && has(inode.flags, inodeFlags.EXT4_EXTENTS_FL)) {
      const extents = [];
      for (const extent of new ExtentMap(this.#volume, inode).extents()) {
        extents.push(extent);
        if (++this.#extentCount > extentLimit)
          throw new UnsupportedError(inodeName(inode.number), [
            'fast commits of files with a million extents',
          ]);
      }
      list = new ExtentList(extents);
      this.#patches.blockMaps.set(inode.number, list);
    }
    return list;
  }

  #setBlockCount(number: number, list: ExtentList): void {
    const { blockSize } = this.#volume.superblock;
    // Four extents fit into the inode; for more, this is the least number of leaves.
    const leaves =
      list.extents.length <= 4
        ? 0
        : Math.ceil(list.extents.length / (Math.floor(blockSize / extentEntrySize) - 1));
    work.steps.spend(list.extents.length);
    const record = this.#volume.inodeRecord(number);
    const huge = has(viewOf(record).getUint32(at.i_flags, true), inodeFlags.EXT4_HUGE_FILE_FL);
    const units = (list.blockCount() + leaves) * (huge ? 1 : blockSize / 512);
    const blocks = { i_blocks_lo: units % 0x1_0000_0000, i_blocks_high: Math.floor(units / 0x1_0000_0000) };
    writtenInode.encode(blocks, record);
    this.#store(number, record);
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
    const list = this.#extents(inode);
    if (list === undefined)
      throw new UnsupportedError(inodeName(number), ['fast commit of a file without extents']);
    if (to === undefined) list.remove(logical, count);
    else {
      if (!this.#volume.containsBlocks(to.block, count))
        throw new CorruptError(what, 'a range lies outside the filesystem', {
          inode: number,
          block: to.block,
          count,
        });
      list.set({ logical, count, block: to.block, written: to.written });
    }
  }

  #create(parent: number, number: number, name: Uint8Array): void {
    const inode = this.#find(number);
    if (inode === undefined)
      throw new CorruptError(what, 'creates a file that has no inode', { inode: number });
    if (inode.kind === 'directory' && !this.#patches.directories.has(number))
      this.#patches.directories.set(number, { parent, added: new Map(), removed: new Set() });
    if (this.#link(parent, inode, name) && inode.kind === 'directory') this.#countSubdirectory(parent, 1);
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
    const patch = this.#patch(parent);
    patch.added.delete(text);
    patch.removed.add(text);
    const isDirectory = inode.kind === 'directory';
    if (isDirectory) this.#countSubdirectory(parent, -1);
    const linkCount = isDirectory ? 0 : Math.max(0, inode.stat.linkCount - 1);
    this.#setLinkCount(inode, linkCount);
    // A deleted file gives its blocks back, because another file may get its inode.
    if (linkCount === 0 && has(inode.flags, inodeFlags.EXT4_EXTENTS_FL))
      this.#patches.blockMaps.set(number, new ExtentList([]));
  }

  /** Whether the name was not there yet. */
  #link(parent: number, inode: Inode, name: Uint8Array): boolean {
    const directory = this.#directory(parent);
    const text = decodeText(name);
    if (name.includes(0x2f) || name.includes(0))
      throw new CorruptError(what, 'a name holds a slash or a NUL', { inode: inode.number });
    if (directory === undefined || directory.lookup(text) !== undefined) return false;
    this.#patch(parent).added.set(text, { inode: inode.number, type: inode.kind });
    return true;
  }

  #directory(number: number): Directory | undefined {
    const inode = this.#find(number);
    return inode?.kind === 'directory' ? new Directory(this.#volume, inode) : undefined;
  }

  #patch(directory: number): DirectoryPatch {
    const { directories } = this.#patches;
    let patch = directories.get(directory);
    if (patch === undefined) {
      patch = { parent: undefined, added: new Map(), removed: new Set() };
      directories.set(directory, patch);
    }
    return patch;
  }

  #setLinkCount(inode: Inode, count: number): void {
    this.#noteBefore(inode.number);
    const record = this.#volume.inodeRecord(inode.number);
    writtenInode.encode({ i_links_count: Math.min(count, 0xffff) }, record);
    this.#store(inode.number, record);
  }
}

/** `i_block` of a file with an extent tree and nothing in it. */
function emptyTree(): Uint8Array {
  const header = { eh_magic: extentMagic, eh_max: inodeBlockAreaSize / extentEntrySize - 1 };
  return extentHeader.encode(header, new Uint8Array(inodeBlockAreaSize));
}
