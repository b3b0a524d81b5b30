/**
 * Arrays of bytes: joining, comparing, and text forms. UUIDs are in the byte order of RFC 9562, or in the mixed order
 * of GPT, whose first three groups are little-endian.
 */

/** The pieces joined into a new array. */
export function concatBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** Orders as `memcmp` does; a prefix comes before the longer array. Below 0, 0 or above 0. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Two lower-case hexadecimal digits for each byte. */
export function encodeHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += digits[byte] ?? '';
  return text;
}

/** The bytes of hexadecimal digits, two for each byte; only for constants, so nothing is checked. */
export function decodeHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Base64 in the alphabet for URLs and without padding. RFC 4648, section 5. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');
}

function groups(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** 16 bytes in RFC order to lower-case text. */
export function formatUuid(bytes: Uint8Array): string {
  return groups(encodeHex(bytes.subarray(0, 16)));
}

/** 16 bytes in GPT's mixed order to upper-case text, as partitioning tools print it. */
export function formatGuid(bytes: Uint8Array): string {
  const swapped = new Uint8Array(bytes.subarray(0, 16));
  swapped.subarray(0, 4).reverse();
  swapped.subarray(4, 6).reverse();
  swapped.subarray(6, 8).reverse();
  return groups(encodeHex(swapped)).toUpperCase();
}

/** The bytes of a GUID in GPT's mixed order, from its text; undefined if the text is none. */
export function parseGuid(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const bytes = decodeHex(text.replaceAll('-', ''));
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
