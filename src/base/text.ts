/**
 * Names as bytes and as strings. Linux names are bytes, usually UTF-8; a byte 0xNN that is no valid UTF-8
 * becomes the lone surrogate U+DCNN, so that every name survives a round trip (the scheme of Python's PEP 383).
 */

import { compareBytes } from './bytes.js';
import { work } from './work.js';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes to a string; undecodable bytes become U+DC80…U+DCFF. Never fails. */
export function decodeText(bytes: Uint8Array): string {
  // Names are short and mostly ASCII: building the string directly is faster than a call of the decoder.
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

/**
 * Written as UTF-16 into one buffer. A string that is joined from pieces has an object for each piece, which for a
 * file of undecodable bytes takes thirty times the memory.
 */
function decodeEscaped(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length); // no sequence has more units than bytes
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const length = sequenceLength(bytes, at);
    if (length === 0) units[count++] = 0xdc00 + lead;
    else if (length === 1) units[count++] = lead;
    else {
      let code = lead & (0xff >> (length + 1));
      for (let i = 1; i < length; i++) code = (code << 6) | ((bytes[at + i] ?? 0) & 0x3f);
      if (code < 0x10000) units[count++] = code;
      else {
        units[count++] = 0xd7c0 + (code >> 10);
        units[count++] = 0xdc00 + (code & 0x3ff);
      }
    }
    at += Math.max(1, length);
  }
  return textOfUnits(units.subarray(0, count));
}

/**
 * Units that are converted at once: each is an argument of one call, and the stack has room for about ten thousand.
 */
const unitsAtOnce = 4096;

function textOfUnits(units: Uint8Array | Uint16Array): string {
  let text = '';
  for (let at = 0; at < units.length; at += unitsAtOnce)
    // safe: apply takes whatever has a length; a spread goes through an iterator, which takes six times as long
    text += String.fromCharCode.apply(null, units.subarray(at, at + unitsAtOnce) as unknown as number[]);
  return text;
}

const escaped = /[\udc80-\udcff]/;

const encoder = new TextEncoder();
/** At most this many bytes for each unit: a surrogate pair has two units and four bytes. */
const bytesOfUnit = 3;
/** `encode` allocates much memory for a name, so names are encoded into this buffer and then copied. */
const room = new Uint8Array(1024 * bytesOfUnit);

function encodePlain(text: string): Uint8Array<ArrayBuffer> {
  if (text.length * bytesOfUnit > room.length) return encoder.encode(text);
  return room.slice(0, encoder.encodeInto(text, room).written);
}

/** A string as bytes in a new array: the inverse of {@link decodeText}. */
export function encodeText(text: string): Uint8Array<ArrayBuffer> {
  if (!escaped.test(text)) return encodePlain(text);
  const bytes = new Uint8Array(text.length * bytesOfUnit);
  let length = 0;
  let plain = 0; // start of what is not yet encoded
  const flush = (end: number): void => {
    if (plain < end) length += encoder.encodeInto(text.slice(plain, end), bytes.subarray(length)).written;
  };
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit <= 0xdbff && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00)
      at++; // a pair: its second half is none of our escapes
    else if (unit >= 0xdc80 && unit <= 0xdcff) {
      flush(at);
      bytes[length++] = unit - 0xdc00;
      plain = at + 1;
    }
  }
  flush(text.length);
  return bytes.slice(0, length);
}

/** Bytes to a string of the same number of characters, each U+0000…U+00FF. */
export function decodeLatin1(bytes: Uint8Array): string {
  return textOfUnits(bytes);
}

/** The bytes up to the first NUL, as text: a fixed-size field of a name. */
export function decodePadded(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeText(end < 0 ? bytes : bytes.subarray(0, end));
}

/** Removes blanks at the end: only ASCII's, because fixed fields are filled with those. */
export function trimBlanks(text: string): string {
  return text.replace(/[ \t\n\v\f\r]+$/, '');
}

const surrogate = /[\ud800-\udfff]/;

/**
 * Compares as `strcmp` compares the encoded bytes. UTF-8 has the order of code points, and so has UTF-16 up to the
 * first surrogate: only names with a surrogate are encoded.
 */
export function compareBytewise(a: string, b: string): number {
  if (!surrogate.test(a) && !surrogate.test(b)) return a < b ? -1 : a > b ? 1 : 0;
  let at = 0;
  while (at < a.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  // Goes back to the first half of a pair. The next eight units then contain the four bytes in which the two differ.
  if ((a.charCodeAt(at - 1) & 0xfc00) === 0xd800) at--;
  return compareBytes(encodeText(a.slice(at, at + 8)), encodeText(b.slice(at, at + 8)));
}

/** This many texts are sorted in a few milliseconds. */
const quicklySorted = 10_000;

/**
 * Sorts texts in place by the bytes of {@link encodeText}. For many texts, each comparison counts as a step of the
 * call.
 */
export function sortBytewise(texts: string[]): string[] {
  // JavaScript's own order, by UTF-16 units, is the same unless there are surrogates.
  if (texts.length <= quicklySorted && !texts.some((text) => surrogate.test(text))) return texts.sort();
  return texts.sort((a, b) => {
    work.steps.spend(1);
    return compareBytewise(a, b);
  });
}
