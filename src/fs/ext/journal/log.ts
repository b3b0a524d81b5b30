/**
 * Transactions through the log, as the kernel's jbd2 does it (fs/jbd2/): many of them together become one transaction of
 * the log, and the changed blocks reach their places later, all at once. Only what is committed is ever written to its
 * place, so the log is emptied directly behind a commit and at no other time.
 */
import { CorruptError, crc32c, GuestfsError, UnsupportedError } from '../../../base/index.js';
import type { Disk, DiskTransaction, WriteCache, WriteRules } from '../../../disk/index.js';
import { incompat, roCompat } from '../features.js';
import { has, type Superblock } from '../superblock.js';
import type { Journal } from './journal.js';
import { journalBlockTypes, journalChecksumTypes, journalCompat, journalIncompat } from './layout.js';
import { changeJournalSuperblock } from './superblock.js';
import { changedIn, logBlockAfter, logLength, writeTransaction } from './transaction.js';

/** Writes a log that is empty: it was replayed before. */
export class Log implements WriteRules {
  readonly isOrdered = false;
  readonly most: number;
  readonly #journal: Journal;
  readonly #cache: WriteCache;
  readonly #log: Disk;
  /** Blocks of the log that one transaction may take: a quarter of it, as in the kernel. */
  readonly #share: number;
  /** Blocks changed since the last commit. */
  readonly #changed = new Set<number>();
  /** Blocks freed since the last commit of which the log has copies, and which were not changed again. */
  readonly #revoked = new Set<number>();
  /** Blocks of which the log has copies. */
  readonly #logged = new Set<number>();
  /** Whether the superblock of the journal says where the log begins. */
  #isBegun = false;
  #mayRevoke: boolean;
  /** The block behind the log, the number of the next transaction, and the blocks that the log takes. */
  #head: number;
  #sequence: number;
  #used = 0;
  #lastTime = 0;

