/**
 * Inodes: all attributes of a file except its name, in 128 bytes or more. Decoded by plain offsets, because a walk
 * decodes hundreds of thousands. This refuses what the kernel's ext4_iget refuses. Times are seconds since 1970, 34
 * bits wide if the inode has room for them: the two low bits of the `_extra` words extend the signed 32-bit seconds.
 */
import { CorruptError, checksumHolds, crc32c, crc32cOfView, typeOfMode } from '../../base/index.js';
import type { FileType, InodeStat, Time } from '../driver.js';
import { compat, incompat, roCompat } from './features.js';
import {
  inodeAt as at,
  inodeBlockAreaSize,
  inodeFlags,
  inodeIdentity,
  reservedInodes,
  shortInodeSize,
} from './layout.js';
import { has, type Superblock } from './superblock.js';

/** Where inodes are stored. */
interface InodeRecords {
  /** A copy of an inode as stored, or of its bytes from `start` to `end`. */
  inodeRecord(number: number, start?: number, end?: number): Uint8Array;
  /** A copy of an inode's bytes from `start` to `end`, as a view. */
  inodeView(number: number, start: number, end: number): DataView;
}

/** An inode, decoded and checked. */
export class Inode {
  readonly number: number;
  /** What `lstat` shows. */
  readonly stat: InodeStat;
  readonly kind: FileType;
  readonly flags: number;
  readonly generation: number;
  /** The offset of attributes in {@link record}; its length if there is no room for them. */
  readonly attributesAt: number;
  /** The block of attributes, or 0. */
  readonly attributeBlock: number;
  // Read again on demand, because most inodes are only examined.
  readonly #records: InodeRecords;

  constructor(
    number: number,
    stat: InodeStat,
    kind: FileType,
    fields: { readonly flags: number; readonly generation: number; readonly attributeBlock: number },
    attributesAt: number,
    records: InodeRecords,
  ) {
    this.number = number;
    this.stat = stat;
    this.kind = kind;
    this.flags = fields.flags;
    this.generation = fields.generation;
    this.attributeBlock = fields.attributeBlock;
    this.attributesAt = attributesAt;
    this.#records = records;
  }

  /** A copy of the whole inode as stored. */
  get record(): Uint8Array {
    return this.#records.inodeRecord(this.number);
  }

  /** As {@link blockArea}, for who reads it as a table of blocks: a view is made for each file. */
  get blockView(): DataView {
    return this.#records.inodeView(this.number, at.i_block, at.i_block + inodeBlockAreaSize);
  }

  /** A copy of the 60 bytes of `i_block`. */
  get blockArea(): Uint8Array {
    return this.#records.inodeRecord(this.number, at.i_block, at.i_block + inodeBlockAreaSize);
  }
}

export function inodeName(number: number): string {
  return `ext4 inode ${number}`;
}

/** The least `i_extra_isize` with which an inode has the high half of its checksum. */
const checksumHighEnd = at.i_checksum_hi + 2 - shortInodeSize;

/** Number and generation, with which an inode's checksums begin. */
const identity = new DataView(new ArrayBuffer(inodeIdentity.size));
// Fields are read directly, because this runs for each inode.
const { number: numberField, generation: generationField } = inodeIdentity.fields;

function identitySum(seed: number, number: number, generation: number): number {
  numberField.write(identity, 0, number, true);
  generationField.write(identity, 0, generation, true);
  return crc32cOfView(seed, identity, 0, inodeIdentity.size);
}

/**
 * In its own sum, the stored checksum counts as zero. The sum is linear, so it is computed over the unchanged inode,
 * and the contribution of the four stored bytes is then removed. For one inode size, these tables hold the
 * contribution of each value of each byte.
 */
function checksumShares(inodeSize: number): Int32Array[] {
  return [at.i_checksum_lo, at.i_checksum_lo + 1, at.i_checksum_hi, at.i_checksum_hi + 1].map((place) => {
    const table = new Int32Array(256);
    if (place >= inodeSize) return table; // the smallest inodes have no high half
    const bytes = new Uint8Array(inodeSize - place); // what comes before does not change a sum that begins with zero
    for (let bit = 1; bit < 256; bit *= 2) {
      bytes[0] = bit;
      const share = crc32c(0, bytes);
      // safe: lower < bit, and bit + lower < 256; the share of several bits is that of each together
      for (let lower = 0; lower < bit; lower++) table[bit + lower] = share ^ table[lower]!;
    }
    return table;
  });
}

/** The seed for checksums of structures that belong to an inode: extents, directory blocks. */
export function inodeChecksumSeed(seed: number, inode: Inode): number {
  return identitySum(seed, inode.number, inode.generation);
}

/** Writes the right checksum into an inode's record, if the filesystem has checksums. */
export function setInodeChecksum(superblock: Superblock, number: number, record: DataView): void {
  if (superblock.checksumSeed === undefined) return;
  const size = record.byteLength;
  const high = size > shortInodeSize && record.getUint16(at.i_extra_isize, true) >= checksumHighEnd;
  record.setUint16(at.i_checksum_lo, 0, true);
  if (high) record.setUint16(at.i_checksum_hi, 0, true);
  const start = identitySum(superblock.checksumSeed, number, record.getUint32(at.i_generation, true));
  const sum = crc32cOfView(start, record, 0, size);
  record.setUint16(at.i_checksum_lo, sum & 0xffff, true);
  if (high) record.setUint16(at.i_checksum_hi, sum >>> 16, true);
}

