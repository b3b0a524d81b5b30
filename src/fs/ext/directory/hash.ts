/**
 * The hashes by which indexed directories sort names: legacy, half MD4 and TEA, over signed or unsigned bytes.
 * Specification: the kernel's Documentation/filesystems/ext4/directory.rst, and fs/ext4/hash.c for the arithmetic.
 * All words are of 32 bits.
 */
import { viewOf } from '../../../base/index.js';
import { hashVersions } from '../layout.js';

/** Hashes of a name: the sort key of the index (its lowest bit is 0), and a second one. */
export interface NameHash {
  readonly major: number;
  readonly minor: number;
}

type Words = [number, number, number, number];

const defaultSeed: Words = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
/** The index reserves the largest value for "the end". */
const endOfIndex = 0xfffffffe;

/** Memory for a hash: to take new each time would need longer than hashing a name. */
const state = new Int32Array(4);
const input = new Int32Array(8);

/** A byte as C's `char` on the machine that made the filesystem. */
function characterOf(byte: number, unsigned: boolean): number {
  return unsigned || byte < 0x80 ? byte : byte - 0x100;
}

function legacyHash(name: Uint8Array, unsigned: boolean): number {
  let previous = 0x37abe8f9;
  let current = 0x12a3fe2d;
  for (const byte of name) {
    let next = (previous + (current ^ Math.imul(characterOf(byte, unsigned), 7152373))) >>> 0;
    if (next >= 0x80000000) next -= 0x7fffffff;
    previous = current;
    current = next >>> 0;
  }
  return (current << 1) >>> 0;
}

/** Up to `count` words of a name from `from`, padded with words made of the remaining length. */
function wordsOf(
  words: Int32Array,
  name: Uint8Array,
  from: number,
  count: number,
  unsigned: boolean,
): Int32Array {
  const left = name.length - from;
  const pad = Math.imul(left, 0x01010101); // names are no longer than 255 bytes
  words.fill(pad);
  const length = Math.min(left, count * 4);
  for (let i = 0; i < length; i++) {
    const word = i >>> 2; // < count, since i < 4 · count
    const before = i % 4 === 0 ? pad : (words[word] ?? 0);
    words[word] = characterOf(name[from + i] ?? 0, unsigned) + (before << 8);
  }
  return words;
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}

const choose = (x: number, y: number, z: number): number => z ^ (x & (y ^ z));
const majority = (x: number, y: number, z: number): number => ((x & y) + ((x ^ y) & z)) | 0;
const parity = (x: number, y: number, z: number): number => x ^ y ^ z;

/** The three rounds of half MD4: function, constant, order of the eight input words, and the four rotations. */
const rounds = [
  { mix: choose, constant: 0, order: [0, 1, 2, 3, 4, 5, 6, 7], bits: [3, 7, 11, 19] },
  { mix: majority, constant: 0x5a827999, order: [1, 3, 5, 7, 0, 2, 4, 6], bits: [3, 5, 9, 13] },
  { mix: parity, constant: 0x6ed9eba1, order: [3, 7, 2, 6, 1, 5, 0, 4], bits: [3, 9, 11, 15] },
] as const;

function halfMd4(state: Int32Array, input: Int32Array): void {
  let [a, b, c, d] = state as unknown as Words; // safe: a state has four words
  for (const { mix, constant, order, bits } of rounds) {
    for (let step = 0; step < 8; step++) {
      // safe: step < 8 and step & 3 < 4, the lengths of the two lists; a word number is below 8, the input's length
      const word = input[order[step]!]!;
      const turned = rotate((a + mix(b, c, d) + word + constant) | 0, bits[step & 3]!); // safe: as above
      // The result becomes the second word of the next step: a, b, c, d ← d, new, b, c.
      a = d;
      d = c;
      c = b;
      b = turned;
    }
  }
  [a, b, c, d].forEach((value, index) => {
    state[index] = (state[index] ?? 0) + value;
  });
}

function tea(state: Int32Array, input: Int32Array): void {
  let [x, y] = state as unknown as Words; // safe: a state has four words
  const [a, b, c, d] = input as unknown as Words; // safe: made with four words
  for (let round = 1; round <= 16; round++) {
    const sum = Math.imul(round, 0x9e3779b9);
    x = (x + (((y << 4) + a) ^ (y + sum) ^ ((y >>> 5) + b))) | 0;
    y = (y + (((x << 4) + c) ^ (x + sum) ^ ((x >>> 5) + d))) | 0;
  }
  state[0] = (state[0] ?? 0) + x;
  state[1] = (state[1] ?? 0) + y;
}

/**
 * Hashes a name. `version` is one of {@link hashVersions} without those that need a key; `seed` is the superblock's,
 * all zero for none. Undefined for a version that is not known.
 */
export function hashName(name: Uint8Array, version: number, seed: Uint8Array): NameHash | undefined {
  state.set(defaultSeed);
  if (seed.some((byte) => byte !== 0)) {
    const view = viewOf(seed);
    for (let i = 0; i < 4; i++) state[i] = view.getInt32(i * 4, true);
  }
  let major: number;
  let minor = 0;
  switch (version) {
    case hashVersions.legacy:
    case hashVersions.legacyUnsigned:
      major = legacyHash(name, version === hashVersions.legacyUnsigned);
      break;
    case hashVersions.halfMd4:
    case hashVersions.halfMd4Unsigned:
      for (let from = 0; from < name.length; from += 32)
        halfMd4(state, wordsOf(input, name, from, 8, version === hashVersions.halfMd4Unsigned));
      major = state[1] ?? 0;
      minor = state[2] ?? 0;
      break;
    case hashVersions.tea:
    case hashVersions.teaUnsigned:
      for (let from = 0; from < name.length; from += 16)
        tea(state, wordsOf(input, name, from, 4, version === hashVersions.teaUnsigned));
      major = state[0] ?? 0;
      minor = state[1] ?? 0;
      break;
    default:
      return undefined;
  }
  major = (major & ~1) >>> 0;
  if (major === endOfIndex) major = (endOfIndex - 2) >>> 0;
  return { major, minor: minor >>> 0 };
}
