/**
 * Short (8.3) and long names, as Linux's vfat shows them with its defaults `shortname=mixed,codepage=437,utf8`.
 *
 * fatgen103, "Directory Structure" and "Long Directory Entries". Short names are stored in upper case; two bits,
 * introduced by Windows NT, mark a base or an extension that is shown in lower case. Long names are UTF-16LE, in
 * parts of 13 units, last part first; a checksum binds them to their short name.
 */
import { decodeByte, toLower } from './codepage437.js';
import { lowerCaseBase, lowerCaseExtension, nameKanji } from './layout.js';

/** How short names are shown: the values of the mount option `shortname`. */
export type ShortNameDisplay = 'lower' | 'win95' | 'winnt' | 'mixed';

/** One of a short name's two fields, without its trailing blanks. A NUL ends it. */
function decodeField(field: Uint8Array, lower: boolean): string {
  let shown = '';
  let length = 0;
  for (const byte of field) {
    if (byte === 0) break;
    shown += decodeByte(lower ? toLower(byte) : byte);
    if (byte !== 0x20) length = shown.length;
  }
  return shown.slice(0, length);
}

/** An 11-byte short name as shown; empty if it is blank. */
export function decodeShortName(name: Uint8Array, ntFlags: number, display: ShortNameDisplay): string {
  const always = display === 'lower';
  const byFlags = display === 'winnt' || display === 'mixed';
  const raw = name.slice(0, 11);
  if (raw[0] === nameKanji) raw[0] = 0xe5;
  const base = decodeField(raw.subarray(0, 8), always || (byFlags && (ntFlags & lowerCaseBase) !== 0));
  const extension = decodeField(
    raw.subarray(8, 11),
    always || (byFlags && (ntFlags & lowerCaseExtension) !== 0),
  );
  return extension === '' ? base : `${base}.${extension}`;
}

/** The checksum of a short name, which is stored in the parts of its long name. */
export function shortNameChecksum(name: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < 11; i++) sum = (((sum & 1) << 7) + (sum >> 1) + (name[i] ?? 0)) & 0xff;
  return sum;
}

/** The form for comparing names: ASCII letters in lower case, all else unchanged (vfat with `utf8`). */
export function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
