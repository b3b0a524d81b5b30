/**
 * Damage. In an image it is done in place and undone after, since what changes is small; a stream or a text is copied.
 * What is done follows from the generator alone.
 */

import type { Random } from '../test/support/random.js';
import type { Donor } from './donors.js';
import type { Places, PlacesOfRound } from './places.js';

/** Numbers that bounds are made of; all below 2^53. */
const telling = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  0x7f,
  0x80,
  0xff,
  0x100,
  0x1ff,
  0x200,
  0x7fff,
  0x8000,
  0xffff,
  0x10000,
  0x7fffffff,
  0x80000000,
  0xfffffffe,
  0xffffffff,
  0x1_0000_0000,
  2 ** 40,
  2 ** 52,
  Number.MAX_SAFE_INTEGER,
];
const marks = [...Buffer.from('"\'{}[]()=,:;\\/\n #-09\0')];
const blockLengths = [64, 512, 1024, 2048, 4096];

function partOf(places: PlacesOfRound, random: Random): Places {
  const [first] = places;
  return places.length === 1 && first !== undefined ? first : random.pick(places);
}
const unitOf = (places: PlacesOfRound, random: Random): number => random.pick(partOf(places, random).units);
const wordOf = (places: PlacesOfRound, random: Random): number => random.pick(partOf(places, random).words);

function readNumber(bytes: Uint8Array, at: number, width: number, little: boolean): bigint {
  let value = 0n;
  for (let i = 0; i < width; i++) {
    const byte = bytes[at + (little ? width - 1 - i : i)] ?? 0;
    value = (value << 8n) | BigInt(byte);
  }
  return value;
}

