/**
 * Decoder threads beside the calling one. The caller stays synchronous: it offers a window of units in shared memory,
 * decodes them from the last one down while the helpers go from the first one up, and at the end waits only for units
 * that helpers have taken. The caller never depends on helpers: one that starts slowly or has died takes no unit.
 */
import { decode } from './codecs.js';
import { DecoderMemory, maxHelpers, windowBytes, windowUnits } from './decoder-memory.js';
import { decodeAlone, type EncodedUnit, isWithin, runFrom, type UnitRun } from './encoded.js';
import { type DecoderThread, platform } from './platform.js';

/** A helper without work for this long ends. */
const idleMilliseconds = 5000;
/** A unit takes milliseconds; a helper that takes this long is given up. */
const patienceMilliseconds = 20_000;

type TakeUnit = (bytes: Uint8Array, index: number) => void;

/** Units that are in the shared memory, from the one of number `first` on. */
interface Window {
  readonly units: readonly EncodedUnit[];
  readonly first: number;
  readonly take: TakeUnit;
  count: number;
}

/** Some threads and the memory shared with them. */
export class DecoderPool {
  readonly #memory: DecoderMemory;
  readonly #helpers: (DecoderThread | undefined)[];
  #lost = false;
  #working = false;
  /** What helpers decode while this thread does other things. */
  #ahead: Window | undefined;

