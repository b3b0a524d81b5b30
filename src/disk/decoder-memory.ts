/**
 * The memory that decoder threads share with the thread that they serve, and the protocol in it.
 *
 * A unit's state goes empty → waiting → taken → decoded or failed. Only the serving side sets waiting, after the
 * unit's bytes and its row in the table are complete. The side that swaps waiting for taken decodes the unit. So a
 * helper that is late, or never comes, takes nothing, and nobody needs to wait for it.
 */
import type { Codec } from './codecs.js';

/** The most bytes of compressed units, and of decoded ones, in one window. */
export const windowBytes = 8 * 1024 * 1024;
/** Units in one window at most. */
export const windowUnits = 2048;

/** Words that all share; 32 bits each. */
const word = {
  /** Changed when there may be new work: helpers wait on it. */
  signal: 0,
  /** Changed when a helper has finished a unit: the serving thread waits on it. */
  finished: 1,
  /** Units in the present window so far. */
  count: 2,
  /** Set when helpers are to end. */
  quit: 3,
  /** 1: the zstd module is requested. 2: it is in the port. 3: it is not available. */
  zstd: 4,
  /** From here on one for each helper: 1 once it has ended. */
  ended: 8,
} as const;

export const maxHelpers = 8;
const headerWords = word.ended + maxHelpers;

const column = { state: 0, codec: 1, packedAt: 2, packedSize: 3, decodedAt: 4, decodedSize: 5 } as const;
const rowWords = 6;

export const unitState = { empty: 0, waiting: 1, taken: 2, decoded: 3, failed: 4 } as const;
export type UnitState = (typeof unitState)[keyof typeof unitState];

const codecs: readonly Codec[] = ['deflate', 'zlib', 'zstd'];

/** One side's view of the shared memory. Both sides make one over the same buffer. */
export class DecoderMemory {
  static readonly size = (headerWords + rowWords * windowUnits) * 4 + 2 * windowBytes;

  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;

  constructor(buffer = new SharedArrayBuffer(DecoderMemory.size)) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer, 0, headerWords + rowWords * windowUnits);
    this.#bytes = new Uint8Array(buffer, this.#words.byteLength);
  }

  // For the serving thread.

  /** Begins a window. All units of the last one must be finished. */
  begin(): void {
    Atomics.store(this.#words, word.count, 0);
  }

  /** Room for a unit's compressed bytes. */
  packedRoom(at: number, size: number): Uint8Array {
    return this.#bytes.subarray(at, at + size);
  }

  /** Offers the next unit, whose compressed bytes are in place. */
  offer(
    index: number,
    codec: Codec,
    packedAt: number,
    packedSize: number,
    decodedAt: number,
    decodedSize: number,
  ): void {
    const row = this.#row(index);
    this.#words[row + column.codec] = codecs.indexOf(codec);
    this.#words[row + column.packedAt] = packedAt;
    this.#words[row + column.packedSize] = packedSize;
    this.#words[row + column.decodedAt] = decodedAt;
    this.#words[row + column.decodedSize] = decodedSize;
    Atomics.store(this.#words, row + column.state, unitState.waiting);
    Atomics.store(this.#words, word.count, index + 1);
    this.#wakeHelpers();
  }

  /** Takes a unit back that no helper has begun. */
  withdraw(index: number): boolean {
    const at = this.#row(index) + column.state;
    return Atomics.compareExchange(this.#words, at, unitState.waiting, unitState.empty) === unitState.waiting;
  }

  /** Waits until a helper has finished a unit. False after `milliseconds`. */
  waitFor(index: number, milliseconds: number): boolean {
    for (;;) {
      const finished = Atomics.load(this.#words, word.finished);
      if (this.stateOf(index) !== unitState.taken) return true;
      if (Atomics.wait(this.#words, word.finished, finished, milliseconds) === 'timed-out') {
        return this.stateOf(index) !== unitState.taken;
      }
    }
  }

  stateOf(index: number): UnitState {
    return Atomics.load(this.#words, this.#row(index) + column.state) as UnitState; // safe: only these are stored
  }

  /** The bytes of a decoded unit; good until the next window. */
  decodedBytes(index: number): Uint8Array {
    const row = this.#row(index);
    return this.#decodedRoom(row);
  }

  quit(): void {
    Atomics.store(this.#words, word.quit, 1);
    this.#wakeHelpers();
  }

  hasEnded(helper: number): boolean {
    return Atomics.load(this.#words, word.ended + helper) === 1;
  }

  /** Requests the zstd module and waits for it. Returns whether it is in the port. */
  waitForZstd(milliseconds: number): boolean {
    Atomics.compareExchange(this.#words, word.zstd, 0, 1);
    this.#wakeHelpers();
    Atomics.wait(this.#words, word.zstd, 1, milliseconds);
    return Atomics.load(this.#words, word.zstd) === 2;
  }

  // For helpers.

  /** Takes the first unit that waits, from `from` on; −1 for none. */
  take(from: number): number {
    const count = Atomics.load(this.#words, word.count);
    for (let index = from; index < count; index++) {
      const at = this.#row(index) + column.state;
      if (
        Atomics.load(this.#words, at) === unitState.waiting &&
        Atomics.compareExchange(this.#words, at, unitState.waiting, unitState.taken) === unitState.waiting
      ) {
        return index;
      }
    }
    return -1;
  }

  /** What a taken unit is, and where its bytes go. */
  taken(index: number): { codec: Codec; packed: Uint8Array; room: Uint8Array } {
    const row = this.#row(index);
    const at = this.#words[row + column.packedAt] as number; // safe: index < windowUnits
    const size = this.#words[row + column.packedSize] as number; // safe: as above
    return {
      codec: codecs[this.#words[row + column.codec] as number] as Codec, // safe: offer() stored its index
      packed: this.#bytes.subarray(at, at + size),
      room: this.#decodedRoom(row),
    };
  }

  /** Tells that a taken unit is done with. */
  finish(index: number, state: typeof unitState.decoded | typeof unitState.failed): void {
    Atomics.store(this.#words, this.#row(index) + column.state, state);
    Atomics.add(this.#words, word.finished, 1);
    Atomics.notify(this.#words, word.finished);
  }

  /** The present value of the signal, for {@link waitForSignal}. */
  signal(): number {
    return Atomics.load(this.#words, word.signal);
  }

  /** Sleeps until the signal differs from `seen`. False if that did not happen. */
  waitForSignal(seen: number, milliseconds: number): boolean {
    return Atomics.wait(this.#words, word.signal, seen, milliseconds) !== 'timed-out';
  }

  get isQuitting(): boolean {
    return Atomics.load(this.#words, word.quit) === 1;
  }

  get isZstdAsked(): boolean {
    return Atomics.load(this.#words, word.zstd) === 1;
  }

  answerZstd(available: boolean): void {
    Atomics.store(this.#words, word.zstd, available ? 2 : 3);
    Atomics.notify(this.#words, word.zstd);
  }

  end(helper: number): void {
    Atomics.store(this.#words, word.ended + helper, 1);
  }

  #row(index: number): number {
    return headerWords + index * rowWords;
  }

  #decodedRoom(row: number): Uint8Array {
    const at = windowBytes + (this.#words[row + column.decodedAt] as number); // safe: row of an offered unit
    return this.#bytes.subarray(at, at + (this.#words[row + column.decodedSize] as number)); // safe: as above
  }

  #wakeHelpers(): void {
    Atomics.add(this.#words, word.signal, 1);
    Atomics.notify(this.#words, word.signal);
  }
}
