/** UUIDs as text. RFC 9562 byte order, and the mixed order of GPT (its first three groups are little-endian). */

function format(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** 16 bytes in RFC order to lower-case text. */
export function formatUuid(bytes: Uint8Array): string {
  return format(Buffer.from(bytes.buffer, bytes.byteOffset, 16).toString('hex'));
}

/** 16 bytes in GPT's mixed order to upper-case text, as partitioning tools print it. */
export function formatGuid(bytes: Uint8Array): string {
  const swapped = Buffer.from(bytes.slice(0, 16));
  swapped.subarray(0, 4).swap32();
  swapped.subarray(4, 8).swap16();
  return format(swapped.toString('hex')).toUpperCase();
}
