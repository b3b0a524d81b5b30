/** Zstandard, of which a compressed unit may have several frames. Specification of frames: RFC 8878, section 3.1. */
import { decodeZstdFrame, findFrameEnd } from '../base/index.js';

/**
 * Decodes frames until `decodedSize` bytes are there, and ignores later bytes: a compressed cluster is stored with
 * whatever follows it in its last sector. With `isCut` there is one frame, of as many bytes at most. The bytes are
 * valid until more is decoded.
 */
export function decodeZstd(packed: Uint8Array, decodedSize: number, isCut = false): Uint8Array {
  let whole: Uint8Array | undefined;
  let produced = 0;
  for (let at = 0; ; ) {
    const { end, skippable } = findFrameEnd(packed, at);
    if (!skippable) {
      const piece = decodeZstdFrame(packed.subarray(at, end), decodedSize - produced);
      if (!whole && piece.length === decodedSize) return piece;
      whole ??= new Uint8Array(decodedSize);
      whole.set(piece, produced);
      produced += piece.length;
    }
    at = end;
    const isWhole = produced === decodedSize || at === packed.length;
    if (isWhole || (isCut && !skippable)) return (whole ?? new Uint8Array(0)).subarray(0, produced);
  }
}
