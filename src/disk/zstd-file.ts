/** Unpacks a whole .zst file: frames one after the other, whose sizes may be missing. RFC 8878, section 3.1. */
import {
  CorruptError,
  concatBytes,
  decodeZstdFrame,
  endsCall,
  findFrameEnd,
  frameBeginning,
  UnsupportedError,
  work,
} from '../base/index.js';

/**
 * The contents of a zstd file, at most `limit` bytes. UnsupportedError, before anything is decoded, for a file that
 * could hold more by its block headers. CorruptError for other formats and damage.
 */
export function decodeZstdFile(packed: Uint8Array, limit: number): Uint8Array {
  const frames: { start: number; end: number; mostContent: number }[] = [];
  let most = 0;
  for (let start = 0; start < packed.length; ) {
    const { end, skippable, mostContent } = findFrameEnd(packed, start);
    if (!skippable) frames.push({ start, end, mostContent });
    most += skippable ? 0 : mostContent;
    start = end;
  }
  if (most > limit) throw new UnsupportedError('zstd file', [`expanding to more than ${limit} bytes`]);
  const pieces = frames.map(({ start, end, mostContent }) => {
    try {
      return decodeZstdFrame(packed.subarray(start, end), mostContent).slice();
    } catch (cause) {
      throw new CorruptError('zstd file', (cause as Error).message, { offset: start }, { cause });
    }
  });
  // A single frame, the usual case, needs no copy.
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : concatBytes(pieces);
}

/** What the blocks that are decoded for a beginning may hold at most, in bytes. */
const beginningLimit = 1024 * 1024;

/**
 * The beginning of the contents of a zstd file: its first blocks, which may be more than wanted. Later blocks are not
 * read, and may be missing.
 */
export function decodeZstdBeginning(packed: Uint8Array): Uint8Array {
  let start = 0;
  for (;;) {
    const beginning = frameBeginning(packed, start, beginningLimit);
    if (beginning.frame === undefined) start = beginning.end;
    else {
      try {
        return decodeZstdFrame(beginning.frame, beginning.mostContent).slice();
      } catch (cause) {
        throw new CorruptError('zstd file', (cause as Error).message, { offset: start }, { cause });
      }
    }
    if (start >= packed.length) return new Uint8Array(0);
  }
}

/**
 * The contents of a zstd file, a frame at a time, with where the frame ends. UnsupportedError for a frame that could
 * hold more than `limit` bytes by its block headers.
 */
export function* decodeZstdFrames(
  packed: Uint8Array,
  limit: number,
): Generator<{ readonly bytes: Uint8Array; readonly end: number }, void> {
  for (let start = 0; start < packed.length; ) {
    work.entries.spend(1);
    const { end, skippable, mostContent } = findFrameEnd(packed, start);
    if (mostContent > limit)
      throw new UnsupportedError('zstd file', [`frames that expand to more than ${limit} bytes`]);
    if (!skippable) {
      try {
        yield { bytes: decodeZstdFrame(packed.subarray(start, end), mostContent), end };
      } catch (cause) {
        if (endsCall(cause)) throw cause;
        throw new CorruptError('zstd file', (cause as Error).message, { offset: start }, { cause });
      }
    }
    start = end;
  }
}
