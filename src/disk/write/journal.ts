/**
 * Transactions over a {@link WriteCache}, and when they get to the disk. How they get there is the business of the
 * {@link WriteRules}: by a log, in an order that a checker repairs without loss, or in none.
 */
import { GuestfsError, undisturbed } from '../../base/index.js';
import type { Disk } from '../disk.js';
import type { WriteCache } from './cache.js';
import { type FreedRange, FreedRanges } from './freed.js';
import { DiskTransaction } from './transaction.js';

/** How finished transactions get to the disk. */
export interface WriteRules {
  /** How many blocks one transaction may change. */
  readonly most: number;
  /** Whether the phases of a transaction matter: see {@link DiskTransaction.barrier}. */
  readonly isOrdered: boolean;
  /** Whether `blocks` more may be changed before the next commit. */
  hasRoom(blocks: number): boolean;
  /** Takes note of a transaction that stays. The cache still has the blocks that it freed. */
  add(transaction: DiskTransaction): void;
  /** Makes all transactions durable. `hasData`: also what was written to the cache's disk itself. */
  commit(hasData: boolean): void;
  /** After a commit: writes all changed blocks to their places, and makes that durable. */
  checkpoint(): void;
}

/** What a filesystem does when it is written for the first time, and when that ends: the marks in its superblock. */
export interface WriteMarks {
  /** Before the first block of metadata is written. Makes itself durable. */
  begin(): void;
  /** After all is durable and in its place. Makes itself durable. */
  end(): void;
}

/** Blocks whose earlier bytes have memory that is used again: more than a usual operation changes. */
const mostEarlier = 64;

export class DiskJournal {
  readonly #cache: WriteCache;
  readonly #rules: WriteRules;
  readonly #marks: WriteMarks | undefined;
  /** The transactions that run, the outermost first. */
  readonly #open: DiskTransaction[] = [];
  readonly #freed = new FreedRanges();
  #data = new Set<Disk>();
  #onDurable: (() => void)[] = [];
  #beforeCommit: () => void = () => {};
  /** Whether anything was changed since the last commit. */
  #isDirty = false;
  #isMarked = false;
  #isClosed = false;
  #failure: GuestfsError | undefined;
  #count = 0;
  #phase = 0;
  /** Memory for the earlier bytes of blocks, of which so many are in use. */
  readonly #earlier: Uint8Array[] = [];
  #earlierUsed = 0;

  constructor(cache: WriteCache, rules: WriteRules, marks?: WriteMarks) {
    this.#cache = cache;
    this.#rules = rules;
    this.#marks = marks;
  }

  /** How many blocks one {@link run} may change. What changes more has to be split, at points where each part is safe. */
  get most(): number {
    return this.#rules.most;
  }

  /** Whether the phases of a transaction matter: a crash may leave the one without the other. */
  get isOrdered(): boolean {
    return this.#rules.isOrdered;
  }

  /** For the transactions. */
  get phase(): number {
    return this.#phase;
  }

