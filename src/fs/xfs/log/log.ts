/** The log as a circle of sectors of 512 bytes, in the filesystem or on a disk of its own. */
import { CorruptError, viewOf } from '../../../base/index.js';
import { BlockCache, type Disk } from '../../../disk/index.js';

import type { Superblock } from '../superblock.js';
import {
  headerCovers,
  logRecord,
  logRecordMagic,
  logUnit,
  logVersion2,
  recordCycleAt,
  recordMagicAt,
} from './layout.js';

export const logName = 'XFS log';
/** XFS_MAX_LOG_BYTES: 2 GiB. */
const mostSectors = 2 ** 22;
const leastSectors = 16;

/** The cycle and the sector in which a record begins; later ones are greater. */
export interface LogPosition {
  readonly cycle: number;
  readonly sector: number;
}

/** The two halves of a 64-bit LSN. */
export function positionOf(lsn: bigint): LogPosition {
  return { cycle: Number(lsn >> 32n), sector: Number(lsn & 0xffffffffn) };
}

/** Less than zero if `a` lies before `b`. */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  return a.cycle - b.cycle || a.sector - b.sector;
}

export type RecordHeader = ReturnType<typeof logRecord.decode>;

export class Log {
  /** How many sectors it has. */
  readonly sectors: number;
  readonly version2: boolean;
  readonly #disk: Disk;
  readonly #start: number;
  readonly #cache: BlockCache;

  /** `start`: where it begins on the disk; in bytes. CorruptError where it does not fit. */
  constructor(disk: Disk, start: number, { raw, blockSize, features }: Superblock) {
    this.sectors = (raw.sb_logblocks * blockSize) / logUnit;
    this.version2 = features.logVersion2;
    this.#disk = disk;
    this.#start = start;
    this.#cache = new BlockCache(disk);
    if (this.sectors < leastSectors || this.sectors > mostSectors)
      throw new CorruptError(logName, 'has an invalid size', { sectors: this.sectors });
    if (start + this.sectors * logUnit > disk.size)
      throw new CorruptError(logName, 'lies outside the disk', { offset: start, sectors: this.sectors });
  }

  /** A sector; valid until the next call. */
  sector(number: number): DataView {
    const offset = this.#start + number * logUnit;
    return viewOf(this.#cache.bytes(offset, logUnit, logName));
  }

  /** The cycle in which a sector was written. */
  cycle(number: number): number {
    const view = this.sector(number);
    const first = view.getUint32(recordMagicAt);
    return first === logRecordMagic ? view.getUint32(recordCycleAt) : first;
  }

  isHeader(number: number): boolean {
    return this.sector(number).getUint32(recordMagicAt) === logRecordMagic;
  }

  header(number: number): RecordHeader {
    return logRecord.decode(this.sector(number));
  }

  wrap(number: number): number {
    return number >= this.sectors ? number - this.sectors : number;
  }

  /** Sectors from one on, over the end of the log to its beginning; `count` is less than the log has. */
  read(first: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * logUnit);
    const before = Math.min(count, this.sectors - first);
    this.#disk.read(bytes.subarray(0, before * logUnit), this.#start + first * logUnit);
    if (before < count) this.#disk.read(bytes.subarray(before * logUnit), this.#start);
    return bytes;
  }

  /** How many sectors the headers of a record take. */
  headerSectors({ h_version: version, h_size: size }: RecordHeader): number {
    if (!this.version2 || version !== logVersion2 || size <= headerCovers) return 1;
    return Math.ceil(size / headerCovers);
  }
}