function encodeNumber(value: bigint, width: number, little: boolean): Uint8Array {
  const encoded = new Uint8Array(width);
  let rest = BigInt.asUintN(8 * width, value);
  for (let i = 0; i < width; i++) {
    encoded[little ? i : width - 1 - i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return encoded;
}

/** Bytes to be damaged in place, and what they were. */
class Patches {
  readonly bytes: Uint8Array;
  readonly #saved: { readonly at: number; readonly bytes: Uint8Array }[] = [];

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  put(at: number, changed: Uint8Array): void {
    const from = Math.max(0, Math.min(at, this.bytes.length - 1));
    const fitting = changed.subarray(0, this.bytes.length - from);
    this.#saved.push({ at: from, bytes: Uint8Array.from(this.bytes.subarray(from, from + fitting.length)) });
    this.bytes.set(fitting, from);
  }

  undo(): void {
    for (const { at, bytes } of this.#saved.reverse()) this.bytes.set(bytes, at);
    this.#saved.length = 0;
  }
}

/**
 * Another value for a number: on a bound, a little off, as another number of the image is, or the image's size in
 * blocks.
 */
function otherNumber(
  patches: Patches,
  places: PlacesOfRound,
  random: Random,
  at: number,
  width: number,
  little: boolean,
): bigint {
  const { bytes } = patches;
  const value = readNumber(bytes, at, width, little);
  switch (random.below(8)) {
    case 0:
      return 0n;
    case 1:
      return (1n << BigInt(8 * width)) - 1n;
    case 2:
      return value + 1n;
    case 3:
      return value - 1n;
    case 4:
      return BigInt(random.pick(telling));
    case 5:
      return BigInt(
        Math.floor(bytes.length / random.pick([1, 512, 1024, 2048, 4096, 65536])) + random.below(3) - 1,
      );
    case 6:
      return value ^ (1n << BigInt(random.below(8 * width)));
    default:
      // A child that points to its parent, a length that is another's: a number from elsewhere.
      return readNumber(bytes, wordOf(places, random), width, little);
  }
}

function changeNumber(patches: Patches, places: PlacesOfRound, random: Random): void {
  const { fields } = partOf(places, random);
  if (fields.length > 0 && random.below(2) === 0) {
    const { at, length, little, telling: known = [] } = random.pick(fields);
    const width = Math.min(length, 8);
    if (known.length > 0 && random.below(2) === 0)
      return patches.put(at, encodeNumber(BigInt(random.pick(known)), width, little));
    patches.put(at, encodeNumber(otherNumber(patches, places, random, at, width, little), width, little));
    return;
  }
  const width = random.pick([1, 2, 4, 4, 8]);
  const at = wordOf(places, random) + (width < 4 ? random.below(4 / width) * width : 0);
  const little = random.below(3) > 0;
  patches.put(at, encodeNumber(otherNumber(patches, places, random, at, width, little), width, little));
}

function changeBlock(patches: Patches, places: PlacesOfRound, random: Random, other: () => Donor): void {
  const { bytes } = patches;
  const length = random.pick(blockLengths);
  const block = (): number => {
    const at = unitOf(places, random);
    return at - (at % Math.max(length, 512));
  };
  const copy = (from: Donor, at: number): Uint8Array => Uint8Array.from(from.subarray(at, at + length));
  const at = block();
  switch (random.below(5)) {
    case 0:
      return patches.put(at, copy(bytes, block()));
    case 1: {
      const second = block();
      const [a, b] = [copy(bytes, at), copy(bytes, second)];
      patches.put(at, b);
      return patches.put(second, a);
    }
    case 2:
      return patches.put(at, new Uint8Array(length).fill(random.pick([0, 0, 0xff])));
    case 3: {
      // The same place of another image of this kind.
      const spliced = copy(other(), at);
      return spliced.length === 0 ? undefined : patches.put(at, spliced);
    }
    default: {
      const noise = copy(bytes, at);
      for (let i = 0; i < noise.length; i++) if (random.below(8) === 0) noise[i] = random.below(256);
      return patches.put(at, noise);
    }
  }
}

function changeByte(patches: Patches, places: PlacesOfRound, random: Random): void {
  const at =
    random.below(2) === 0
      ? wordOf(places, random) + random.below(4)
      : unitOf(places, random) + random.below(512);
  const before = patches.bytes[at] ?? 0;
  const changed = [
    before ^ (1 << random.below(8)),
    random.below(256),
    before + random.pick([1, 255, 2, 16]),
    // What means something in a text.
    random.pick(marks),
  ];
  patches.put(at, Uint8Array.of(random.pick(changed) & 0xff));
}

/** Where a run of digits is, from a place on. */
function digitsFrom(bytes: Uint8Array, start: number): readonly [at: number, length: number] | undefined {
  const isDigit = (at: number): boolean => (bytes[at] ?? 0) >= 0x30 && (bytes[at] ?? 0) <= 0x39;
  let at = start;
  while (at < bytes.length && !isDigit(at)) at++;
  let end = at;
  while (end < bytes.length && isDigit(end)) end++;
  return end > at ? [at, end - at] : undefined;
}

/** Other digits in the place of some, for a text that keeps its length: any, or those of another number. */
function changeDigits(
  patches: Patches,
  places: PlacesOfRound,
  random: Random,
  known: readonly number[],
): void {
  const { bytes } = patches;
  const start = (): number =>
    known.length > 0 && random.below(2) === 0 ? random.pick(known) : wordOf(places, random);
  const found = digitsFrom(bytes, start());
  const other = digitsFrom(bytes, start());
  if (found === undefined || other === undefined) return;
  const [at, length] = found;
  const digits =
    random.below(2) === 0
      ? Buffer.from(bytes.subarray(other[0], other[0] + other[1])).toString('latin1')
      : String(random.below(10 ** random.pick([1, 1, 2, length])));
  // Behind it blanks, which belong to no number.
  patches.put(at, Buffer.from(digits.slice(0, length).padEnd(length, ' ')));
}

/**
 * Damages an image in a few places. `digits`: there is text, with numbers at these places among others. What is given is
 * the damaged image, and what puts the bytes right again.
 */
export function damageInPlace(
  bytes: Uint8Array,
  places: PlacesOfRound,
  random: Random,
  other: () => Donor,
  digits: readonly number[] | undefined = undefined,
): { damaged: Uint8Array; undo: () => void } {
  const patches = new Patches(bytes);
  const count = bytes.length === 0 ? 0 : 1 + random.below(random.pick([1, 1, 2, 4, 16]));
  for (let i = 0; i < count; i++) {
    const kind = random.below(10);
    if (digits !== undefined && random.below(2) === 0) changeDigits(patches, places, random, digits);
    else if (kind < 6) changeNumber(patches, places, random);
    else if (kind < 8) changeByte(patches, places, random);
    else changeBlock(patches, places, random, other);
  }
  // Now and then the image is also cut short.
  const end = random.below(12) === 0 ? random.below(bytes.length + 1) : bytes.length;
  return { damaged: bytes.subarray(0, end), undo: () => patches.undo() };
}

/** How long a stream or text may grow, beyond what it was; in bytes. */
const mostGrowth = 256 * 1024;

const words = [
  '',
  '\n',
  '\n\n',
  '\0',
  ' ',
  '\t',
  '"',
  "'",
  '\\',
  '/',
  '//',
  '..',
  '../',
  ':',
  '=',
  '%',
  '{',
  '}',
  '[',
  ']',
  '(',
  ')',
  '*',
  '+',
  '?',
  '|',
  '^',
  '$',
  '#',
  ',',
  '-',
  '0',
  '-1',
  '1',
  '255',
  '256',
  '65536',
  '4294967295',
  '4294967296',
  '9007199254740993',
  '18446744073709551616',
  '99999999999999999999999999',
  '1e999',
  '0x',
  '__proto__',
  'constructor',
  '\u00ff',
  '\ud800',
  '\u2028',
  '{1,',
  '\\{',
  '\\(',
  '[[:alpha:]]',
  '\\1',
  'true',
  'null',
  '7777777',
  '77777777777',
];

const lineFeed = 0x0a;

function splice(bytes: Uint8Array, at: number, count: number, put: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length - count + put.length);
  out.set(bytes.subarray(0, at));
  out.set(put, at);
  out.set(bytes.subarray(at + count), at + put.length);
  return out;
}

function rearrange(bytes: Uint8Array, random: Random, other: () => Donor): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = Math.min(random.below(random.pick([2, 16, 256, 4096])), bytes.length - at);
  const chosen = bytes.subarray(at, at + length);
  switch (random.below(9)) {
    case 0:
      return splice(bytes, at, length, new Uint8Array(0));
    case 1:
      return splice(bytes, random.below(bytes.length + 1), 0, Uint8Array.from(chosen));
    case 2: {
      // Many of the same: what is quadratic shows.
      const times = Math.min(random.pick([10, 100, 5000]), Math.floor(mostGrowth / Math.max(1, length)));
      return splice(bytes, at, length, Uint8Array.from(Buffer.alloc(length * times, chosen)));
    }
    case 3: {
      // A line as often as there is room for.
      const start = bytes.lastIndexOf(lineFeed, at) + 1;
      const line = bytes.subarray(start, bytes.indexOf(lineFeed, start) + 1);
      const times = Math.min(random.pick([2, 50, 20_000]), Math.floor(mostGrowth / Math.max(1, line.length)));
      return splice(bytes, start, 0, Uint8Array.from(Buffer.alloc(line.length * times, line)));
    }
    case 8:
      return splice(bytes, at, 0, Buffer.from(random.pick(words)));
    case 4: {
      const digits = digitsFrom(bytes, at);
      if (digits === undefined) return bytes;
      // Of the same length, where a number has its field, or not.
      if (random.below(2) === 0)
        return splice(
          bytes,
          digits[0],
          digits[1],
          Buffer.alloc(digits[1], random.pick(['0', '1', '7', '9', 'f'])),
        );
      return splice(bytes, digits[0], digits[1], Buffer.from(random.pick(words)));
    }
    case 5: {
      const from = other();
      const start = random.below(from.length + 1);
      return splice(bytes, at, length, Uint8Array.from(from.subarray(start, start + random.below(4096))));
    }
    case 6:
      return splice(
        bytes,
        at,
        0,
        new Uint8Array(random.pick([1, 255, 256, 4096, 65_537])).fill(random.below(256)),
      );
    default:
      return splice(bytes, at, Math.min(1, length), Uint8Array.of(random.below(256)));
  }
}

/**
 * A copy of a stream or text that is damaged in a few places, by number and byte as an image is, or with its parts
 * moved.
 */
export function damageCopy(
  bytes: Uint8Array,
  places: PlacesOfRound,
  random: Random,
  other: () => Donor,
): Uint8Array {
  let damaged: Uint8Array = Uint8Array.from(bytes);
  const longest = bytes.length + mostGrowth;
  const count = 1 + random.below(random.pick([1, 1, 2, 4, 16]));
  for (let i = 0; i < count; i++) {
    const kind = random.below(10);
    if (kind < 3 && damaged.length === bytes.length) changeNumber(new Patches(damaged), places, random);
    else if (kind < 4 && damaged.length === bytes.length) changeByte(new Patches(damaged), places, random);
    else {
      const next = rearrange(damaged, random, other);
      if (next.length <= longest) damaged = next;
    }
  }
  return random.below(12) === 0 ? damaged.subarray(0, random.below(damaged.length + 1)) : damaged;
}