  constructor(helpers: number) {
    const count = Math.min(helpers, maxHelpers);
    this.#memory = new DecoderMemory(count);
    this.#helpers = new Array(count).fill(undefined);
    for (let index = 0; index < this.#helpers.length; index++) this.#start(index);
  }

  /** Whether the pool is useless: a helper hangs, or all have ended. */
  get isSpent(): boolean {
    return (
      this.#lost || this.#helpers.every((helper, index) => !helper || this.#memory.mailbox.hasLeft(index))
    );
  }

  /** Whether it is decoding: if the units are on a compressed disk, reading their bytes decodes others. */
  get isWorking(): boolean {
    return this.#working;
  }

  /** Whether helpers are busy with units that are wanted later, so that they would begin nothing else. */
  get isAhead(): boolean {
    return this.#ahead !== undefined && !this.#memory.mailbox.isFree(this.#ahead.count - 1);
  }

  /**
   * Decodes units; must not be called while it {@link isWorking}. `take` gets the bytes of each unit in any order;
   * they are valid until it returns.
   */
  decode(units: readonly EncodedUnit[], take: TakeUnit): void {
    this.#working = true;
    try {
      this.#endAhead();
      let first = 0;
      while (first < units.length && !this.#lost) first += this.#decodeWindow(units, first, take);
      // Memory that a helper may still write to is used for no other window.
      for (; first < units.length; first++) take(decodeAlone(units[first] as EncodedUnit), first); // safe: just compared
    } finally {
      this.#working = false;
    }
  }

  /**
   * Has helpers decode units, as many as there is room for, and returns at once. The answer takes them, as
   * {@link decode} does, which by then may have taken some, and given up the others.
   */
  decodeAhead(units: readonly EncodedUnit[], take: TakeUnit): () => void {
    const window: Window = { units, first: 0, take, count: 0 };
    this.#working = true;
    try {
      this.#endAhead();
      this.#offer(window);
      if (window.count > 0) this.#ahead = window;
    } finally {
      if (this.#ahead !== window) this.#release(window);
      this.#working = false;
    }
    return () => {
      if (this.#ahead !== window) return;
      this.#ahead = undefined;
      this.#working = true;
      try {
        this.#takeAll(window);
      } finally {
        this.#release(window);
        this.#working = false;
      }
    };
  }

  /** Ends the threads. Each stops after its present unit; this does not wait. */
  end(): void {
    this.#ahead = undefined;
    this.#memory.mailbox.close();
    for (const helper of this.#helpers) helper?.end();
    this.#helpers.fill(undefined);
  }

  #start(index: number): void {
    this.#helpers[index] = platform().startDecoder(
      {
        buffer: this.#memory.buffer,
        helpers: this.#helpers.length,
        helper: index,
        idleMilliseconds,
      },
      () => {
        this.#lost = true; // it may have died with a unit in hand
      },
      () => {
        this.#memory.mailbox.leave(index);
        this.#helpers[index] = undefined;
      },
    );
  }

  /** Decodes as many units from `first` on as fit into the shared memory, and returns their number. */
  #decodeWindow(units: readonly EncodedUnit[], first: number, take: TakeUnit): number {
    const window: Window = { units, first, take, count: 0 };
    try {
      this.#offer(window);
      if (window.count === 0) {
        const unit = units[first] as EncodedUnit; // safe: first < units.length
        take(decodeAlone(unit), first);
        return 1;
      }
      this.#takeAll(window);
    } finally {
      this.#release(window);
    }
    return window.count;
  }

  /** Offers as many units of a window as the shared memory has room for. */
  #offer(window: Window): void {
    const memory = this.#memory;
    const { units, first } = window;
    let packedAt = 0;
    let decodedAt = 0;
    let run: UnitRun | undefined;
    let runAt = 0;
    for (; first + window.count < units.length && window.count < windowUnits; window.count++) {
      const unit = units[first + window.count] as EncodedUnit; // safe: just compared
      if (decodedAt + unit.decodedSize > windowBytes) break;
      if (run === undefined || !isWithin(unit, run)) {
        run = runFrom(units, first + window.count);
        if (packedAt + run.size > windowBytes) break;
        run.disk.read(memory.packedRoom(packedAt, run.size), run.offset);
        runAt = packedAt;
        packedAt += Math.ceil(run.size / 8) * 8;
      }
      const at = runAt + unit.offset - run.offset;
      memory.offer(window.count, unit.codec, at, unit.size, decodedAt, unit.decodedSize, unit.shortfall);
      decodedAt += Math.ceil(unit.decodedSize / 8) * 8;
    }
  }

  /** Decodes here what no helper has begun, and passes on what the helpers decode. */
  #takeAll(window: Window): void {
    for (let index = window.count - 1; index >= 0; index--)
      if (this.#memory.withdraw(index)) window.take(this.#decodeHere(index), window.first + index);
    for (let index = 0; index < window.count; index++) this.#collect(index, window);
  }

  /** Units are left only after an error: memory that a helper may still write to must not be used again. */
  #release({ count }: Window): void {
    const memory = this.#memory;
    for (let index = 0; index < count; index++) {
      if (memory.withdraw(index)) continue;
      if (memory.waitFor(index, this.#lost ? 0 : patienceMilliseconds) === 'unanswered') this.#lost = true;
    }
  }

  /** Takes what was decoded ahead so far; what no helper has begun is left to whoever wants it. */
  #endAhead(): void {
    const window = this.#ahead;
    if (window === undefined) return;
    this.#ahead = undefined;
    const memory = this.#memory;
    for (let index = 0; index < window.count; index++) {
      if (memory.withdraw(index)) continue;
      const outcome = memory.waitFor(index, this.#lost ? 0 : patienceMilliseconds);
      if (outcome === 'unanswered') this.#lost = true;
      if (outcome === 'answered') window.take(memory.decodedBytes(index), index);
    }
  }

  /** Passes on a helper's decoded units. A unit that failed is tried again here, which throws its error. */
  #collect(index: number, { units, first, take }: Window): void {
    const memory = this.#memory;
    if (memory.isWithdrawn(index)) return; // done by this thread
    const outcome = this.#lost ? 'unanswered' : memory.waitFor(index, patienceMilliseconds);
    if (outcome === 'unanswered') this.#lost = true;
    if (outcome === 'answered') take(memory.decodedBytes(index), first + index);
    else take(decodeAlone(units[first + index] as EncodedUnit), first + index); // safe: it was offered from there
  }

  #decodeHere(index: number): Uint8Array {
    const { codec, packed, room, shortfall } = this.#memory.unit(index);
    return decode(codec, packed, room.length, shortfall);
  }
}
