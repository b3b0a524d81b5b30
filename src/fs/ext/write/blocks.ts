/**
 * Blocks of metadata that are changed as a part of a journal's transaction. Whoever changes the filesystem does it
 * through this.
 */
import type { Block, DiskJournal, DiskTransaction, GatheredDisk, WriteCache } from '../../../disk/index.js';

/** Who keeps what was decoded of blocks. */
interface Owner {
  /** Numbers of what was changed and has no right checksum yet. */
  unsealed(kind: SealedKind): Set<number>;
  /** A block is about to be changed. */
  changing(number: number): void;
  /** A transaction was undone. */
  forgetAll(): void;
}

const blankly = { blank: true };

/** What has a checksum that is made later, in this order: those of bitmaps are in descriptors. */
const sealedKinds = ['block', 'descriptor', 'inode'] as const;
type SealedKind = (typeof sealedKinds)[number];
/** Inodes are small and many: to remember them would cost more than their checksums do. */
const sealedAtOnce = ['inode'] as const;

/** By the number of a block, a group or an inode, what makes the checksum. */
type Seals = Readonly<Record<SealedKind, Map<number, () => void>>>;

const noSeals = (): Seals => ({ block: new Map(), descriptor: new Map(), inode: new Map() });

export class ChangeableBlocks {
  readonly #cache: WriteCache;
  readonly #journal: DiskJournal;
  /** Those of the transaction that runs, and of those that have ended since the last commit. */
  readonly #seals = noSeals();
  readonly #pending = noSeals();
  readonly #owner: Owner;
  readonly #data: GatheredDisk | undefined;
  #transaction: DiskTransaction | undefined;

  /** `data`: what the contents of files are written to, if any are. */
  constructor(cache: WriteCache, journal: DiskJournal, owner: Owner, data?: GatheredDisk) {
    this.#cache = cache;
    this.#journal = journal;
    this.#owner = owner;
    this.#data = data;
    journal.beforeCommit(() => this.seal());
  }

  /**
   * Runs `work` as a transaction that changes at most `blocks` blocks, or as a part of the one that runs. `kind` as in
   * {@link DiskTransaction.kind}.
   */
  run<T>(blocks: number, kind: string | undefined, work: () => T): T {
    if (this.#transaction !== undefined) return work();
    this.#postpone();
    return this.#journal.run(blocks, (transaction) => {
      this.#transaction = transaction;
      transaction.kind = kind;
      const mark = this.#data?.mark;
      transaction.onUndo(() => {
        if (mark !== undefined) this.#data?.undo(mark);
        this.#dropSeals();
        this.#owner.forgetAll();
      });
      try {
        const result = work();
        this.#make(this.#seals, this.#journal.isOrdered ? sealedKinds : sealedAtOnce);
        return result;
      } finally {
        this.#transaction = undefined;
      }
    });
  }

  /** How many blocks one transaction may change. */
  get most(): number {
    return this.#journal.most;
  }

  /** Whether a crash may leave a part of a transaction: what is before one of its barriers without what is behind. */
  get isOrdered(): boolean {
    return this.#journal.isOrdered;
  }

  /** For reading, until anything else is read or changed. */
  peek(number: number): Block {
    return this.#cache.peek(number);
  }

  /** For changing. `blank`: nothing leads to the block yet, and it begins as zeroes. */
  change(number: number, blank = false): Block {
    this.#owner.changing(number);
    return this.#cache.change(this.#running, number, blank ? blankly : {});
  }

  /** These blocks are not used any more, as metadata or as data. */
  free(first: number, count: number): void {
    this.#running.free(first, count);
    const { block: seals } = this.#seals;
    for (const number of seals.keys())
      if (number >= first && number < first + count) this.#dropSeal('block', number);
  }

  /** The first range of blocks from `first` up to `end` that were freed, and may not be taken yet. */
  freedIn(first: number, end: number): { readonly first: number; readonly end: number } | undefined {
    return this.#journal.freedIn(first, end);
  }

  /**
   * Makes a checksum later by `work`, the last one given, which gets blocks by {@link toSeal}: before the transaction
   * ends, where a crash may leave a part of it, and else, but for inodes, once for many of them, before the commit.
   */
  sealLater(kind: SealedKind, number: number, work: () => void): void {
    this.#owner.unsealed(kind).add(number);
    (this.#transaction === undefined ? this.#pending : this.#seals)[kind].set(number, work);
  }

  /** A changed block, to put a checksum into; undefined for one that was given back, or is as it was. */
  toSeal(number: number): Block | undefined {
    return this.#transaction === undefined ? this.#cache.changed.get(number) : this.change(number);
  }

  /** Makes all checksums that are still to be made. */
  seal(): void {
    this.#postpone();
    this.#make(this.#pending);
  }

  /** What was changed before this is on the disk before what is changed after it. */
  barrier(): void {
    if (!this.#journal.isOrdered) return;
    this.#make(this.#seals);
    this.#running.barrier();
  }

  onUndo(work: () => void): void {
    this.#running.onUndo(work);
  }

  onDurable(work: () => void): void {
    this.#running.onDurable(work);
  }

  /** Data was written past the cache, which the transaction leads to. */
  wroteData(): void {
    // What is gathered is written out, and the barrier below it is one with the journal's own.
    if (this.#data !== undefined) this.#running.after(this.#data);
    this.#running.after(this.#cache.view);
  }

  get #running(): DiskTransaction {
    if (this.#transaction === undefined) throw new Error('blocks are changed in transactions alone');
    return this.#transaction;
  }

  #make(all: Seals, kinds: readonly SealedKind[] = sealedKinds): void {
    for (const kind of kinds) {
      const seals = all[kind];
      if (seals.size === 0) continue;
      const unsealed = this.#owner.unsealed(kind);
      for (const [number, work] of seals) {
        work();
        unsealed.delete(number);
      }
      seals.clear();
    }
  }

  /** Those of the transaction before, which has ended well. */
  #postpone(): void {
    for (const kind of sealedKinds) {
      const seals = this.#seals[kind];
      if (seals.size === 0) continue;
      for (const [number, work] of seals) this.#pending[kind].set(number, work);
      seals.clear();
    }
  }

  #dropSeals(): void {
    for (const kind of sealedKinds)
      for (const number of this.#seals[kind].keys()) this.#dropSeal(kind, number);
  }

  /** Of the transaction that runs; what was unsealed before it stays so. */
  #dropSeal(kind: SealedKind, number: number): void {
    this.#seals[kind].delete(number);
    if (!this.#pending[kind].has(number)) this.#owner.unsealed(kind).delete(number);
  }
}
