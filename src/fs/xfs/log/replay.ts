/**
 * The replay of the log, as in a mount after a crash (the kernel's fs/xfs/xfs_log_recover.c): two passes over the
 * records, of which the first finds what is cancelled. What was begun and not done (intents) is left to `finish.ts`.
 */
import { CorruptError, type Endian } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import type { Replayed } from '../replayed.js';
import type { Superblock } from '../superblock.js';
import {
  CancelledBuffers,
  decodeBuffer,
  isCancel,
  isUnread,
  type ReplayTarget,
  replayBuffer,
} from './buffers.js';
import type { LogExtent } from './head.js';
import { replayCreation, replayInode } from './inodes.js';
import { Intents } from './intents.js';
import { itemTypes, logFormats, logUnit } from './layout.js';
import { type Log, logName } from './log.js';
import { recordsOf, withoutTornEnd } from './records.js';
import { isKnownItem, type LogItem, type Transaction, transactionsOf } from './transactions.js';

/** Sectors of a disk that were written, as bits: one for 512 bytes. */
class WrittenSectors {
  readonly #pieces = new Map<number, Uint8Array>();

  add(offset: number, length: number): void {
    for (const [piece, bit] of this.#bits(offset, length)) {
      let bits = this.#pieces.get(piece);
      if (bits === undefined) {
        bits = new Uint8Array(sectorsInPiece / 8);
        this.#pieces.set(piece, bits);
      }
      const at = Math.floor(bit / 8);
      bits[at] = (bits[at] ?? 0) | (1 << (bit % 8));
    }
  }

  has(offset: number, length: number): boolean {
    for (const [piece, bit] of this.#bits(offset, length)) {
      const byte = this.#pieces.get(piece)?.[Math.floor(bit / 8)] ?? 0;
      if ((byte >>> (bit % 8)) & 1) return true;
    }
    return false;
  }

  *#bits(offset: number, length: number): Generator<[piece: number, bit: number]> {
    const end = Math.ceil((offset + length) / logUnit);
    for (let sector = Math.floor(offset / logUnit); sector < end; sector++)
      yield [Math.floor(sector / sectorsInPiece), sector % sectorsInPiece];
  }
}

/** A piece of the bits stands for a mebibyte. */
const sectorsInPiece = 2048;

/** Items of these types come first, those of other types in their order behind them, and cancellations last. */
function inOrder(items: readonly LogItem[], endian: Endian): LogItem[] {
  const isBuffer = ({ type }: LogItem): boolean => type === itemTypes.buffer;
  const rank = (item: LogItem): number => {
    if (item.type === itemTypes.icreate) return 0;
    if (!isBuffer(item)) return 2;
    return isCancel(decodeBuffer(item, endian)) ? 3 : 1;
  };
  return items
    .map((item) => ({ item, rank: rank(item) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ item }) => item);
}

/** A log that was replayed, and what it leaves open. */
interface Outcome {
  readonly replayed: Replayed;
  readonly intents: Intents;
}

/** Writes the log's changes to `disk`, a layer of the caller. */
export function replayLog(log: Log, found: LogExtent, disk: Disk, superblock: Superblock): Outcome {
  const version5 = superblock.features.version === 5;
  const extent = withoutTornEnd(log, found, version5);
  const endian = endianOf(log, extent);
  const transactions = (): Iterable<Transaction> => transactionsOf(recordsOf(log, extent, version5), endian);
  const cancelled = new CancelledBuffers();
  for (const { items } of transactions()) {
    for (const item of items) {
      if (!isKnownItem(item.type))
        throw new CorruptError(logName, 'holds an unknown item', { type: item.type });
      if (item.type !== itemTypes.buffer) continue;
      const buffer = decodeBuffer(item, endian);
      if (isCancel(buffer)) cancelled.add(buffer.key);
    }
  }
  const written = new WrittenSectors();
  const newOwners = new Set<number>();
  const intents = new Intents(endian);
  const target: ReplayTarget = {
    uuid: version5 ? superblock.metaUuid : undefined,
    endian,
    read(offset, length) {
      if (!(offset >= 0 && length > 0 && offset + length <= disk.size))
        throw new CorruptError(logName, 'changes what lies outside the filesystem', { offset, length });
      const bytes = new Uint8Array(length);
      disk.read(bytes, offset);
      return bytes;
    },
    store(offset, bytes) {
      disk.write(bytes, offset);
      written.add(offset, bytes.length);
    },
  };
  for (const { position, items } of transactions()) {
    for (const item of inOrder(items, endian)) {
      switch (item.type) {
        case itemTypes.buffer: {
          const buffer = decodeBuffer(item, endian);
          if (isCancel(buffer)) cancelled.remove(buffer.key);
          else if (!cancelled.has(buffer.key) && !isUnread(buffer))
            replayBuffer(item, buffer, position, target);
          break;
        }
        case itemTypes.inode: {
          const owner = replayInode(item, position, target, superblock, cancelled);
          if (owner !== undefined) newOwners.add(owner);
          break;
        }
        case itemTypes.icreate:
          replayCreation(item, target, superblock, cancelled);
          break;
        default:
          // Quotas are read by nobody here.
          intents.meet(item);
      }
    }
  }
  const touches: Replayed['touches'] = (offset, length) => written.has(offset, length);
  return { replayed: { touches, newOwners, pending: new Map() }, intents };
}

/** The byte order of the machine that wrote the log. */
function endianOf(log: Log, { tail }: LogExtent): Endian {
  const { h_fmt: format } = log.header(tail);
  if (format === logFormats.linuxLittleEndian) return 'little';
  if (format === logFormats.linuxBigEndian || format === logFormats.irixBigEndian) return 'big';
  throw new CorruptError(logName, 'has no known byte order', { format });
}
