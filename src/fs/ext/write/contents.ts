/**
 * The contents of files as disks: for reading, following what others write, and for writing. Data never enters the
 * cache of metadata: it is written to its place at once, and a transaction that leads to it waits for it.
 */
import { GuestfsError, UnsupportedError } from '../../../base/index.js';
import type { Disk, GrowableDisk, Span, ZeroOptions } from '../../../disk/index.js';
import { checkFile, openFile } from '../data.js';
import { type Inode, inodeName } from '../inode.js';
import { inodeFlags } from '../layout.js';
import { has } from '../superblock.js';
import type { ExtVolume } from '../volume.js';
import type { ChangeableBlocks } from './blocks.js';
import type { Files, NewRun } from './files.js';
import type { InodeLife } from './inode-life.js';
import { type InodeRecord, type InodeTable, setSize } from './inode-table.js';

/** A file as it is at each moment. */
export function followedData(volume: ExtVolume, number: number): Disk {
  return new FollowedData(volume, number);
}

class FollowedData implements Disk {
  readonly sectorSize = 512;
  readonly #volume: ExtVolume;
  readonly #number: number;
  #inode: Inode | undefined;
  #disk: Disk | undefined;

  /** EISDIR and EINVAL for what is no regular file, UnsupportedError for an encrypted one. */
  constructor(volume: ExtVolume, number: number) {
    this.#volume = volume;
    this.#number = number;
    checkFile(volume.heldInode(number));
  }

  /** Its map, as the inode tells it now. */
  protected get current(): Disk {
    const inode = this.#volume.heldInode(this.#number);
    if (this.#disk === undefined || inode !== this.#inode) {
      this.#disk = openFile(this.#volume, inode);
      this.#inode = inode;
    }
    return this.#disk;
  }

  get size(): number {
    return this.#volume.heldInode(this.#number).stat.sizeInBytes;
  }

  get writable(): boolean {
    return false;
  }

  read(into: Uint8Array, offset: number): void {
    this.current.read(into, offset);
  }

  span(offset: number, length: number): Span {
    return this.current.span(offset, length);
  }

  checkWritable(offset: number, length: number): void {
    this.current.checkWritable(offset, length);
  }

  write(from: Uint8Array, offset: number): void {
    this.checkWritable(offset, from.length);
  }

  zero(offset: number, length: number, _options?: ZeroOptions): void {
    this.checkWritable(offset, length);
  }

  flush(): void {}

  close(): void {}
}

/** What takes part in writing to a file. */
export interface ContentsParts {
  readonly volume: ExtVolume;
  readonly blocks: ChangeableBlocks;
  readonly inodes: InodeTable;
  readonly files: Files;
  readonly life: InodeLife;
  /** Runs a change of an inode's contents, with the time of it, once what it holds itself has left it. */
  change(number: number, blocks: number, work: (inode: Inode) => void): void;
  /** Changes the record of an inode, with the times of a change of its contents. */
  touch(number: number, work: (record: InodeRecord) => void): void;
  /** The filesystem has a file of more than 2 GiB. */
  allowLarge(): void;
  sync(): void;
}

/** Blocks of metadata that any change may concern: the inode, a few bitmaps with their descriptors, nodes. */
const usualBlocks = 48;
const zeroes = new Uint8Array(65536);
/** Bytes that are put together with what fills their blocks up, so that they are written at once. */
const joinedLimit = 1024 * 1024;
/** The largest size without the feature large_file. */
const smallLimit = 0x7fff_ffff;
/** Groups of blocks that one transaction takes or gives back. */
const groupsAtOnce = 16;
/** So many blocks are one part, however small the journal is. */
const leastPart = 128;

export class FileContents extends FollowedData implements GrowableDisk {
  readonly #parts: ContentsParts;
  readonly #number: number;
  readonly #onClose: () => void;
  #isClosed = false;

  constructor(parts: ContentsParts, number: number, onClose: () => void) {
    super(parts.volume, number);
    this.#parts = parts;
    this.#number = number;
    this.#onClose = onClose;
  }

  override get writable(): boolean {
    return true;
  }

