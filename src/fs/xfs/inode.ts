/**
 * Inodes: all facts of a file except its name, and its two forks: data, and attributes. Decoded by plain offsets,
 * because a walk decodes hundreds of thousands. This refuses what the kernel refuses (fs/xfs/libxfs/xfs_inode_buf.c,
 * xfs_dinode_verify).
 */
import { CorruptError, checksumHolds, typeOfMode } from '../../base/index.js';
import type { FileType, InodeStat, Time } from '../driver.js';
import { checksumOf, storedChecksum } from './checksum.js';
import { has } from './features.js';
import {
  inodeAt as at,
  bigtimeEpoch,
  deviceMajorMask,
  deviceMinorBits,
  extentSize,
  forkFormats,
  forkUnit,
  inodeFlags,
  inodeFlags2,
  inodeMagic,
  inodeSize3,
  nanosecondsPerSecond,
  shortInodeSize,
} from './layout.js';
import type { PendingInode } from './pending.js';
import type { Replayed } from './replayed.js';
import type { Superblock } from './superblock.js';

/** Where inodes are stored. */
interface InodeRecords {
  /** A copy of an inode's bytes from `start` to `end`. */
  inodeRecord(number: number, start?: number, end?: number): Uint8Array;
}

/** A fork: where it lies in the inode, and what it holds. */
export interface Fork {
  /** In bytes from the start of the inode. */
  readonly start: number;
  readonly end: number;
  readonly format: number;
  readonly extentCount: number;
}

export class Inode {
  readonly number: number;
  /** What `lstat` shows. */
  readonly stat: InodeStat;
  readonly kind: FileType;
  readonly flags: number;
  readonly data: Fork;
  /** Undefined where there are no attributes. */
  readonly attributes: Fork | undefined;
  // Read again on demand, because most inodes are only examined.
  readonly #records: InodeRecords;

  constructor(
    number: number,
    stat: InodeStat,
    kind: FileType,
    flags: number,
    data: Fork,
    attributes: Fork | undefined,
    records: InodeRecords,
  ) {
    this.number = number;
    this.stat = stat;
    this.kind = kind;
    this.flags = flags;
    this.data = data;
    this.attributes = attributes;
    this.#records = records;
  }

  get isRealtime(): boolean {
    return has(this.flags, inodeFlags.realtime);
  }

  /** As it is with what the log has more of it. `blockSize` in bytes. */
  after({ blocks, size }: PendingInode, blockSize: number): Inode {
    const blockCount512 = this.stat.blockCount512 + (blocks * blockSize) / 512;
    const stat = { ...this.stat, blockCount512, sizeInBytes: size ?? this.stat.sizeInBytes };
    return new Inode(this.number, stat, this.kind, this.flags, this.data, this.attributes, this.#records);
  }

  /** A copy of a fork's bytes. */
  forkBytes({ start, end }: Fork): Uint8Array {
    return this.#records.inodeRecord(this.number, start, end);
  }
}

export function inodeName(number: number): string {
  return `XFS inode ${number}`;
}

/** Units of 512 nanoseconds. */
const unitsPerSecond = nanosecondsPerSecond / 512;

/** A 64-bit number; beyond 2^53 − 1 a CorruptError. */
function number64(view: DataView, offset: number, number: number, what: string): number {
  const high = view.getUint32(offset);
  const low = view.getUint32(offset + 4);
  if (high > 0x1fffff) throw new CorruptError(inodeName(number), `${what} is beyond 2^53`, { high, low });
  return high * 0x1_0000_0000 + low;
}

function decodeTime(view: DataView, offset: number, bigtime: boolean): Time {
  if (!bigtime) {
    // Garbage is brought into range, as nothing on the disk bounds it.
    const nanoseconds = Math.min(view.getUint32(offset + 4), nanosecondsPerSecond - 1);
    return { seconds: view.getInt32(offset), nanoseconds };
  }
  const high = view.getUint32(offset);
  const low = view.getUint32(offset + 4);
  // A second is 2^9 · 5^9 nanoseconds. In units of 2^9 of them, a number holds all times up to 2048 exactly.
  const units = high * 2 ** 23 + Math.floor(low / 512);
  if (units <= Number.MAX_SAFE_INTEGER) {
    const rest = units % unitsPerSecond;
    return { seconds: (units - rest) / unitsPerSecond - bigtimeEpoch, nanoseconds: rest * 512 + (low % 512) };
  }
  const total = BigInt(high) * 0x1_0000_0000n + BigInt(low);
  const unit = BigInt(nanosecondsPerSecond);
  return { seconds: Number(total / unit) - bigtimeEpoch, nanoseconds: Number(total % unit) };
}

/** How an inode is decoded: the facts of the superblock for that, prepared once. */
export class InodeDecoder {
  readonly #superblock: Superblock;
  readonly #replayed: Replayed | undefined;
  readonly #version5: boolean;
  readonly #unitsPerBlock: number;

