/**
 * Blocks of metadata that are changed as a part of a journal's transaction. Whoever changes the filesystem does it
 * through this.
 */
import type { Block, DiskJournal, DiskTransaction, GatheredDisk, WriteCache } from '../../../disk/index.js';

/** Who keeps what was decoded of blocks. */
interface Owner {
  /** A block is about to be changed. */
  changing(number: number): void;
  /** A transaction was undone. */
  forgetAll(): void;
}

const blankly = { blank: true };

/** What has a checksum that is made before a transaction ends, in this order: those of bitmaps are in descriptors. */
const sealedKinds = ['block', 'descriptor', 'inode'] as const;
type SealedKind = (typeof sealedKinds)[number];

export class ChangeableBlocks {
  readonly #cache: WriteCache;
  readonly #journal: DiskJournal;
  readonly #seals: Readonly<Record<SealedKind, Map<number, () => void>>> = {
    block: new Map(),
    descriptor: new Map(),
    inode: new Map(),
  };
  readonly #owner: Owner;
  readonly #data: GatheredDisk | undefined;
  #transaction: DiskTransaction | undefined;

  /** `data`: what the contents of files are written to, if any are. */
  constructor(cache: WriteCache, journal: DiskJournal, owner: Owner, data?: GatheredDisk) {
    this.#cache = cache;
    this.#journal = journal;
    this.#owner = owner;
    this.#data = data;
  }

  /**
   * Runs `work` as a transaction that changes at most `blocks` blocks, or as a part of the one that runs. `kind` as in
   * {@link DiskTransaction.kind}.
   */
  run<T>(blocks: number, kind: string | undefined, work: () => T): T {
    if (this.#transaction !== undefined) return work();
    return this.#journal.run(blocks, (transaction) => {
      this.#transaction = transaction;
      transaction.kind = kind;
      const mark = this.#data?.mark;
      transaction.onUndo(() => {
        if (mark !== undefined) this.#data?.undo(mark);
        this.#owner.forgetAll();
      });
      for (const kind of sealedKinds) if (this.#seals[kind].size > 0) this.#seals[kind].clear();
      try {
        const result = work();
        this.#seal();
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
    for (const number of seals.keys()) if (number >= first && number < first + count) seals.delete(number);
  }

  /** The first range of blocks from `first` up to `end` that were freed, and may not be taken yet. */
  freedIn(first: number, end: number): { readonly first: number; readonly end: number } | undefined {
    return this.#journal.freedIn(first, end);
  }

  /** Runs `work`, which may change blocks, once before the transaction ends: for checksums. The last one counts. */
  seal(kind: SealedKind, number: number, work: () => void): void {
    this.#seals[kind].set(number, work);
  }

  /** What was changed before this is on the disk before what is changed after it. */
  barrier(): void {
    if (!this.#journal.isOrdered) return;
    this.#seal();
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

  #seal(): void {
    for (const kind of sealedKinds) {
      const seals = this.#seals[kind];
      if (seals.size === 0) continue;
      for (const work of seals.values()) work();
      seals.clear();
    }
  }
}