/** Puts a time, with the extra bits where the inode's fields, which end at `recordEnd`, include them. */
export function encodeTime(
  record: DataView,
  secondsAt: number,
  extraAt: number,
  recordEnd: number,
  { seconds, nanoseconds }: Time,
): void {
  const whole = Math.floor(seconds);
  if (extraAt + 4 > recordEnd) {
    // As in the kernel, what 32 bits cannot tell becomes the nearest that they can.
    record.setInt32(secondsAt, Math.max(-0x8000_0000, Math.min(0x7fff_ffff, whole)), true);
    return;
  }
  const fitting = Math.max(-0x8000_0000, Math.min(0x3_7fff_ffff, whole));
  const low = fitting | 0;
  record.setInt32(secondsAt, low, true);
  const epoch = (fitting - low) / 0x1_0000_0000;
  record.setUint32(extraAt, nanoseconds * 4 + epoch, true);
}

/** Where the fields of an inode end; in bytes. */
export function fieldsEnd(record: DataView): number {
  return record.byteLength > shortInodeSize
    ? shortInodeSize + record.getUint16(at.i_extra_isize, true)
    : shortInodeSize;
}

/** Puts a device number into `i_block`, in the older encoding where that has room. */
export function encodeDevice(record: DataView, major: number, minor: number): void {
  if (major < 256 && minor < 256) record.setUint32(at.i_block, major * 256 + minor, true);
  else {
    const low = minor & 0xff;
    record.setUint32(at.i_block + 4, (minor - low) * 0x1000 + major * 256 + low, true);
  }
}

/**
 * The time at `secondsAt`, with the extra bits at `extraAt` if the inode's fields, which end at `recordEnd`, include
 * them.
 */
export function decodeTime(
  view: DataView,
  base: number,
  secondsAt: number,
  extraAt: number,
  recordEnd: number,
): Time {
  const seconds = view.getInt32(base + secondsAt, true);
  if (extraAt + 4 > recordEnd) return { seconds, nanoseconds: 0 };
  const extra = view.getUint32(base + extraAt, true);
  // 30 bits hold up to 1,073,741,823: more than a second is garbage, and is brought into range.
  return { seconds: seconds + (extra & 3) * 0x1_0000_0000, nanoseconds: Math.min(extra >>> 2, 999_999_999) };
}

/** Device numbers have two encodings: 8 and 8 bits in the first word, or 12 and 20 bits in the second. */
function decodeDevice(view: DataView, base: number): [number, number] {
  const old = view.getUint32(base + at.i_block, true);
  if (old !== 0) return [(old >>> 8) & 0xff, old & 0xff];
  const device = view.getUint32(base + at.i_block + 4, true);
  return [(device & 0xfff00) >>> 8, (device & 0xff) | ((device >>> 12) & 0xfff00)];
}

/** How an inode is decoded: the facts of the superblock for that, prepared once. */
export class InodeDecoder {
  readonly #superblock: Superblock;
  readonly #hugeFiles: boolean;
  readonly #largeDirectories: boolean;
  readonly #hashedDirectories: boolean;
  readonly #casefold: boolean;
  readonly #highBlockNumbers: boolean;
  readonly #shares: Int32Array[];

  constructor(superblock: Superblock) {
    const { features } = superblock;
    this.#superblock = superblock;
    this.#shares = superblock.checksumSeed === undefined ? [] : checksumShares(superblock.inodeSize);
    this.#hugeFiles = has(features.roCompat, roCompat.hugeFile);
    this.#largeDirectories = has(features.incompat, incompat.largeDir);
    this.#hashedDirectories = has(features.compat, compat.dirIndex);
    this.#casefold = has(features.incompat, incompat.casefold);
    this.#highBlockNumbers = has(features.incompat, incompat.sixtyFourBit);
  }

