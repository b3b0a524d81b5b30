/** Sets of bytes: the bytes that one place of an expression matches. In the C locale, a character is a byte. */

/** A one for each byte in it. */
export type ByteSet = Uint8Array;

export function only(...bytes: readonly number[]): ByteSet {
  const set = new Uint8Array(256);
  for (const byte of bytes) set[byte] = 1;
  return set;
}

export const not = (set: ByteSet): ByteSet => set.map((bit) => 1 - bit);

const inRange = (set: ByteSet, first: string, last: string): ByteSet =>
  set.fill(1, first.charCodeAt(0), last.charCodeAt(0) + 1);

/** The same letters in both cases as well. */
export function withCases(set: ByteSet): ByteSet {
  const both = set.slice();
  for (let upper = 0x41; upper <= 0x5a; upper++) {
    both[upper] = both[upper + 0x20] = (set[upper] ?? 0) | (set[upper + 0x20] ?? 0);
  }
  return both;
}

/** Characters, and ranges of two. */
const classes: Readonly<Record<string, readonly string[]>> = {
  alnum: ['09', 'AZ', 'az'],
  alpha: ['AZ', 'az'],
  blank: ['\t', ' '],
  cntrl: ['\0\x1f', '\x7f'],
  digit: ['09'],
  graph: ['!~'],
  lower: ['az'],
  print: [' ~'],
  punct: ['!/', ':@', '[`', '{~'],
  space: ['\t\r', ' '],
  upper: ['AZ'],
  xdigit: ['09', 'AF', 'af'],
};

/** The class `[:name:]`, or `word`; undefined for an unknown name. */
export function findClass(name: string): ByteSet | undefined {
  if (!Object.hasOwn(classes, name)) return undefined;
  const set = new Uint8Array(256);
  for (const range of classes[name] ?? []) inRange(set, range.charAt(0), range.charAt(range.length - 1));
  return set;
}

/** The class of blanks, or that of letters, digits and the underscore. */
export function named(name: 'word' | 'space'): ByteSet {
  if (name === 'space') return inRange(only(0x20), '\t', '\r');
  return inRange(inRange(inRange(only(0x5f), '0', '9'), 'A', 'Z'), 'a', 'z');
}