  constructor(superblock: Superblock, replayed: Replayed | undefined) {
    this.#superblock = superblock;
    this.#replayed = replayed;
    this.#version5 = superblock.features.version === 5;
    this.#unitsPerBlock = superblock.blockSize / 512;
  }

  /** Decodes the inode at `base` of `view`, which lies at `offset` of the disk. The caller has checked that it fits. */
  decode(number: number, view: DataView, base: number, offset: number, records: InodeRecords): Inode {
    const corrupt = (problem: string, details: Record<string, number> = {}): CorruptError =>
      new CorruptError(inodeName(number), problem, details);
    if (view.getUint16(base + at.di_magic) !== inodeMagic) throw corrupt('has no magic number');
    const version = view.getUint8(base + at.di_version);
    if (this.#version5 ? version !== 3 : version !== 1 && version !== 2)
      throw corrupt('has the wrong version', { version });
    if (version === 3) this.#checkSelf(number, view, base, offset, corrupt);
    const mode = view.getUint16(base + at.di_mode);
    if (mode === 0) throw corrupt('is not in use');
    const kind = typeOfMode(mode);
    if (kind === 'unknown') throw corrupt('has no valid type', { mode });
    const linkCount =
      version === 1 ? view.getUint16(base + at.di_onlink) : view.getUint32(base + at.di_nlink);
    const flags2 = version === 3 ? view.getUint32(base + at.di_flags2 + 4) : 0;
    if (has(flags2, inodeFlags2.metadata)) throw corrupt('is internal and not for users');
    const bigtime = has(flags2, inodeFlags2.bigtime);
    const sizeInBytes = number64(view, base + at.di_size, number, 'its size');
    const blocks = number64(view, base + at.di_nblocks, number, 'its number of blocks');
    const [data, attributes] = this.#forks(
      view,
      base,
      version,
      has(flags2, inodeFlags2.nrext64),
      number,
      corrupt,
    );
    checkDataFork(kind, data, sizeInBytes, corrupt);
    if (data.extentCount + (attributes?.extentCount ?? 0) > blocks)
      throw corrupt('has more extents than blocks', { blocks, extents: data.extentCount });
    const blockCount512 = blocks * this.#unitsPerBlock;
    if (!Number.isSafeInteger(blockCount512)) throw corrupt('occupies more than 2^53 units', { blocks });
    const stat: InodeStat = {
      inode: number,
      mode,
      linkCount,
      uid: view.getUint32(base + at.di_uid),
      gid: view.getUint32(base + at.di_gid),
      deviceMajor: 0,
      deviceMinor: 0,
      sizeInBytes,
      blockCount512,
      accessed: decodeTime(view, base + at.di_atime, bigtime),
      modified: decodeTime(view, base + at.di_mtime, bigtime),
      changed: decodeTime(view, base + at.di_ctime, bigtime),
    };
    if (kind === 'block' || kind === 'character') {
      const device = view.getUint32(base + data.start);
      Object.assign(stat, {
        deviceMajor: (device >>> deviceMinorBits) & deviceMajorMask,
        deviceMinor: device % 2 ** deviceMinorBits,
      });
    }
    return new Inode(number, stat, kind, view.getUint16(base + at.di_flags), data, attributes, records);
  }

