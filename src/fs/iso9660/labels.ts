/**
 * The texts of volume descriptors. Joliet's fields are UTF-16BE, so they hold half as many characters as those of the
 * primary descriptor. If the two agree as far as Joliet's text goes, blkid (util-linux 2.38) takes the rest from the
 * primary one.
 */
import { decodeLatin1, decodePadded, trimBlanks } from '../../base/index.js';

/** A fixed field without its trailing blanks, up to a NUL. */
export const trimField = (raw: Uint8Array): string => trimBlanks(decodePadded(raw));

/** UTF-16BE up to a NUL. */
function decodeUtf16(raw: Uint8Array): string {
  let text = '';
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const unit = ((raw[at] ?? 0) << 8) | (raw[at + 1] ?? 0);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  // A surrogate without its partner becomes its three bytes, as in blkid: each an escape, see decodeText.
  return text.replace(/[\ud800-\udfff]/gu, (unit) => {
    const code = unit.charCodeAt(0);
    return String.fromCharCode(0xdced, 0xdc80 | ((code >> 6) & 0x3f), 0xdc80 | (code & 0x3f));
  });
}

/**
 * Two characters combined: `_` gives way, because it replaces what a field cannot hold; and lower case is preferred.
 */
function mergeCharacter(plain: string, joliet: string): string | undefined {
  if (plain === '_' || plain === joliet) return joliet;
  if (joliet === '_') return plain;
  const lower = /^[A-Z]$/.test(plain) ? plain.toLowerCase() : plain;
  if (lower === joliet) return joliet;
  return /^[A-Z]$/.test(joliet) && joliet.toLowerCase() === plain ? plain : undefined;
}

/**
 * A field from both descriptors: Joliet's text, continued by the primary one's if they agree. Trailing blanks are
 * kept.
 */
export function mergeField(plain: Uint8Array, joliet: Uint8Array): string {
  const text = decodeUtf16(joliet);
  let merged = '';
  let at = 0;
  for (const character of text) {
    const other = String.fromCharCode(plain[at++] ?? 0);
    const one = mergeCharacter(other, character);
    if (one === undefined) return text;
    merged += one;
  }
  // A NUL ended Joliet's text, so nothing confirms the rest.
  if (text.length * 2 < joliet.length - 1) return text;
  // As in blkid, other characters than ASCII are taken as Latin-1.
  return merged + decodeLatin1(plain.subarray(at)).replace(/\0.*$/s, '');
}
