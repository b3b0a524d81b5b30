/** Names of keys and values as they are stored, and the order and the hashes by which Windows finds keys. */
import { GuestfsError, viewOf } from '../../base/index.js';

/** What a length of 16 bits can tell. */
const longestName = 0xffff;

interface HiveName {
  readonly bytes: Uint8Array;
  /** A byte for each character; otherwise two for each unit. */
  readonly isLatin1: boolean;
  /** In UTF-16, in bytes. */
  readonly wideLength: number;
}

function encodeUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  const view = viewOf(bytes);
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), true);
  return bytes;
}

/** EINVAL for a text that no name can be. */
export function encodeName(name: string): HiveName {
  if (/\p{Surrogate}/u.test(name)) throw new GuestfsError('EINVAL', `${name}: a name has to be UTF-8`);
  const wide = encodeUtf16(name);
  const isLatin1 = !/[^\0-\u00ff]/.test(name);
  const bytes = isLatin1 ? wide.filter((_, i) => i % 2 === 0) : wide;
  if (bytes.length > longestName) throw new GuestfsError('EINVAL', 'the name is too long for a registry');
  return { bytes, isLatin1, wideLength: wide.length };
}

/** In upper case, unit by unit, where that is one unit. */
export function upperCase(name: string): string {
  let folded = '';
  for (let i = 0; i < name.length; i++) {
    const upper = name.charAt(i).toUpperCase();
    folded += upper.length === 1 ? upper : name.charAt(i);
  }
  return folded;
}

const four = 4;
const factor = 37;

/** What stands behind a key's offset in a list of a kind: the beginning of its name, a hash of it, or nothing. */
export function hintOf(kind: string, name: string): Uint8Array {
  if (kind === 'li') return new Uint8Array(0);
  const hint = new Uint8Array(four);
  if (kind === 'lf') hint.set(encodeName(name).bytes.subarray(0, four));
  else {
    let hash = 0;
    const upper = upperCase(name);
    for (let i = 0; i < upper.length; i++) hash = (hash * factor + upper.charCodeAt(i)) % 2 ** 32;
    const at = 0;
    viewOf(hint).setUint32(at, hash, true);
  }
  return hint;
}
