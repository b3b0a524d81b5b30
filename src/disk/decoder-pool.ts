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

/** Some threads and the memory shared with them. */
export class DecoderPool {
  readonly #memory: DecoderMemory;
  readonly #helpers: (DecoderThread | undefined)[];
  #lost = false;
  #working = false;

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

  /**
   * Decodes units; must not be called while it {@link isWorking}. `take` gets the bytes of each unit in any order;
   * they are valid until it returns.
   */
  decode(units: readonly EncodedUnit[], take: (bytes: Uint8Array, index: number) => void): void {
    this.#working = true;
    try {
      let first = 0;
      while (first < units.length && !this.#lost) first += this.#window(units, first, take);
      // Memory that a helper may still write to is used for no other window.
      for (; first < units.length; first++) take(decodeAlone(units[first] as EncodedUnit), first); // safe: just compared
    } finally {
      this.#working = false;
    }
  }

  /** Ends the threads. Each stops after its present unit; this does not wait. */
  end(): void {
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
  #window(
    units: readonly EncodedUnit[],
    first: number,
    take: (bytes: Uint8Array, index: number) => void,
  ): number {
    const memory = this.#memory;
    let count = 0;
    try {
      let packedAt = 0;
      let decodedAt = 0;
      let run: UnitRun | undefined;
      let runAt = 0;
      for (; first + count < units.length && count < windowUnits; count++) {
        const unit = units[first + count] as EncodedUnit; // safe: just compared
        if (decodedAt + unit.decodedSize > windowBytes) break;
        if (run === undefined || !isWithin(unit, run)) {
          run = runFrom(units, first + count);
          if (packedAt + run.size > windowBytes) break;
          run.disk.read(memory.packedRoom(packedAt, run.size), run.offset);
          runAt = packedAt;
          packedAt += Math.ceil(run.size / 8) * 8;
        }
        const at = runAt + unit.offset - run.offset;
        memory.offer(count, unit.codec, at, unit.size, decodedAt, unit.decodedSize, unit.shortfall);
        decodedAt += Math.ceil(unit.decodedSize / 8) * 8;
      }
      if (count === 0) {
        const unit = units[first] as EncodedUnit; // safe: first < units.length
        take(decodeAlone(unit), first);
        return 1;
      }
      for (let index = count - 1; index >= 0; index--) {
        if (memory.withdraw(index)) take(this.#decodeHere(index), first + index);
      }
      for (let index = 0; index < count; index++) this.#collect(index, units, first, take);
    } finally {
      // Units are left only after an error: memory that a helper may still write to must not be used again.
      for (let index = 0; index < count; index++) {
        if (memory.withdraw(index)) continue;
        if (memory.waitFor(index, this.#lost ? 0 : patienceMilliseconds) === 'unanswered') this.#lost = true;
      }
    }
    return count;
  }

  /** Passes on a helper's decoded units. A unit that failed is tried again here, which throws its error. */
  #collect(
    index: number,
    units: readonly EncodedUnit[],
    first: number,
    take: (bytes: Uint8Array, index: number) => void,
  ): void {
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
