/**
 * Names as bytes and as strings. Linux names are bytes, usually UTF-8; a byte 0xNN that is no valid UTF-8
 * becomes the lone surrogate U+DCNN, so that every name survives a round trip (the scheme of Python's PEP 383).
 */

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes to a string; undecodable bytes become U+DC80…U+DCFF. Never fails. */
export function decodeText(bytes: Uint8Array): string {
  // Names are short and mostly ASCII: building the string directly beats the decoder's call overhead.
  if (bytes.length <= 64) {
    let text = '';
    let i = 0;
    for (; i < bytes.length; i++) {
      const byte = bytes[i] as number; // safe: i < bytes.length
      if (byte >= 0x80) break;
      text += String.fromCharCode(byte);
    }
    if (i === bytes.length) return text;
  }
  try {
    return strict.decode(bytes);
  } catch {
    return decodeEscaped(bytes);
  }
}

/** The length of the valid UTF-8 sequence at `at`, or 0. Unicode 15, table 3-7. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length =
    lead >= 0xc2 && lead <= 0xdf
      ? 2
      : lead >= 0xe0 && lead <= 0xef
        ? 3
        : lead >= 0xf0 && lead <= 0xf4
          ? 4
          : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  const second = bytes[at + 1] ?? 0;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

function decodeEscaped(bytes: Uint8Array): string {
  let text = '';
  let valid = 0; // start of the run of valid sequences not yet decoded
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    if (valid < at) text += strict.decode(bytes.subarray(valid, at));
    text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
    valid = ++at;
  }
  return valid < bytes.length ? text + strict.decode(bytes.subarray(valid)) : text;
}

const escaped = /[\udc80-\udcff]/;

/** A string to bytes: the inverse of {@link decodeText}. */
export function encodeText(text: string): Uint8Array {
  if (!escaped.test(text)) return Buffer.from(text, 'utf8');
  const pieces: Uint8Array[] = [];
  let plain = '';
  // Iterating by code point keeps surrogate pairs whole, so a lone low surrogate is one of our escapes.
  for (const character of text) {
    const unit = character.charCodeAt(0);
    if (character.length === 1 && unit >= 0xdc80 && unit <= 0xdcff) {
      pieces.push(Buffer.from(plain, 'utf8'), Uint8Array.of(unit - 0xdc00));
      plain = '';
    } else plain += character;
  }
  pieces.push(Buffer.from(plain, 'utf8'));
  return Buffer.concat(pieces);
}

/** Bytes to a string of the same number of characters, each U+0000…U+00FF. */
export function decodeLatin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The bytes up to the first NUL, as text: a fixed-size field of a name. */
export function decodePadded(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeText(end < 0 ? bytes : bytes.subarray(0, end));
}

const surrogate = /[\ud800-\udfff]/;

/**
 * Compares as `strcmp` compares the encoded bytes. UTF-8 orders as code points do, and so do UTF-16 units up to the
 * first surrogate: only names that hold one are encoded.
 */
export function compareBytewise(a: string, b: string): number {
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(encodeText(a), encodeText(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorts texts by the bytes that {@link encodeText} makes of them, in place. */
export function sortBytewise(texts: string[]): string[] {
  // JavaScript's own order, by UTF-16 units, differs only where there are surrogates.
  return texts.some((text) => surrogate.test(text)) ? texts.sort(compareBytewise) : texts.sort();
}
