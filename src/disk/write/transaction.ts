/** What becomes true together, or not at all: in memory at once, on the disk by the rules of its journal. */
import type { Disk } from '../disk.js';
import type { Block } from './block.js';

/** What a transaction did to one block. */
export interface BlockChange {
  /** The bytes before; undefined if the block was as on the disk. */
  readonly before: Uint8Array | undefined;
  /** The phases in which it was changed first and last: see {@link DiskTransaction.barrier}. */
  first: number;
  last: number;
  /** Whether it began as zeroes, as nothing led to it before. */
  readonly isFresh: boolean;
}

/** What a block held at the end of a phase, where it was changed again in a later one. */
interface Version {
  readonly number: number;
  readonly phase: number;
  readonly bytes: Uint8Array;
}

/** Blocks that lie together. */
interface FreedBlocks {
  readonly first: number;
  readonly count: number;
}

/** What the transactions ask of their journal. */
interface Owner {
  /** Which part of the outermost transaction runs: barriers end one. */
  readonly phase: number;
  endPhase(): void;
  noteFreed(first: number, count: number): void;
  /** Only the innermost transaction may do anything. */
  checkInnermost(transaction: DiskTransaction): void;
  /** A copy of a block's bytes, which lives as long as the outermost transaction. */
  keep(bytes: Uint8Array): Uint8Array;
}

const none: readonly never[] = [];

function joined<T>(one: T[] | undefined, other: T[] | undefined): T[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  one.push(...other);
  return one;
}

/** A run of a journal, or a part of one. Begun and ended by the journal. */
export class DiskTransaction {
  readonly id: number;
  /**
   * Transactions of one kind, in a row, may be written together, phase by phase: nothing in a phase of one needs a later
   * phase of another. Without a kind, all of it is written after what ran before. Only the outermost's counts.
   */
  kind: string | undefined;
  readonly #journal: Owner;
  readonly #changes = new Map<number, BlockChange>();
  // Most transactions have none of these.
  #versions: Version[] | undefined;
  #freed: FreedBlocks[] | undefined;
  #after: Set<Disk> | undefined;
  #onUndo: (() => void)[] | undefined;
  #onDurable: (() => void)[] | undefined;

  constructor(journal: Owner, id: number) {
    this.#journal = journal;
    this.id = id;
  }

  get changes(): ReadonlyMap<number, Readonly<BlockChange>> {
    return this.#changes;
  }

  get versions(): readonly Version[] {
    return this.#versions ?? none;
  }

  get freed(): readonly FreedBlocks[] {
    return this.#freed ?? none;
  }

  /** Disks that must be flushed before this is durable. */
  get data(): Iterable<Disk> {
    return this.#after ?? none;
  }

  get whenDurable(): readonly (() => void)[] {
    return this.#onDurable ?? none;
  }

  /**
   * These blocks are free as soon as this transaction is durable: until then the journal's `freedIn` has them, and
   * nobody may take them. No changed copy of them is written any more.
   */
  free(first: number, count: number): void {
    this.#journal.checkInnermost(this);
    this.#journal.noteFreed(first, count);
    this.#freed ??= [];
    this.#freed.push({ first, count });
  }

  /** What was written to `disk` must be durable before this transaction is. */
  after(disk: Disk): void {
    this.#after ??= new Set();
    this.#after.add(disk);
  }

  /**
   * What was changed before this is on the disk before what is changed after it. Blocks that begin as zeroes come before
   * the rest of their phase, which may lead to them. It means nothing where a log makes all of it true at once.
   */
  barrier(): void {
    this.#journal.checkInnermost(this);
    this.#journal.endPhase();
  }

  /** Run when the transaction is undone, last first: for counters and hints in memory. */
  onUndo(work: () => void): void {
    this.#onUndo ??= [];
    this.#onUndo.push(work);
  }

  /** Run when it is durable. */
  onDurable(work: () => void): void {
    this.#onDurable ??= [];
    this.#onDurable.push(work);
  }

  /** For the cache: a block that is changed already is about to be changed. */
  note(block: Block, isFresh: boolean): void {
    this.#journal.checkInnermost(this);
    const { phase } = this.#journal;
    const known = this.#changes.get(block.number);
    if (known === undefined)
      this.#changes.set(block.number, {
        before: this.#journal.keep(block.bytes),
        first: phase,
        last: phase,
        isFresh,
      });
    else if (known.last < phase) {
      this.#addVersion({ number: block.number, phase: known.last, bytes: block.bytes.slice() });
      known.last = phase;
    }
  }

  /** For the cache: a block that is as on the disk is about to be changed. */
  noteNew(number: number, isFresh: boolean): void {
    this.#journal.checkInnermost(this);
    const { phase } = this.#journal;
    this.#changes.set(number, { before: undefined, first: phase, last: phase, isFresh });
  }

  /** For the journal: takes over what a part of this did. */
  take(part: DiskTransaction): void {
    for (const [number, change] of part.#changes) {
      const known = this.#changes.get(number);
      if (known === undefined) {
        this.#changes.set(number, change);
        continue;
      }
      if (change.first > known.last && change.before !== undefined)
        this.#addVersion({ number, phase: known.last, bytes: change.before });
      known.last = change.last;
    }
    for (const version of part.versions) this.#addVersion(version);
    this.#freed = joined(this.#freed, part.#freed);
    for (const disk of part.data) this.after(disk);
    this.#onUndo = joined(this.#onUndo, part.#onUndo);
    this.#onDurable = joined(this.#onDurable, part.#onDurable);
  }

  #addVersion(version: Version): void {
    this.#versions ??= [];
    this.#versions.push(version);
  }

  /** For the journal: makes all as it was. */
  undo(restore: (number: number, before: Uint8Array | undefined) => void): void {
    for (const [number, { before }] of this.#changes) restore(number, before);
    for (const work of this.#onUndo?.reverse() ?? none) work();
  }
}
