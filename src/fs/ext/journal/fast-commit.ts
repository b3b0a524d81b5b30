/**
 * Fast commits: the changes since the last full transaction, as small records (this inode, this range of blocks, this
 * name) in blocks of their own after the log. This only reads and checks them; fast-commit-replay.ts applies them.
 * Specification: the kernel's Documentation/filesystems/ext4/journal.rst, "Fast commits", and fs/ext4/fast_commit.c,
 * ext4_fc_replay_scan.
 */
import { checksumHolds, crc32c, UnsupportedError, viewOf } from '../../../base/index.js';
import { maxInitializedLength } from '../layout.js';
import type { Journal } from './journal.js';
import {
  fastCommitAddRange,
  fastCommitDelRange,
  fastCommitEntry,
  fastCommitHead,
  fastCommitInode,
  fastCommitTag,
  fastCommitTail,
  fastCommitTags as tags,
} from './layout.js';

/** One change. Counts and places are in blocks. */
export type FastCommitRecord =
  | {
      readonly kind: 'add-range';
      readonly inode: number;
      readonly logical: number;
      readonly count: number;
      readonly block: number;
      readonly written: boolean;
    }
  | {
      readonly kind: 'remove-range';
      readonly inode: number;
      readonly logical: number;
      readonly count: number;
    }
  | {
      readonly kind: 'create' | 'link' | 'unlink';
      readonly parent: number;
      readonly inode: number;
      readonly name: Uint8Array;
    }
  /** `record` is the inode as it would be stored, perhaps without its end. */
  | { readonly kind: 'inode'; readonly inode: number; readonly record: Uint8Array };

/** The kernel's own area has 256 blocks. In bytes. */
const areaLimit = 16 * 1024 * 1024;

/**
 * The records in order, of all finished commits after the last transaction. They are read twice, first to find the
 * end of the last finished commit, so that none must be kept.
 */
export function* readFastCommits(
  journal: Journal,
  transaction: number,
  warn: (message: string) => void,
): Generator<FastCommitRecord, void> {
  const { fastCommitFirst: first } = journal;
  const end = Math.min(journal.fastCommitEnd, first + areaLimit / journal.blockSize);
  const scan = new Scan(transaction);
  for (let block = first; scan.readBlock(journal.block, block, end); block++)
    if (block + 1 === end && end < journal.fastCommitEnd)
      throw new UnsupportedError('ext4 journal', [`more than ${areaLimit} bytes of fast commits`]);
  if (scan.finished === 0 && scan.seen > 0)
    warn('ext4 journal: the first fast commit is unfinished and left out');
  let left = scan.finished;
  const second = new Scan(transaction);
  for (let block = first; left > 0; block++) {
    second.readBlock(journal.block, block, end);
    for (const record of second.takeRecords()) if (left-- > 0) yield record;
  }
}

class Scan {
  /** Records of finished commits. */
  finished = 0;
  /** All records so far. */
  seen = 0;
  readonly #transaction: number;
  #records: FastCommitRecord[] = [];
  /** Of the commit that is being read. */
  #sum = 0;
  #begun = false;

  constructor(transaction: number) {
    this.#transaction = transaction;
  }

  /** The records of the block that was read last. */
  takeRecords(): FastCommitRecord[] {
    return this.#records;
  }

  /** Whether to go on with the next block. */
  readBlock(read: Journal['block'], block: number, end: number): boolean {
    this.#records = [];
    if (block >= end) return false;
    const bytes = read(block);
    const view = viewOf(bytes);
    for (let at = 0; at + fastCommitTag.size <= bytes.length; ) {
      const { fc_tag: tag, fc_len: length } = fastCommitTag.decode(view, at);
      if (!this.#begun && tag !== tags.head) return false;
      this.#begun = true;
      const valueAt = at + fastCommitTag.size;
      const next = valueAt + length;
      if (next > bytes.length) return false;
      const value = bytes.subarray(valueAt, next);
      switch (tag) {
        case tags.tail:
          // The padding of the block belongs to the record, but not to the sum.
          return this.#finish(bytes.subarray(at, valueAt + 4), value);
        case tags.head:
          if (!this.#isHead(value)) return false;
          break;
        case tags.pad:
          break;
        default: {
          const record = decodeRecord(tag, value);
          if (record === undefined) return false;
          this.#records.push(record);
          this.seen++;
        }
      }
      this.#sum = crc32c(this.#sum, bytes.subarray(at, next));
      at = next;
    }
    return true;
  }

  #isHead(value: Uint8Array): boolean {
    if (value.length < fastCommitHead.size) return false;
    const { fc_features: features, fc_tid: transaction } = fastCommitHead.decode(value);
    if (transaction !== this.#transaction) return false;
    if (features !== 0)
      throw new UnsupportedError('ext4 journal', [`fast commit features 0x${features.toString(16)}`]);
    return true;
  }

  #finish(summed: Uint8Array, value: Uint8Array): boolean {
    if (value.length < fastCommitTail.size) return false;
    const { fc_tid: transaction, fc_crc: stored } = fastCommitTail.decode(value);
    if (transaction !== this.#transaction || !checksumHolds(crc32c(this.#sum, summed), stored)) return false;
    this.finished = this.seen;
    this.#sum = 0;
    return true;
  }
}

/** A record by its tag; undefined if it is unknown or too short. */
function decodeRecord(tag: number, value: Uint8Array): FastCommitRecord | undefined {
  switch (tag) {
    case tags.addRange: {
      if (value.length < fastCommitAddRange.size) return undefined;
      const range = fastCommitAddRange.decode(value);
      const written = range.ee_len <= maxInitializedLength;
      return {
        kind: 'add-range',
        inode: range.fc_ino,
        logical: range.ee_block,
        count: written ? range.ee_len : range.ee_len - maxInitializedLength,
        block: range.ee_start_hi * 0x1_0000_0000 + range.ee_start_lo,
        written,
      };
    }
    case tags.delRange: {
      if (value.length < fastCommitDelRange.size) return undefined;
      const range = fastCommitDelRange.decode(value);
      return { kind: 'remove-range', inode: range.fc_ino, logical: range.fc_lblk, count: range.fc_len };
    }
    case tags.create:
    case tags.link:
    case tags.unlink: {
      const name = value.subarray(fastCommitEntry.size);
      if (name.length === 0 || name.length > 255) return undefined;
      const { fc_parent_ino: parent, fc_ino: inode } = fastCommitEntry.decode(value);
      return {
        kind: tag === tags.create ? 'create' : tag === tags.link ? 'link' : 'unlink',
        parent,
        inode,
        name,
      };
    }
    case tags.inode: {
      if (value.length < fastCommitInode.size) return undefined;
      const { fc_ino: inode } = fastCommitInode.decode(value);
      return { kind: 'inode', inode, record: value.subarray(fastCommitInode.size) };
    }
    default:
      return undefined;
  }
}