  constructor(journal: Journal, cache: WriteCache, superblock: Superblock) {
    this.#journal = withFeatures(journal, superblock);
    this.#cache = cache;
    this.#log = journal.device ?? cache.disk;
    this.#share = Math.floor((journal.end - journal.first) / 4);
    // A few blocks are for what is revoked, and for what is changed when it is committed.
    this.most = changedIn(journal, this.#share - Math.ceil(this.#share / 16));
    this.#mayRevoke = has(journal.incompat, journalIncompat.revoke);
    this.#head = journal.first;
    this.#sequence = journal.raw.s_sequence || 1; // the kernel has no transaction 0 at the beginning of a log
  }

  hasRoom(blocks: number): boolean {
    return this.#changed.size + blocks <= this.most && this.#revoked.size < this.#share;
  }

  add({ changes, freed }: DiskTransaction): void {
    let count = this.#changed.size;
    for (const number of changes.keys()) if (!this.#changed.has(number)) count++;
    const length = logLength(this.#journal, count, this.#revoked.size);
    if (length > this.#room)
      throw new GuestfsError(
        'ENOSPC',
        `ext4 journal: an operation on ${changes.size} blocks at once has no room (room=${this.#room})`,
      );
    for (const number of changes.keys()) {
      this.#changed.add(number);
      this.#revoked.delete(number);
    }
    for (const { first, count } of freed) this.#free(first, count);
  }

  commit(hasData: boolean): void {
    const { disk } = this.#cache;
    if (hasData && this.#log !== disk) disk.flush();
    if (this.#changed.size === 0 && this.#revoked.size === 0) {
      if (hasData && this.#log === disk) disk.flush();
      return;
    }
    this.#begin();
    const blocks = new Map<number, Uint8Array>();
    for (const number of this.#changed) {
      const block = this.#cache.changed.get(number);
      if (block !== undefined) blocks.set(number, block.bytes);
    }
    this.#lastTime = Math.max(this.#lastTime, Math.floor(Date.now() / 1000));
    writeTransaction(this.#journal, this.#log, {
      sequence: this.#sequence,
      start: this.#head,
      blocks,
      revoked: this.#revoked,
      time: this.#lastTime,
    });
    const length = logLength(this.#journal, blocks.size, this.#revoked.size);
    this.#head = logBlockAfter(this.#journal, this.#head, length);
    this.#sequence = (this.#sequence + 1) >>> 0;
    this.#used += length;
    for (const number of this.#changed) this.#logged.add(number);
    this.#changed.clear();
    this.#revoked.clear();
    // The next transaction always has room: until it is committed, nothing can be written to its place.
    if (this.#room < 2 * this.#share) this.checkpoint();
  }

  checkpoint(): void {
    this.#cache.write();
    if (this.#used === 0) return;
    this.#cache.disk.flush();
    this.#writeStart(this.#head);
    this.#log.flush();
    this.#used = 0;
    this.#logged.clear();
  }

  /** After a checkpoint: says that there is nothing in the log, which kernels without fast commits may then use, too. */
  end(): void {
    this.#writeStart(0);
    this.#log.flush();
    this.#isBegun = false;
  }

  get #room(): number {
    return this.#journal.end - this.#journal.first - this.#used;
  }

  #free(first: number, count: number): void {
    const each = (number: number): void => {
      this.#changed.delete(number);
      if (this.#logged.has(number)) this.#revoked.add(number);
    };
    if (count > this.#changed.size + this.#logged.size) {
      const isFreed = (number: number): boolean => number >= first && number < first + count;
      for (const number of [...this.#changed, ...this.#logged]) if (isFreed(number)) each(number);
    } else for (let number = first; number < first + count; number++) each(number);
  }

  /**
   * Before the first transaction, the superblock of the journal says where the log begins; before the first that revokes,
   * that there may be such. The barrier in front of the commit block makes both durable.
   */
  #begin(): void {
    const mayRevoke = this.#mayRevoke || this.#revoked.size > 0;
    if (this.#isBegun && mayRevoke === this.#mayRevoke) return;
    this.#mayRevoke = mayRevoke;
    this.#writeStart(this.#isBegun ? undefined : this.#head);
    this.#isBegun = true;
  }

  /** `start`: where the log begins, with the next transaction; 0 for an empty one, undefined if it stays. */
  #writeStart(start: number | undefined): void {
    const { compat, incompat: features, raw } = this.#journal;
    const revoke = this.#mayRevoke ? journalIncompat.revoke : 0;
    const kept = start === 0 ? features & ~journalIncompat.fastCommit : features;
    changeJournalSuperblock(this.#journal, this.#log, () => ({
      s_feature_compat: compat,
      s_feature_incompat: (kept | revoke) >>> 0,
      s_checksum_type: raw.s_checksum_type,
      ...(start === undefined ? {} : { s_start: start, s_sequence: this.#sequence }),
    }));
  }
}

/**
 * The features with which the kernel writes a log, which it chooses at each mount: checksums where the filesystem has
 * them, and block numbers of its width.
 */
function withFeatures(journal: Journal, { features }: Superblock): Journal {
  const { raw } = journal;
  if (raw.h_blocktype !== journalBlockTypes.superblockV2)
    throw new UnsupportedError('ext4 journal', ['writing to a journal of version 1'], {
      elsewhere: 'appliance',
    });
  // After a replay there is nothing in it. Linux would throw away what there is.
  if (raw.s_start !== 0)
    throw new CorruptError('ext4 journal', 'is not empty, and the filesystem needs no recovery', {
      start: raw.s_start,
    });
  let chosen = journal.incompat & ~journalIncompat.asyncCommit;
  if (has(features.incompat, incompat.sixtyFourBit)) chosen |= journalIncompat.sixtyFourBit;
  const sums = journalIncompat.checksumV2 | journalIncompat.checksumV3;
  if (has(features.roCompat, roCompat.metadataChecksums) && !has(chosen, sums))
    chosen |= journalIncompat.checksumV3;
  const isSummed = has(chosen, sums);
  return {
    ...journal,
    raw: isSummed ? { ...raw, s_checksum_type: journalChecksumTypes.crc32c } : raw,
    compat: journal.compat & ~journalCompat.checksum,
    incompat: chosen >>> 0,
    checksumSeed: isSummed ? crc32c(0xffffffff, raw.s_uuid) : undefined,
  };
}
