/**
 * Fast commits: what changed since the last full transaction, as small records (this inode, this range of blocks, this
 * name) in blocks of their own behind the log. Reading and checking only; fast-commit-replay.ts makes them true. Specification:
 * the kernel's Documentation/filesystems/ext4/journal.rst, "Fast commits", and fs/ext4/fast_commit.c, ext4_fc_replay_scan.
 */
import { checksumHolds, crc32c, UnsupportedError, viewOf } from '../../base/index.js';
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
} from './journal-layout.js';
import { maxInitializedLength } from './layout.js';

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

/** Bounds memory: the kernel's own area has 256 blocks. In bytes. */
const areaLimit = 64 * 1024 * 1024;

/** The records in the order in which they happened: all of the commits that were finished after the last transaction. */
export function readFastCommits(
  journal: Journal,
  transaction: number,
  warn: (message: string) => void,
): FastCommitRecord[] {
  const scan = new Scan(transaction);
  const end = Math.min(journal.fastCommitEnd, journal.fastCommitFirst + areaLimit / journal.blockSize);
  for (let block = journal.fastCommitFirst; block < end; block++) {
    if (!scan.readBlock(journal.block(block))) break;
  }
  if (scan.finished.length === 0 && scan.pending > 0)
    warn('ext4 journal: the first fast commit is unfinished and left out');
  return scan.finished;
}

class Scan {
  readonly finished: FastCommitRecord[] = [];
  readonly #transaction: number;
  #pending: FastCommitRecord[] = [];
  /** Of the commit that is being read. */
  #sum = 0;
  #begun = false;

  constructor(transaction: number) {
    this.#transaction = transaction;
  }

  /** Records of a commit whose end was not found. */
  get pending(): number {
    return this.#pending.length;
  }

  /** Whether to go on with the next block. */
  readBlock(bytes: Uint8Array): boolean {
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
          // What fills the rest of the block is part of the record, but not of the sum.
          return this.#finish(bytes.subarray(at, valueAt + 4), value);
        case tags.head:
          if (!this.#isHead(value)) return false;
          break;
        case tags.pad:
          break;
        default: {
          const record = decodeRecord(tag, value);
          if (record === undefined) return false;
          this.#pending.push(record);
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
    for (const record of this.#pending) this.finished.push(record);
    this.#pending = [];
    this.#sum = 0;
    return true;
  }
}

/** A record by its tag; undefined for one that is unknown or too short. */
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