  /**
   * Runs `work`, which changes at most `blocks` blocks. A throw undoes all of it. Inside another run: a part of that,
   * which is undone alone if the other catches what it throws. Where space is wanting that earlier runs have freed,
   * they are committed, and `work` runs again.
   */
  run<T>(blocks: number, work: (transaction: DiskTransaction) => T): T {
    this.#checkUsable();
    if (this.#open.length > 0) return this.#attempt(work);
    if (blocks > this.most)
      throw new GuestfsError(
        'ENOSPC',
        `an operation that changes ${blocks} blocks of metadata at once has no room in the journal (most=${this.most})`,
      );
    if (!this.#rules.hasRoom(blocks)) this.commit();
    if (this.#cache.isFull) this.checkpoint();
    try {
      return this.#attempt(work);
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError && thrown.code === 'ENOSPC') || this.#freed.isEmpty) throw thrown;
      this.commit();
      return this.#attempt(work);
    }
  }

  /** The first range of blocks from `first` up to `end` that are freed, and may not be taken before the next commit. */
  freedIn(first: number, end: number): FreedRange | undefined {
    return this.#freed.find(first, end);
  }

  /**
   * What is still to be done to changed blocks before a commit writes them, checksums for example: once, however many
   * transactions changed them. It changes no others.
   */
  beforeCommit(work: () => void): void {
    this.#beforeCommit = work;
  }

  /** Tells the filesystem now that it is written, which the first commit does otherwise. */
  begin(): void {
    this.#settle(() => this.#begin());
  }

  /** All that ran before is durable. */
  commit(): void {
    this.#settle(() => this.#commit());
  }

  /** Commits, and writes blocks to their places. */
  checkpoint(): void {
    this.#settle(() => {
      this.#commit();
      if (this.#isMarked) this.#rules.checkpoint();
    });
  }

  /** The same, then tells the filesystem that this is the end, and gives up the cache. After a failure: only that. */
  close(): void {
    if (this.#isClosed) return;
    try {
      if (this.#failure === undefined) {
        this.checkpoint();
        const marks = this.#isMarked ? this.#marks : undefined;
        this.#settle(() => marks?.end());
      }
    } finally {
      this.#isClosed = true;
      this.#cache.clear();
    }
  }

  /** For the transactions. */
  checkInnermost(transaction: DiskTransaction): void {
    if (this.#open.at(-1) !== transaction) throw new Error('the transaction has ended, or a part of it runs');
  }

  /** For the transactions. Memory of its own for each block would cost more than all else that is done to it. */
  keep(bytes: Uint8Array): Uint8Array {
    // What is written in an order is kept until it is written.
    if (this.#rules.isOrdered || this.#earlierUsed >= mostEarlier) return bytes.slice();
    let copy = this.#earlier[this.#earlierUsed];
    if (copy === undefined || copy.length !== bytes.length) {
      copy = new Uint8Array(bytes.length);
      this.#earlier[this.#earlierUsed] = copy;
    }
    this.#earlierUsed++;
    copy.set(bytes);
    return copy;
  }

  /** For the transactions. */
  endPhase(): void {
    if (this.#rules.isOrdered) this.#phase++;
  }

  /** For the transactions. */
  noteFreed(first: number, count: number): void {
    this.#freed.add(first, count);
  }

  #attempt<T>(work: (transaction: DiskTransaction) => T): T {
    const outer = this.#open.at(-1);
    const transaction = new DiskTransaction(this, ++this.#count);
    if (outer === undefined) {
      this.#phase = 0;
      this.#earlierUsed = 0;
    }
    this.#open.push(transaction);
    try {
      const result = work(transaction);
      this.checkInnermost(transaction);
      if (outer !== undefined) outer.take(transaction);
      else this.#add(transaction);
      return result;
    } catch (thrown) {
      undisturbed(() => this.#undo(transaction));
      throw thrown;
    } finally {
      this.#open.pop();
    }
  }

  #add(transaction: DiskTransaction): void {
    this.#rules.add(transaction);
    for (const { first, count } of transaction.freed) this.#cache.drop(first, count);
    for (const disk of transaction.data) this.#data.add(disk);
    this.#onDurable.push(...transaction.whenDurable);
    if (transaction.changes.size > 0 || transaction.freed.length > 0) this.#isDirty = true;
  }

  #undo(transaction: DiskTransaction): void {
    for (const { first, count } of transaction.freed) this.#freed.remove(first, count);
    transaction.undo((number, before) => this.#cache.restore(number, before));
  }

  #begin(): void {
    if (!this.#isMarked) this.#marks?.begin();
    this.#isMarked = true;
  }

  #commit(): void {
    let hasData = false;
    for (const disk of this.#data) {
      if (disk === this.#cache.view || disk === this.#cache.disk) hasData = true;
      else disk.flush();
    }
    this.#data.clear();
    if (this.#isDirty) {
      this.#beforeCommit();
      this.#begin();
      this.#rules.commit(hasData);
    } else if (hasData) this.#cache.disk.flush();
    this.#isDirty = false;
    this.#freed.clear();
    const durable = this.#onDurable;
    this.#onDurable = [];
    for (const work of durable) work();
  }

  /** Work that is done whole, whatever the budgets of the call, or makes the journal unusable. */
  #settle(work: () => void): void {
    this.#checkUsable();
    if (this.#open.length > 0) throw new Error('a transaction cannot be committed while it runs');
    try {
      undisturbed(work);
    } catch (thrown) {
      this.#failure =
        thrown instanceof GuestfsError
          ? thrown
          : new GuestfsError('EIO', 'the journal failed', { cause: thrown });
      throw thrown;
    }
  }

  #checkUsable(): void {
    if (this.#isClosed) throw new Error('the journal is closed');
    if (this.#failure === undefined) return;
    const { code, bareMessage } = this.#failure;
    throw new GuestfsError(code, `nothing is written any more, since a write failed: ${bareMessage}`, {
      cause: this.#failure,
    });
  }
}