  #checkSelf(
    number: number,
    view: DataView,
    base: number,
    offset: number,
    corrupt: (problem: string) => CorruptError,
  ): void {
    const { inodeSize, metaUuid } = this.#superblock;
    if (this.#replayed?.touches(offset, inodeSize) !== true) {
      const stored = storedChecksum(view, base, at.di_crc);
      if (!checksumHolds(checksumOf(view, base, inodeSize, at.di_crc), stored))
        throw corrupt('has a bad checksum');
    }
    const high = view.getUint32(base + at.di_ino);
    if (high * 0x1_0000_0000 + view.getUint32(base + at.di_ino + 4) !== number)
      throw corrupt('has the number of another inode');
    for (let i = 0; i < metaUuid.length; i++)
      if (view.getUint8(base + at.di_uuid + i) !== metaUuid[i])
        throw corrupt('belongs to another filesystem');
  }

  /** The places and formats of both forks. */
  #forks(
    view: DataView,
    base: number,
    version: number,
    largeCounts: boolean,
    number: number,
    corrupt: (problem: string, details?: Record<string, number>) => CorruptError,
  ): [data: Fork, attributes: Fork | undefined] {
    const { inodeSize } = this.#superblock;
    const start = version === 3 ? inodeSize3 : shortInodeSize;
    const border = view.getUint8(base + at.di_forkoff) * forkUnit;
    if (border >= inodeSize - start) throw corrupt('its fork of attributes lies outside', { border });
    const dataEnd = border === 0 ? inodeSize : start + border;
    const data: Fork = {
      start,
      end: dataEnd,
      format: view.getUint8(base + at.di_format),
      extentCount: largeCounts
        ? number64(view, base + at.di_big_nextents, number, 'its number of extents')
        : view.getUint32(base + at.di_nextents),
    };
    const attributeExtents = largeCounts
      ? view.getUint32(base + at.di_big_anextents)
      : view.getUint16(base + at.di_anextents);
    if (border === 0) {
      if (attributeExtents !== 0) throw corrupt('has extents of attributes without a fork for them');
      return [data, undefined];
    }
    const attributes: Fork = {
      start: dataEnd,
      end: inodeSize,
      format: view.getUint8(base + at.di_aformat),
      extentCount: attributeExtents,
    };
    return [data, attributes];
  }
}

/** Each kind of file has the formats that the kernel lets it have. */
function checkDataFork(
  kind: FileType,
  { start, end, format, extentCount }: Fork,
  sizeInBytes: number,
  corrupt: (problem: string, details?: Record<string, number>) => CorruptError,
): void {
  const isStored = kind === 'file' || kind === 'directory' || kind === 'symlink';
  if (!isStored) {
    if (format !== forkFormats.device || end - start < 4)
      throw corrupt('is no device, but of its kind', { format });
    return;
  }
  if (kind !== 'file' && sizeInBytes === 0) throw corrupt('is empty, which its kind cannot be');
  switch (format) {
    case forkFormats.local:
      if (kind === 'file') throw corrupt('has its contents in the inode, which files cannot have');
      if (sizeInBytes > end - start || extentCount !== 0)
        throw corrupt('does not fit into the inode', { size: sizeInBytes, extents: extentCount });
      return;
    case forkFormats.extents:
      if (extentCount > Math.floor((end - start) / extentSize))
        throw corrupt('has more extents than fit into the inode', { extents: extentCount });
      return;
    case forkFormats.btree:
      return;
    default:
      throw corrupt('has an unknown format', { format });
  }
}
