/** Decodes compressed pieces of images and filesystems: many at once, on several threads. */
import { type Codec, decodeUpTo } from './codecs.js';
import { DecoderPool } from './decoder-pool.js';
import { decodeInTurn, type EncodedUnit } from './encoded.js';
import { platform } from './platform.js';

/** A batch that is worth starting threads, which takes about 30 ms: as much work. */
const startUnits = 16;
const startBytes = 1024 * 1024;
/** A batch that is worth sharing with running threads. */
const shareUnits = 4;
const shareBytes = 128 * 1024;

/** How much longer decoding takes than by deflate; 0 where handing the bytes to another thread and back takes as long. */
const efforts: Readonly<Partial<Record<Codec, number>>> = { lznt1: 0, xz: 8, 'xz-file': 8, lzma: 8 };

let helpers: number | undefined;
let pool: DecoderPool | undefined;

/** How many threads may help this one to decode; by default one less than the number of processors, at most 3. */
export function setDecoderHelpers(count: number): void {
  endDecoders();
  helpers = count;
}

/** Ends this thread's decoder threads. Synchronous: they stop by themselves. The next large read starts new ones. */
export function endDecoders(): void {
  pool?.end();
  pool = undefined;
}

/**
 * Decodes units, many of them in parallel. `take` gets the bytes of each in any order; they are valid until it
 * returns. CorruptError with the place of a unit that cannot be decoded.
 */
export function decodeUnits(
  units: readonly EncodedUnit[],
  take: (bytes: Uint8Array, index: number) => void,
): void {
  const shared = poolFor(units);
  if (shared) shared.decode(units, take);
  else decodeInTurn(units, take);
}

/**
 * Has other threads decode units that are wanted soon, while this one does other things. The answer takes those, as
 * {@link decodeUnits} does; of units that were given up meanwhile, for more urgent ones, `take` hears nothing.
 * Undefined where no thread has time for them.
 */
export function decodeAhead(
  units: readonly EncodedUnit[],
  take: (bytes: Uint8Array, index: number) => void,
): (() => void) | undefined {
  return poolFor(units)?.decodeAhead(units, take);
}

/**
 * The contents of a piece whose size is not known, at most `most` bytes, decoded in this thread; valid until it decodes
 * more. CorruptError for anything else.
 */
export function decodeWhole(codec: Codec, packed: Uint8Array, most: number): Uint8Array {
  return decodeUpTo(codec, packed, most);
}

/** The pool, when this batch is worth it. */
function poolFor(units: readonly EncodedUnit[]): DecoderPool | undefined {
  helpers ??= Math.min(platform().processors, 4) - 1;
  if (helpers < 1 || units.length < 2 || pool?.isWorking) return undefined;
  // Units and bytes as deflate would have them.
  let count = 0;
  let bytes = 0;
  for (const { codec, decodedSize } of units) {
    const effort = efforts[codec] ?? 1;
    count += effort;
    bytes += effort * decodedSize;
  }
  if (pool?.isSpent) endDecoders();
  if (pool) return count >= shareUnits && bytes >= shareBytes && !pool.isAhead ? pool : undefined;
  if (count < startUnits || bytes < startBytes) return undefined;
  pool = new DecoderPool(helpers);
  return pool;
}
