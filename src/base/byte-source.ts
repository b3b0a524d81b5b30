/** Bytes that can be read at any offset, and bounded reads of them. Every disk is such a source. */

export interface ByteSource {
  /** In bytes. */
  readonly size: number;
  /** Fills all of `into` from `offset`. The caller keeps within the size. */
  read(into: Uint8Array, offset: number): void;
}

/** The bytes at `offset`; undefined unless all of them lie in the source. */
export function readMaybe(
  source: ByteSource,
  offset: number,
  length: number,
): Uint8Array<ArrayBuffer> | undefined {
  // The comparison is written so that a NaN offset is refused.
  if (!(offset >= 0 && offset + length <= source.size)) return undefined;
  const bytes = new Uint8Array(length);
  source.read(bytes, offset);
  return bytes;
}

/** Up to `length` bytes at `offset`: fewer at the end of the source, none outside it. */
export function readUpTo(source: ByteSource, offset: number, length: number): Uint8Array<ArrayBuffer> {
  if (!(offset >= 0 && offset < source.size)) return new Uint8Array(0);
  const bytes = new Uint8Array(Math.min(length, source.size - offset));
  source.read(bytes, offset);
  return bytes;
}

/** Bytes in memory as a source. Reads outside them leave `into` unchanged. */
export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (into, offset) => into.set(bytes.subarray(offset, offset + into.length)),
  };
}
