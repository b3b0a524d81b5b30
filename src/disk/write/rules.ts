/** The two rules without a log: no order at all, for what is only being made, and the order that a driver gives. */
import { type PlacedBytes, writeBlocks } from './blocks.js';
import type { WriteCache } from './cache.js';
import { DiskJournal, type WriteMarks, type WriteRules } from './journal.js';
import type { BlockChange, DiskTransaction } from './transaction.js';

/** For what is only being made: blocks are written in the order of their numbers, when memory is full or at a commit. */
export function directJournal(cache: WriteCache, marks?: WriteMarks): DiskJournal {
  return new DiskJournal(cache, new DirectRules(cache), marks);
}

/**
 * In the order of the barriers of each transaction, and one transaction after another, but for those of one kind. Of a
 * block that has to be written before something and again after it, both contents are written.
 */
export function orderedJournal(cache: WriteCache, marks?: WriteMarks): DiskJournal {
  return new DiskJournal(cache, new OrderedRules(cache), marks);
}

class DirectRules implements WriteRules {
  readonly most = Number.POSITIVE_INFINITY;
  readonly isOrdered = false;
  readonly #cache: WriteCache;

  constructor(cache: WriteCache) {
    this.#cache = cache;
  }

  hasRoom(): boolean {
    return true;
  }

  add(): void {}

  commit(): void {
    this.#cache.write();
    this.#cache.disk.flush();
  }

  checkpoint(): void {}
}

/** Stages of writing between two commits, at most: each costs a barrier. */
const stageLimit = 64;

/** Writes blocks in stages, with a barrier behind each. */
class OrderedRules implements WriteRules {
  readonly most = Number.POSITIVE_INFINITY;
  readonly isOrdered = true;
  readonly #cache: WriteCache;
  /** Of each stage its blocks: with the bytes that they have then, or undefined for those that the cache has. */
  #stages: Map<number, Uint8Array | undefined>[] = [];
  /** The last stage of each block. */
  readonly #lastStage = new Map<number, number>();
  /** Of the transactions that are written together at the end of the stages: their kind, and their first stage. */
  #kind: string | undefined;
  #kindBase = 0;

  constructor(cache: WriteCache) {
    this.#cache = cache;
    cache.keeps((number) => this.#stages.flatMap((stage) => stage.get(number) ?? []));
  }

  hasRoom(): boolean {
    return this.#stages.length < stageLimit;
  }

  add({ kind, changes, versions, freed }: DiskTransaction): void {
    if (kind === undefined || kind !== this.#kind) this.#kindBase = this.#stages.length;
    this.#kind = kind;
    // Blocks to which nothing leads yet come a stage before the rest of their phase, which leads to them.
    const shift = [...changes.values()].some(({ isFresh }) => isFresh) ? 1 : 0;
    const stageIn = (phase: number, { first, isFresh }: Readonly<BlockChange>): number =>
      isFresh && phase === first ? phase : phase + shift;
    // The first stage of the transaction: no block may come to be written before what is known of it already.
    let base = this.#kindBase;
    for (const [number, change] of changes)
      base = Math.max(base, (this.#lastStage.get(number) ?? 0) - stageIn(change.first, change));
    for (const [number, change] of changes) {
      const known = this.#lastStage.get(number);
      const last = base + stageIn(change.last, change);
      if (known !== undefined && known < base + stageIn(change.first, change))
        this.#stages[known]?.set(number, change.before);
      this.#stage(last).set(number, undefined);
      this.#lastStage.set(number, last);
    }
    for (const { number, phase, bytes } of versions) {
      const change = changes.get(number);
      if (change !== undefined) this.#stage(base + stageIn(phase, change)).set(number, bytes);
    }
    // What stages before were to write of a freed block is written all the same: what leads to it may come later.
    for (const { first, count } of freed) this.#freeze(first, count);
  }

  commit(hasData: boolean): void {
    const { disk, blockSize } = this.#cache;
    if (hasData) disk.flush();
    for (const stage of this.#stages) {
      const blocks: PlacedBytes[] = [];
      for (const [number, then] of stage) {
        const bytes = then ?? this.#cache.changed.get(number)?.bytes;
        if (bytes !== undefined) blocks.push({ start: number * blockSize, bytes });
      }
      if (blocks.length === 0) continue;
      writeBlocks(disk, blocks);
      disk.flush();
    }
    this.#stages = [];
    this.#lastStage.clear();
    this.#kind = undefined;
    this.#cache.settle();
  }

  checkpoint(): void {}

  #stage(index: number): Map<number, Uint8Array | undefined> {
    while (this.#stages.length <= index) this.#stages.push(new Map());
    return this.#stages[index] as Map<number, Uint8Array | undefined>; // safe: made just now
  }

  #freeze(first: number, count: number): void {
    const each = (number: number): void => {
      const stage = this.#lastStage.get(number);
      const block = this.#cache.changed.get(number);
      if (stage !== undefined && block !== undefined) this.#stages[stage]?.set(number, block.bytes);
    };
    if (count > this.#lastStage.size) {
      for (const number of this.#lastStage.keys())
        if (number >= first && number < first + count) each(number);
    } else for (let number = first; number < first + count; number++) each(number);
  }
}
