/** Bracket expressions: POSIX.1-2017 9.3.5 in the C locale; undefined behaviour is as in GNU grep. */
import { type ByteSet, findClass, only } from './byte-set.js';

export interface Bracket {
  readonly set: ByteSet;
  readonly isNegated: boolean;
  /** Where the text goes on behind it. */
  readonly end: number;
}

/** One element: a single byte can begin or end a range. */
interface Element {
  readonly set: ByteSet;
  readonly byte: number | undefined;
  readonly end: number;
}

const [opening, closing, hyphen, colon, point, equals] = [...'[]-:.='].map((each) => each.charCodeAt(0));

/** The form of a byte for comparing without case. */
const upper = (byte: number): number => (byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte);

/** The bracket whose inside begins at `start`; for an invalid one, a text with the reason. */
export function readBracket(bytes: Uint8Array, start: number, isInsensitive: boolean): Bracket | string {
  const isNegated = bytes[start] === 0x5e;
  const first = isNegated ? start + 1 : start;
  const set: ByteSet = only();
  let hasOthers = false;
  for (let at = first; ; ) {
    const byte = bytes[at];
    if (byte === undefined) return 'a bracket has no end';
    if (byte === closing && at > first) {
      const inside = bytes.subarray(first, at);
      const isLoneClass =
        !hasOthers && inside[0] === colon && inside.at(-1) === colon && inside.some((each) => each !== colon);
      if (isLoneClass) return 'a class is written [[:name:]]: [:name:]';
      return { set, isNegated, end: at + 1 };
    }
    // A hyphen has no meaning unless it is first, last, or the end of a range.
    if (byte === hyphen && at > first && bytes[at + 1] !== closing) return 'a hyphen is out of place';
    const low = readElement(bytes, at);
    if (typeof low === 'string') return low;
    at = low.end;
    const isRange = low.byte !== undefined && bytes[at] === hyphen && bytes[at + 1] !== closing;
    hasOthers ||= isRange || low.byte === undefined;
    if (!isRange) {
      for (let each = 0; each < 256; each++) set[each] = (set[each] ?? 0) | (low.set[each] ?? 0);
      continue;
    }
    const high = readElement(bytes, at + 1);
    if (typeof high === 'string') return high;
    if (low.byte === undefined || high.byte === undefined) return 'a range has no bound';
    const isBackwards = isInsensitive ? upper(high.byte) < upper(low.byte) : high.byte < low.byte;
    if (isBackwards) return 'a range runs backwards';
    // In any case, `[a-Z]` is an empty range.
    if (low.byte <= high.byte) set.fill(1, low.byte, high.byte + 1);
    at = high.end;
  }
}

function readElement(bytes: Uint8Array, at: number): Element | string {
  const byte = bytes[at];
  if (byte === undefined) return 'a bracket has no end';
  const kind = bytes[at + 1];
  if (byte !== opening || (kind !== colon && kind !== point && kind !== equals)) {
    return { set: only(byte), byte, end: at + 1 };
  }
  let end = at + 2;
  while (end < bytes.length && !(bytes[end] === kind && bytes[end + 1] === closing)) end++;
  if (end >= bytes.length) return 'a class in a bracket has no end';
  const name = bytes.subarray(at + 2, end);
  if (kind === colon) {
    const set = findClass(String.fromCharCode(...name.subarray(0, 16)));
    return set === undefined ? 'a class has an unknown name' : { set, byte: undefined, end: end + 2 };
  }
  const [character] = name;
  if (character === undefined || name.length !== 1) return 'there is no such character';
  return { set: only(character), byte: kind === point ? character : undefined, end: end + 2 };
}