  /** Decodes the inode at `base` of `view`. The caller has checked that it fits. `sealed`: its checksum is checked. */
  decode(number: number, view: DataView, base: number, records: InodeRecords, sealed: boolean): Inode {
    const superblock = this.#superblock;
    const size = superblock.inodeSize;
    let recordEnd = shortInodeSize;
    if (size > shortInodeSize) {
      const extra = view.getUint16(base + at.i_extra_isize, true);
      recordEnd += extra;
      if (recordEnd > size || (extra & 3) !== 0)
        throw new CorruptError(inodeName(number), 'the extra size is invalid', { extra });
    }
    if (sealed && superblock.checksumSeed !== undefined)
      this.#checkChecksum(superblock.checksumSeed, number, view, base, recordEnd >= at.i_checksum_hi + 2);

    const mode = view.getUint16(base + at.i_mode, true);
    const kind = typeOfMode(mode);
    const linkCount = view.getUint16(base + at.i_links_count, true);
    if (kind === 'unknown') {
      throw new CorruptError(
        inodeName(number),
        mode === 0 && linkCount === 0 ? 'is not in use' : 'has no valid type',
        {
          mode,
        },
      );
    }
    const flags = view.getUint32(base + at.i_flags, true);
    const stat: InodeStat = {
      inode: number,
      mode,
      linkCount,
      uid: view.getUint16(base + at.i_uid, true) + view.getUint16(base + at.i_uid_high, true) * 0x10000,
      gid: view.getUint16(base + at.i_gid, true) + view.getUint16(base + at.i_gid_high, true) * 0x10000,
      deviceMajor: 0,
      deviceMinor: 0,
      sizeInBytes: this.#size(view, base, kind, number),
      blockCount512: this.#blocks(view, base, flags, number),
      accessed: decodeTime(view, base, at.i_atime, at.i_atime_extra, recordEnd),
      modified: decodeTime(view, base, at.i_mtime, at.i_mtime_extra, recordEnd),
      changed: decodeTime(view, base, at.i_ctime, at.i_ctime_extra, recordEnd),
    };
    if (kind === 'block' || kind === 'character') {
      const [deviceMajor, deviceMinor] = decodeDevice(view, base);
      Object.assign(stat, { deviceMajor, deviceMinor });
    }
    const generation = view.getUint32(base + at.i_generation, true);
    const attributeBlock = this.#attributeBlock(view, base);
    const inode = new Inode(number, stat, kind, { flags, generation, attributeBlock }, recordEnd, records);
    if (kind === 'directory' || has(flags, inodeFlags.EXT4_CASEFOLD_FL)) this.#checkFlags(inode);
    return inode;
  }

  /** `high`: the inode has the high half of its checksum. */
  #checkChecksum(seed: number, number: number, view: DataView, base: number, high: boolean): void {
    const [low0, low1, high0, high1] = this.#shares;
    const low = view.getUint16(base + at.i_checksum_lo, true);
    const start = identitySum(seed, number, view.getUint32(base + at.i_generation, true));
    let sum = crc32cOfView(start, view, base, base + this.#superblock.inodeSize);
    // safe: four tables were made, and a byte is below 256
    sum ^= low0![low & 0xff]! ^ low1![low >>> 8]!;
    let stored = low;
    if (high) {
      const upper = view.getUint16(base + at.i_checksum_hi, true);
      sum ^= high0![upper & 0xff]! ^ high1![upper >>> 8]!; // safe: as above
      stored += upper * 0x10000;
    }
    if (!checksumHolds(high ? sum >>> 0 : sum & 0xffff, stored))
      throw new CorruptError(inodeName(number), 'has a bad checksum', { stored });
  }

  #size(view: DataView, base: number, kind: FileType, number: number): number {
    const low = view.getUint32(base + at.i_size_lo, true);
    // In other kinds of inodes the high half has had other meanings.
    if (kind !== 'file' && !this.#largeDirectories) return low;
    const high = view.getUint32(base + at.i_size_high, true);
    if (high > 0x1fffff) throw new CorruptError(inodeName(number), 'its size is beyond 2^53', { high, low });
    return high * 0x1_0000_0000 + low;
  }

  /** In units of 512 bytes; for huge files it is stored in blocks. */
  #blocks(view: DataView, base: number, flags: number, number: number): number {
    const low = view.getUint32(base + at.i_blocks_lo, true);
    if (!this.#hugeFiles) return low;
    const count = view.getUint16(base + at.i_blocks_high, true) * 0x1_0000_0000 + low;
    if (!has(flags, inodeFlags.EXT4_HUGE_FILE_FL)) return count;
    const units = count * (this.#superblock.blockSize / 512);
    if (!Number.isSafeInteger(units))
      throw new CorruptError(inodeName(number), 'occupies more than 2^53 units', { count });
    return units;
  }

  #attributeBlock(view: DataView, base: number): number {
    const low = view.getUint32(base + at.i_file_acl_lo, true);
    if (!this.#highBlockNumbers || this.#superblock.createdByHurd) return low;
    return view.getUint16(base + at.i_file_acl_high, true) * 0x1_0000_0000 + low;
  }

  #checkFlags({ number, flags, kind }: Inode): void {
    // Without dir_index a hash tree reads as empty space, which its checksums forbid.
    if (
      kind === 'directory' &&
      has(flags, inodeFlags.EXT4_INDEX_FL) &&
      !this.#hashedDirectories &&
      this.#superblock.checksumSeed !== undefined
    )
      throw new CorruptError(
        inodeName(number),
        'is an indexed directory, which the filesystem does not have',
      );
    if (has(flags, inodeFlags.EXT4_CASEFOLD_FL) && !this.#casefold)
      throw new CorruptError(inodeName(number), 'is case-folded, which the filesystem is not');
  }
}

/** Whether `number` may be seen by users: the root, or one that is not reserved. */
export function isPublicInode(superblock: Superblock, number: number): boolean {
  return number === reservedInodes.root || number >= superblock.firstInode;
}