  override checkWritable(offset: number, length: number): void {
    const inode = this.#parts.volume.heldInode(this.#number);
    checkChangeable(inode);
    const { blockSize } = this.#parts.volume.superblock;
    const limit = has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL)
      ? 0xffff_ffff
      : this.#parts.files.map(inode).limit;
    if (!(offset >= 0 && length >= 0 && offset + length <= limit * blockSize))
      throw new GuestfsError('EFBIG', `${inodeName(this.#number)}: would be larger than files can be`);
  }

  override write(from: Uint8Array, offset: number): void {
    if (from.length === 0) return;
    this.checkWritable(offset, from.length);
    const { volume, files } = this.#parts;
    const { blockSize } = volume.superblock;
    const end = offset + from.length;
    this.#inParts(Math.floor(offset / blockSize), Math.ceil(end / blockSize), (at, count) => {
      const start = Math.max(offset, at * blockSize);
      const part = from.subarray(start - offset, Math.min(end, (at + count) * blockSize) - offset);
      this.#change(count, (inode) => {
        const size = inode.stat.sizeInBytes;
        if (start > size) this.#clearBehind(inode);
        const fresh = files.take(inode, at, count, true);
        this.#store(inode, part, start, fresh);
        this.#setSize(Math.max(size, start + part.length));
      });
    });
  }

  override zero(offset: number, length: number, options?: ZeroOptions): void {
    if (length === 0) return;
    this.checkWritable(offset, length);
    const { volume, files } = this.#parts;
    const { blockSize } = volume.superblock;
    const end = offset + length;
    this.#change(0, (inode) => {
      if (end <= inode.stat.sizeInBytes) return;
      this.#clearBehind(inode);
      this.#setSize(end);
    });
    const from = Math.ceil(offset / blockSize);
    const to = Math.floor(end / blockSize);
    if (options?.discard !== true || from >= to) {
      this.#change(0, (inode) => this.#clear(inode, offset, length));
      return;
    }
    this.#change(0, (inode) => {
      this.#clear(inode, offset, from * blockSize - offset);
      this.#clear(inode, to * blockSize, end - to * blockSize);
    });
    this.#inParts(from, to, (at, count) => {
      try {
        this.#change(count, (inode) => files.release(inode, at, count));
      } catch (thrown) {
        // A hole in the middle may need a block for the extents beside it. Space need not be given back.
        if (!(thrown instanceof GuestfsError && thrown.code === 'ENOSPC')) throw thrown;
        this.#change(0, (inode) => this.#clear(inode, at * blockSize, count * blockSize));
      }
    });
  }

  resize(size: number): void {
    this.checkWritable(0, size);
    const { volume, files, blocks, life } = this.#parts;
    const { blockSize } = volume.superblock;
    let isCut = true;
    this.#change(0, (inode) => {
      const before = inode.stat.sizeInBytes;
      this.#clearBehind(inode);
      this.#setSize(size);
      if (size >= before) return;
      const now = volume.heldInode(this.#number);
      this.#clearBehind(now);
      blocks.barrier();
      const keep = Math.ceil(size / blockSize);
      const end = files.map(now).end();
      if (end <= keep) return;
      if (end - keep <= volume.superblock.blocksPerGroup && files.map(now).size < 1000) {
        files.release(now, keep, end - keep);
        return;
      }
      life.addOrphan(this.#number);
      isCut = false;
    });
    if (!isCut) life.cut(this.#number);
  }

  /** Takes space for a range. */
  allocate(offset: number, length: number): void {
    if (length === 0) return;
    this.checkWritable(offset, length);
    const { volume, files } = this.#parts;
    const { blockSize } = volume.superblock;
    const taken: NewRun[] = [];
    const from = Math.floor(offset / blockSize);
    const to = Math.ceil((offset + length) / blockSize);
    try {
      this.#inParts(from, to, (at, count) =>
        this.#change(count, (inode) => {
          const canWait = has(inode.flags, inodeFlags.EXT4_EXTENTS_FL);
          const fresh = files.take(inode, at, count, !canWait);
          if (!canWait)
            for (const run of fresh) volume.disk.zero(run.block * blockSize, run.count * blockSize);
          taken.push(...fresh);
        }),
      );
    } catch (thrown) {
      for (const { logical, count } of taken)
        this.#change(count, (inode) => files.release(inode, logical, count));
      throw thrown;
    }
    this.#change(0, (inode) => {
      if (offset + length <= inode.stat.sizeInBytes) return;
      this.#clearBehind(inode);
      this.#setSize(offset + length);
    });
  }

  override flush(): void {
    this.#parts.sync();
  }

  override close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
  }

  #change(count: number, work: (inode: Inode) => void): void {
    if (this.#isClosed)
      throw new GuestfsError('EBADF', `${inodeName(this.#number)}: its contents were closed`);
    this.#parts.change(this.#number, this.#metadataFor(count), work);
  }

  /** Blocks of metadata that a change of `count` blocks of the file may concern. */
  #metadataFor(count: number): number {
    const { volume, files } = this.#parts;
    const inode = volume.heldInode(this.#number);
    const isInline = has(inode.flags, inodeFlags.EXT4_INLINE_DATA_FL);
    return usualBlocks + (isInline ? 0 : files.metadataFor(inode, count));
  }

  /** A range in parts that a transaction each has room for. */
  #inParts(from: number, to: number, work: (at: number, count: number) => void): void {
    const { blocks, volume } = this.#parts;
    let step = volume.superblock.blocksPerGroup * groupsAtOnce;
    for (let at = from; at < to; at += step) {
      step = Math.min(step, to - at);
      while (step > leastPart && this.#metadataFor(step) > blocks.most) step = Math.ceil(step / 2);
      work(at, step);
    }
  }

  /** Writes bytes to their places, and zeroes around them in blocks that are new. */
  #store(inode: Inode, from: Uint8Array, offset: number, fresh: readonly NewRun[]): void {
    const { volume, files, blocks } = this.#parts;
    const { blockSize } = volume.superblock;
    const { disk } = volume;
    const end = offset + from.length;
    blocks.wroteData();
    const [only] = fresh;
    if (only !== undefined && fresh.length === 1 && only.count * blockSize <= joinedLimit) {
      const start = only.logical * blockSize;
      if (start <= offset && start + only.count * blockSize >= end) {
        if (start === offset && only.count * blockSize === from.length)
          disk.write(from, only.block * blockSize);
        else {
          const whole = new Uint8Array(only.count * blockSize);
          whole.set(from, offset - start);
          disk.write(whole, only.block * blockSize);
        }
        return;
      }
    }
    for (const run of fresh) {
      const start = run.logical * blockSize;
      const stop = start + run.count * blockSize;
      const place = run.block * blockSize;
      if (start < offset) disk.write(zeroes.subarray(0, offset - start), place);
      if (stop > end) disk.write(zeroes.subarray(0, stop - end), place + end - start);
    }
    for (let done = 0; done < from.length; ) {
      const within = (offset + done) % blockSize;
      const run = files.at(inode, (offset + done - within) / blockSize);
      const length = Math.min(run.count * blockSize - within, from.length - done);
      disk.write(from.subarray(done, done + length), run.block * blockSize + within);
      done += length;
    }
  }

  /** Makes what is written of a range zeroes; what is not reads so already. */
  #clear(inode: Inode, offset: number, length: number): void {
    const { volume, files, blocks } = this.#parts;
    const { blockSize } = volume.superblock;
    for (let done = 0; done < length; ) {
      const within = (offset + done) % blockSize;
      const run = files.at(inode, (offset + done - within) / blockSize);
      const here = Math.min(run.count * blockSize - within, length - done);
      if (run.kind === 'written') {
        volume.disk.zero(run.block * blockSize + within, here);
        blocks.wroteData();
      }
      done += here;
    }
  }

  /** Clears what the last block has behind the end, before the end moves. */
  #clearBehind(inode: Inode): void {
    const { blockSize } = this.#parts.volume.superblock;
    const within = inode.stat.sizeInBytes % blockSize;
    if (within !== 0) this.#clear(inode, inode.stat.sizeInBytes, blockSize - within);
  }

  #setSize(size: number): void {
    if (size > smallLimit) this.#parts.allowLarge();
    this.#parts.touch(this.#number, (record) => setSize(record, size));
  }
}

/** EPERM for files that nobody may change, and UnsupportedError for those that nobody can without a key. */
export function checkChangeable(inode: Inode): void {
  if (inode.kind === 'file' && has(inode.flags, inodeFlags.EXT4_ENCRYPT_FL))
    throw new UnsupportedError(inodeName(inode.number), ['encrypt: changing a file that is encrypted'], {
      elsewhere: 'nowhere',
    });
  if (has(inode.flags, inodeFlags.EXT4_IMMUTABLE_FL | inodeFlags.EXT4_VERITY_FL))
    throw new GuestfsError('EPERM', `${inodeName(inode.number)}: is immutable`);
}
