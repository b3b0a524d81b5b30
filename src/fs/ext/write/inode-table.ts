/** Inodes as they are changed: their records in the blocks of the inode tables, and their checksums. */
import { CorruptError, GuestfsError } from '../../../base/index.js';
import type { Block } from '../../../disk/index.js';
import type { Time } from '../../driver.js';
import { encodeTime, fieldsEnd, inodeName, setInodeChecksum } from '../inode.js';
import { inodeAt as at, inodeFlags } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { ChangeableBlocks } from './blocks.js';

/** The record of an inode, in place. */
export interface InodeRecord {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const keptRecords = 64;

export class InodeTable {
  readonly #volume: ExtVolume;
  readonly #blocks: ChangeableBlocks;
  /** Of the inodes that were changed last, as each is changed several times, and its directory with each. */
  readonly #records = new Map<number, InodeRecord>();

  constructor(volume: ExtVolume, blocks: ChangeableBlocks) {
    this.#volume = volume;
    this.#blocks = blocks;
  }

  /** Changes an inode. */
  change<T>(number: number, work: (record: InodeRecord) => T): T {
    const result = work(this.#record(number));
    this.#done(number);
    return result;
  }

  /** Begins an inode as zeroes, but for a generation that differs from that of the one before. */
  begin(number: number, extraSize: number, work: (record: InodeRecord) => void): void {
    this.change(number, (record) => {
      const generation = (record.view.getUint32(at.i_generation, true) + 1) >>> 0;
      record.bytes.fill(0);
      record.view.setUint32(at.i_generation, generation, true);
      if (extraSize > 0) record.view.setUint16(at.i_extra_isize, extraSize, true);
      work(record);
    });
  }

  #record(number: number): InodeRecord {
    const { block, base } = this.#place(number);
    return this.#recordIn(this.#blocks.change(block), base, number);
  }

  /** Where an inode lies. */
  #place(number: number): { readonly block: number; readonly base: number } {
    const { blockSize } = this.#volume.superblock;
    const offset = this.#volume.inodeOffset(number);
    const base = offset % blockSize;
    return { block: (offset - base) / blockSize, base };
  }

  #recordIn({ bytes }: Block, base: number, number: number): InodeRecord {
    const known = this.#records.get(number);
    // A block that was written and is changed again has other memory.
    if (known?.bytes.buffer === bytes.buffer && known.bytes.byteOffset === bytes.byteOffset + base)
      return known;
    const { inodeSize } = this.#volume.superblock;
    const record = {
      bytes: bytes.subarray(base, base + inodeSize),
      view: new DataView(bytes.buffer, bytes.byteOffset + base, inodeSize),
    };
    if (this.#records.size >= keptRecords) this.#records.clear();
    this.#records.set(number, record);
    return record;
  }

  #done(number: number): void {
    const volume = this.#volume;
    const { superblock } = volume;
    volume.forgetInode(number);
    if (superblock.checksumSeed === undefined || volume.unsealed('inode').has(number)) return;
    this.#blocks.sealLater('inode', number, () => {
      const { block, base } = this.#place(number);
      const changed = this.#blocks.toSeal(block);
      if (changed !== undefined)
        setInodeChecksum(superblock, number, this.#recordIn(changed, base, number).view);
    });
  }
}

/** Sets the times that are given, as far as the inode has room for them. */
export function setTimes(
  { view }: InodeRecord,
  times: {
    readonly accessed?: Time | undefined;
    readonly modified?: Time | undefined;
    readonly changed?: Time | undefined;
    readonly created?: Time | undefined;
  },
): void {
  const end = fieldsEnd(view);
  const put = (time: Time | undefined, secondsAt: number, extraAt: number): void => {
    if (time !== undefined) encodeTime(view, secondsAt, extraAt, end, time);
  };
  put(times.accessed, at.i_atime, at.i_atime_extra);
  put(times.modified, at.i_mtime, at.i_mtime_extra);
  put(times.changed, at.i_ctime, at.i_ctime_extra);
  if (at.i_crtime + 4 <= end) put(times.created, at.i_crtime, at.i_crtime_extra);
}

export function setSize({ view }: InodeRecord, sizeInBytes: number): void {
  view.setUint32(at.i_size_lo, sizeInBytes % 0x1_0000_0000, true);
  view.setUint32(at.i_size_high, Math.floor(sizeInBytes / 0x1_0000_0000), true);
}

/** Sets what an inode occupies, in blocks: `i_blocks` has units of 512 bytes, or blocks where the inode says so. */
export function setBlocks({ view }: InodeRecord, blocks: number, blockSize: number): void {
  const isHuge = has(view.getUint32(at.i_flags, true), inodeFlags.EXT4_HUGE_FILE_FL);
  const stored = isHuge ? blocks : blocks * (blockSize / 512);
  view.setUint32(at.i_blocks_lo, stored % 0x1_0000_0000, true);
  view.setUint16(at.i_blocks_high, Math.floor(stored / 0x1_0000_0000), true);
}

/** Changes what an inode occupies, in blocks. `huge`: the filesystem has huge files. */
export function addBlocks({ view }: InodeRecord, blocks: number, blockSize: number, huge: boolean): void {
  if (blocks === 0) return;
  const flags = view.getUint32(at.i_flags, true);
  const perBlock = blockSize / 512;
  const isHuge = huge && has(flags, inodeFlags.EXT4_HUGE_FILE_FL);
  const high = huge ? view.getUint16(at.i_blocks_high, true) : 0;
  const stored = high * 0x1_0000_0000 + view.getUint32(at.i_blocks_lo, true);
  let count = stored + (isHuge ? blocks : blocks * perBlock);
  if (!huge && count > 0xffff_ffff)
    throw new GuestfsError('EFBIG', 'ext4 inode: occupies more than the filesystem can count');
  if (count < 0) throw new CorruptError(inodeName(0), 'occupies less than its blocks', { stored, blocks });
  if (huge && !isHuge && count >= 2 ** 48) {
    count /= perBlock;
    view.setUint32(at.i_flags, (flags | inodeFlags.EXT4_HUGE_FILE_FL) >>> 0, true);
  }
  view.setUint32(at.i_blocks_lo, count % 0x1_0000_0000, true);
  if (huge) view.setUint16(at.i_blocks_high, Math.floor(count / 0x1_0000_0000), true);
}
