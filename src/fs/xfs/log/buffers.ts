/**
 * Items of the log that bring back parts of buffers: any blocks of metadata, in pieces of 128 bytes (the kernel's
 * fs/xfs/xfs_buf_item_recover.c). A buffer that was freed later in the log is cancelled, since its blocks may hold
 * data by then.
 */
import {
  bits64,
  CorruptError,
  compareBytes,
  type Decoded,
  type Endian,
  viewOf,
} from '../../../base/index.js';
import { magicAt } from '../layout.js';
import {
  bufferChunk,
  bufferFlags,
  bufferFormat,
  bufferMapAt,
  indexLsnPlace,
  indexMagicAt,
  indexMagics,
  logUnit,
  lsnPlaces,
} from './layout.js';
import { comparePositions, type LogPosition, logName, positionOf } from './log.js';
import type { LogItem } from './transactions.js';

/** A piece of a disk that a replay changes. */
export interface ReplayTarget {
  /** A copy of bytes. CorruptError outside the filesystem. */
  read(offset: number, length: number): Uint8Array;
  /** Changes bytes, and keeps in mind that their checksums are out of date. */
  store(offset: number, bytes: Uint8Array): void;
  /** Undefined in version 4, which does not say when a block was last written. */
  readonly uuid: Uint8Array | undefined;
  readonly endian: Endian;
}

/** Which buffers are cancelled, and how often. */
export class CancelledBuffers {
  readonly #counts = new Map<string, number>();

  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  has(key: string): boolean {
    return this.#counts.has(key);
  }

  /** One cancellation has been met: what comes behind the last counts again. */
  remove(key: string): void {
    const count = (this.#counts.get(key) ?? 0) - 1;
    if (count > 0) this.#counts.set(key, count);
    else this.#counts.delete(key);
  }
}

/** A buffer's place and length as a key; both in units of 512 bytes. */
export function bufferKey(sector: number, length: number): string {
  return `${sector}+${length}`;
}

interface BufferItem {
  readonly format: Decoded<ReturnType<typeof bufferFormat>['fields']>;
  readonly sector: number;
  readonly key: string;
}

export function decodeBuffer({ regions }: LogItem, endian: Endian): BufferItem {
  const format = bufferFormat(endian).decode(firstRegion(regions));
  const sector = Number(format.blf_blkno);
  return { format, sector, key: bufferKey(sector, format.blf_len) };
}

export function firstRegion(regions: readonly Uint8Array[]): Uint8Array {
  const [first] = regions;
  if (first === undefined) throw new CorruptError(logName, 'an item lacks parts');
  return first;
}

export function isCancel({ format }: BufferItem): boolean {
  return (format.blf_flags & bufferFlags.cancel) !== 0;
}

/** Of inodes only the lists of unlinked ones, and of quotas all: nobody here reads them. */
const unread = bufferFlags.inode | bufferFlags.userQuota | bufferFlags.groupQuota | bufferFlags.projectQuota;

export function isUnread({ format }: BufferItem): boolean {
  return (format.blf_flags & unread) !== 0;
}

/** Brings a buffer back, unless the disk has it as it was later. */
export function replayBuffer(
  item: LogItem,
  { format, sector }: BufferItem,
  position: LogPosition,
  target: ReplayTarget,
): void {
  const length = format.blf_len * logUnit;
  const offset = sector * logUnit;
  const bytes = target.read(offset, length);
  if (target.uuid !== undefined && isNewer(bytes, target.uuid, position)) return;
  const map = mapOf(firstRegion(item.regions), format.blf_map_size, target.endian);
  const chunks = Math.floor(length / bufferChunk);
  let region = 1;
  for (let chunk = map.next(0); chunk !== undefined; ) {
    const part = item.regions[region++];
    // A run of pieces may come in several regions.
    const count = Math.min(map.run(chunk), part === undefined ? 0 : Math.floor(part.length / bufferChunk));
    if (part === undefined || count === 0 || chunk + count > chunks)
      throw new CorruptError(logName, 'a buffer and its parts do not fit together', { sector, chunk });
    target.store(offset + chunk * bufferChunk, part.subarray(0, count * bufferChunk));
    chunk = map.next(chunk + count);
  }
}

/** The map of a buffer: a bit for each piece that is in the log. */
function mapOf(
  region: Uint8Array,
  words: number,
  endian: Endian,
): { next(from: number): number | undefined; run(from: number): number } {
  if (bufferMapAt + words * 4 > region.length)
    throw new CorruptError(logName, 'the map of a buffer is cut short', { words });
  const view = viewOf(region);
  const bits = words * 32;
  const has = (bit: number): boolean => {
    const word = view.getUint32(bufferMapAt + Math.floor(bit / 32) * 4, endian === 'little');
    return ((word >>> (bit % 32)) & 1) !== 0;
  };
  return {
    next(from) {
      for (let bit = from; bit < bits; bit++) if (has(bit)) return bit;
      return undefined;
    },
    run(from) {
      let bit = from;
      while (bit < bits && has(bit)) bit++;
      return bit - from;
    },
  };
}

/** Whether a block of metadata says that it was written at this place of the log, or behind it. */
function isNewer(bytes: Uint8Array, uuid: Uint8Array, position: LogPosition): boolean {
  const view = viewOf(bytes);
  const place = indexMagics.has(view.getUint16(indexMagicAt))
    ? indexLsnPlace
    : lsnPlaces.get(view.getUint32(magicAt));
  if (place === undefined) return false;
  if (compareBytes(bytes.subarray(place.uuidAt, place.uuidAt + 16), uuid) !== 0) return false;
  return isAtOrBehind(bits64(place.lsnAt).read(view, 0, false), position);
}

function isAtOrBehind(lsn: bigint, position: LogPosition): boolean {
  if (lsn === 0n || lsn === 0xffff_ffff_ffff_ffffn) return false;
  return comparePositions(positionOf(lsn), position) >= 0;
}
