/**
 * Names without Rock Ridge, as Linux's isofs shows them. ECMA-119 names are upper case with a version (`README.TXT;1`):
 * the option `map=normal`, which is the default, makes them lower case and drops version 1. Joliet's are UTF-16BE.
 */
import { decodeLatin1, decodeText } from '../../base/index.js';
import { flagDirectory } from './layout.js';
import type { DirectoryRecord } from './record.js';

const dot = 0x2e;
const semicolon = 0x3b;
const slash = 0x2f;
const digitOne = 0x31;

/** An ECMA-119 name in lower case, without `;1` and a dot before it; other semicolons, and slashes, become dots. */
export function translateName(raw: Uint8Array): string {
  const { length } = raw;
  const shown = new Uint8Array(length);
  let count = 0;
  for (; count < length; count++) {
    let byte = raw[count] as number; // safe: count < length
    if (byte === 0) break;
    if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
    const left = length - count;
    if (byte === dot && left === 3 && raw[count + 1] === semicolon && raw[count + 2] === digitOne) break;
    if (byte === semicolon && left === 2 && raw[count + 1] === digitOne) break;
    shown[count] = byte === semicolon || byte === slash ? dot : byte;
  }
  return decodeText(shown.subarray(0, count));
}

/**
 * A translated name with `map=acorn`: the system use area of RISC OS discs marks a `!` that was stored as `_`, and
 * has the file's type, which is appended as a comma and three digits.
 */
export function acornName(
  name: string,
  { systemUse, flags }: Pick<DirectoryRecord, 'systemUse' | 'flags'>,
): string {
  const mark = decodeLatin1(systemUse.subarray(0, 10));
  if (systemUse.length !== 32 || mark !== 'ARCHIMEDES') return name;
  const [low = 0, high = 0, stamp = 0] = systemUse.subarray(11, 14);
  const shown = name.startsWith('_') && ((systemUse[19] ?? 0) & 1) !== 0 ? `!${name.slice(1)}` : name;
  const hasType = (flags & flagDirectory) === 0 && stamp === 0xff && (high & 0xf0) === 0xf0;
  if (!hasType) return shown;
  return `${shown},${(((high & 0x0f) << 8) | low).toString(16).padStart(3, '0')}`;
}

/** An ECMA-119 name as it is stored (`map=off`), up to a NUL. */
export function rawName(raw: Uint8Array): string {
  return decodeText(raw);
}

/** A Joliet name, without `;1` and without trailing dots. Surrogates without their partner are dropped. */
export function decodeJolietName(raw: Uint8Array): string {
  let shown = '';
  const unitAt = (at: number) => ((raw[at] ?? 0) << 8) | (raw[at + 1] ?? 0);
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const unit = unitAt(at);
    if (unit === 0) break;
    if (unit < 0xd800 || unit > 0xdfff) shown += String.fromCharCode(unit);
    else if (unit < 0xdc00 && at + 3 < raw.length) {
      const second = unitAt(at + 2);
      if (second >= 0xdc00 && second <= 0xdfff) {
        shown += String.fromCharCode(unit, second);
        at += 2;
      }
    }
  }
  if (shown.length > 2 && shown.endsWith(';1')) shown = shown.slice(0, -2);
  while (shown.length >= 2 && shown.endsWith('.')) shown = shown.slice(0, -1);
  return shown;
}

/** The form for comparing Joliet's names: ASCII letters in lower case, without trailing dots. */
export function foldJolietName(name: string): string {
  return name.replace(/\.+$/, '').replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
