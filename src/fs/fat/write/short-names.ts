/**
 * The short name of a file, as Linux's vfat makes it (fs/fat/namei_vfat.c, vfat_create_shortname): a name in upper
 * case that fits is its own short name; else `~1` to `~9` behind the first six letters. Then the kernel takes digits of
 * the clock; here they are of a hash of the name, so that the same names give the same bytes.
 */
import { GuestfsError, systemError } from '../../../base/index.js';
import { encodeCharacter, toUpper } from '../codepage437.js';
import { lowerCaseBase, lowerCaseExtension, nameDeleted, nameKanji, unitsPerLongEntry } from '../layout.js';

/** A long name has at most so many UTF-16 units. */
const longest = 255;
const baseLength = 8;
const nameLength = 11;

/** What is to be stored of a name. */
export interface StoredName {
  /** Eleven bytes. */
  readonly short: Uint8Array;
  readonly ntFlags: number;
  /** The long name; undefined where the short one says all. */
  readonly long: string | undefined;
}

/** A name without the dots at its end, which FAT does not store. ENOENT, EINVAL and ENAMETOOLONG as in the kernel. */
export function storableName(name: string): string {
  const stripped = name.replace(/\.+$/, '');
  if (stripped === '') throw systemError('ENOENT', name);
  if (stripped.length > longest) throw systemError('ENAMETOOLONG', name);
  if (stripped.endsWith(' '))
    throw new GuestfsError('EINVAL', `${name}: FAT allows no blank at the end of names`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what FAT forbids
  if (/[\x00-\x1f*?<>|":/\\]/.test(stripped))
    throw new GuestfsError(
      'EINVAL',
      `${name}: FAT allows none of * ? < > | " : \\ in names, and no control characters`,
    );
  // A lone surrogate stands for a byte that is not UTF-8.
  if (!isWellFormed(stripped))
    throw new GuestfsError('EINVAL', `${name}: not UTF-8, which names on FAT have to be`);
  return stripped;
}

const isWellFormed = (text: string): boolean => !/[\ud800-\udfff]/u.test(text);

/** One of the two parts of a short name. */
class Part {
  readonly bytes: number[] = [];
  /** Nothing was left out or replaced. */
  isExact = true;
  isLower = true;
  isUpper = true;

  /** Adds a character if it fits into `room` bytes; false if it does not. */
  add(character: string, room: number): boolean {
    if (character === '.' || character === ' ') {
      this.isExact = false;
      return true;
    }
    if (this.bytes.length >= room) return false;
    this.bytes.push(this.#byteOf(character));
    return true;
  }

  #byteOf(character: string): number {
    const byte = '[];,+='.includes(character) ? undefined : encodeCharacter(character);
    if (byte === undefined) {
      this.isExact = false;
      return '_'.charCodeAt(0);
    }
    const upper = toUpper(byte);
    // The kernel trusts the case of ASCII's letters alone.
    if (byte >= 0x7f) this.isLower = this.isUpper = false;
    else if (byte !== upper) this.isUpper = false;
    else if (/[A-Z]/.test(character)) this.isLower = false;
    return upper;
  }
}

/** The two parts of a name. A dot at its start, or behind nothing but dots and blanks, begins no extension. */
function split(name: string): { readonly base: string; readonly extension: string } {
  const dot = name.lastIndexOf('.');
  if (dot < 0 || /^[. ]*$/.test(name.slice(0, dot))) return { base: name, extension: '' };
  return { base: name.slice(0, dot), extension: name.slice(dot + 1) };
}

function fill(part: Part, text: string, room: number): void {
  for (let i = 0; i < text.length; i++)
    if (!part.add(text.charAt(i), room)) {
      part.isExact = false;
      return;
    }
}

function joined(base: readonly number[], extension: readonly number[]): Uint8Array {
  const short = new Uint8Array(nameLength).fill(0x20);
  short.set(base.slice(0, baseLength));
  short.set(extension, baseLength);
  if (short[0] === nameDeleted) short[0] = nameKanji;
  return short;
}

/** Sixteen bits of a name's hash (FNV-1a). */
function hash(name: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) value = Math.imul(value ^ name.charCodeAt(i), 0x01000193);
  return (value >>> 0) % 0x10000;
}

const codes = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));

/** The candidates for a short name that is not the name itself, in the order in which they are tried. */
function* candidates(
  name: string,
  base: readonly number[],
  extension: readonly number[],
): Generator<Uint8Array> {
  for (let number = 1; number < 10; number++)
    yield joined([...base.slice(0, 6), ...codes(`~${number}`)], extension);
  const first = hash(name);
  for (let step = 0; step < 0x10000; step++) {
    const digits = ((first + 0x10000 - step) % 0x10000).toString(16).toUpperCase().padStart(4, '0');
    yield joined([...base.slice(0, 2), ...codes(`${digits}~1`)], extension);
  }
}

/**
 * What to store of a name that {@link storableName} gave. `isTaken`: whether the directory has such a short name.
 * `marksCase`: a name in lower case gets marks in place of a long name (the mount option `shortname=winnt`).
 */
export function makeShortName(
  name: string,
  isTaken: (short: Uint8Array) => boolean,
  marksCase: boolean,
): StoredName {
  const parts = split(name);
  const [base, extension] = [new Part(), new Part()];
  fill(base, parts.base, baseLength);
  fill(extension, parts.extension, 3);
  if (base.bytes.length === 0) throw systemError('EINVAL', name);
  if (base.isExact && extension.isExact) {
    const short = joined(base.bytes, extension.bytes);
    if (isTaken(short)) throw systemError('EEXIST', name);
    if (base.isUpper && extension.isUpper) return { short, ntFlags: 0, long: undefined };
    const oneCase = (base.isUpper || base.isLower) && (extension.isUpper || extension.isLower);
    if (!marksCase || !oneCase) return { short, ntFlags: 0, long: name };
    const ntFlags = (base.isUpper ? 0 : lowerCaseBase) + (extension.isUpper ? 0 : lowerCaseExtension);
    return { short, ntFlags, long: undefined };
  }
  for (const short of candidates(name, base.bytes, extension.bytes))
    if (!isTaken(short)) return { short, ntFlags: 0, long: name };
  throw systemError('ENOSPC', name);
}

/** How many entries a name takes in a directory. Errors as of {@link storableName}. */
export function entriesOfName(name: string): number {
  const { long } = makeShortName(storableName(name), () => false, false);
  return 1 + (long === undefined ? 0 : partsOf(long));
}

/** How many entries a long name takes. */
export function partsOf(long: string): number {
  return Math.ceil(long.length / unitsPerLongEntry);
}
