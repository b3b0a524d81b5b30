/**
 * The memory that decoder threads share with the thread that they serve: a mailbox, whose letters are the units of a
 * window, and the bytes of these units, compressed and decoded.
 */
import { type LetterOutcome, Mailbox, type MailboxShape } from '../base/index.js';
import type { Codec, Shortfall } from './codecs.js';

/** Bytes of compressed units, and of decoded ones, that one window holds at most. */
export const windowBytes = 8 * 1024 * 1024;
/** Units in one window at most. */
export const windowUnits = 2048;

export const maxHelpers = 8;

/**
 * Words of a unit's letter: codec, packedAt, packedSize, decodedAt, decodedSize, and its shortfall. Once it is decoded,
 * decodedSize is how many bytes came out.
 */
const unitWords = 6;
const decodedSizeWord = 4;

const shortfalls: readonly (Shortfall | undefined)[] = [undefined, 'zeroes', 'less'];

const codecs: readonly Codec[] = [
  'deflate',
  'zlib',
  'zstd',
  'xz',
  'xz-file',
  'lzma',
  'lz4',
  'lzo',
  'lzo-segments',
  'lznt1',
  'xpress',
  'lzx',
];

function shapeFor(helpers: number): MailboxShape {
  return { letters: windowUnits, words: unitWords, servers: helpers };
}

/**
 * Where the bytes of units begin, behind the mailbox. V8 copies into shared memory word by word only if both sides are
 * aligned; at other places it copies byte by byte, and a compressed image took a fifth more processor time.
 */
const bytesAt = (helpers: number): number => Math.ceil(Mailbox.sizeOf(shapeFor(helpers)) / 64) * 64;

/** A unit as it lies in the memory. */
export interface UnitBytes {
  readonly codec: Codec;
  readonly packed: Uint8Array;
  /** Where its decoded bytes go, all of them. */
  readonly room: Uint8Array;
  readonly shortfall: Shortfall | undefined;
}

/** What a helper has taken: a unit with where its bytes go. */
type Task = UnitBytes & { readonly letter: number };

/** One side's view of the shared memory. Both sides make one over the same buffer. */
export class DecoderMemory {
  readonly buffer: SharedArrayBuffer;
  readonly mailbox: Mailbox;
  readonly #bytes: Uint8Array;

  static sizeFor(helpers: number): number {
    return bytesAt(helpers) + 2 * windowBytes;
  }

  constructor(helpers: number, buffer = new SharedArrayBuffer(DecoderMemory.sizeFor(helpers))) {
    this.buffer = buffer;
    this.mailbox = new Mailbox(buffer, shapeFor(helpers));
    this.#bytes = new Uint8Array(buffer, bytesAt(helpers));
  }

  // For the serving thread. A unit is a number in the window. All units of the last window must be finished.

  /** Room for a unit's compressed bytes. */
  packedRoom(at: number, size: number): Uint8Array {
    return this.#bytes.subarray(at, at + size);
  }

  /** Offers the next unit, whose compressed bytes are in place. */
  offer(
    unit: number,
    codec: Codec,
    packedAt: number,
    packedSize: number,
    decodedAt: number,
    decodedSize: number,
    shortfall: Shortfall | undefined,
  ): void {
    const words = [codecs.indexOf(codec), packedAt, packedSize, decodedAt, decodedSize];
    this.mailbox.post(unit, [...words, shortfalls.indexOf(shortfall)]);
  }

  /** Takes a unit back that no helper has begun. */
  withdraw(unit: number): boolean {
    return this.mailbox.withdraw(unit);
  }

  /** Whether a unit was taken back. */
  isWithdrawn(unit: number): boolean {
    return this.mailbox.isEmpty(unit);
  }

  /** Waits until a unit that a helper took is done. */
  waitFor(unit: number, patienceInMs: number): LetterOutcome {
    return this.mailbox.wait(unit, { patienceInMs });
  }

  /** A unit that was offered, to be decoded by the serving thread itself. */
  unit(unit: number): UnitBytes {
    return this.#unitOf(unit);
  }

  /** The bytes of a decoded unit; good until the next window. */
  decodedBytes(unit: number): Uint8Array {
    return this.#unitOf(unit).room;
  }

  // For helpers.

  /** Takes the first thing to do from a letter on; undefined for nothing. */
  take(from: number, helper: number): Task | undefined {
    const letter = this.mailbox.take(from, helper);
    return letter < 0 ? undefined : { letter, ...this.#unitOf(letter) };
  }

  /** A taken unit is done: so many bytes of it are in its room, or undefined, where it cannot be decoded. */
  finish(letter: number, decodedSize: number | undefined): void {
    if (decodedSize !== undefined) this.mailbox.wordsOf(letter)[decodedSizeWord] = decodedSize;
    this.mailbox.answer(letter, decodedSize !== undefined);
  }

  #unitOf(letter: number): UnitBytes {
    // safe: offer() stored six words
    const words = this.mailbox.wordsOf(letter) as unknown as readonly [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const [codec, packedAt, packedSize, decodedAt, decodedSize, shortfall] = words;
    const at = windowBytes + decodedAt;
    return {
      codec: codecs[codec] as Codec, // safe: offer() stored its index
      packed: this.#bytes.subarray(packedAt, packedAt + packedSize),
      room: this.#bytes.subarray(at, at + decodedSize),
      shortfall: shortfalls[shortfall],
    };
  }
}
