/** BLAKE2b without a key, 32 bytes long. RFC 7693. The words of 64 bits lie in arrays of halves: low, then high. */
import { viewOf } from '../struct.js';

const blockLength = 128;
const digestLength = 32;
const rounds = 12;

const initial = [
  0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a, 0xade682d1,
  0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
] as const;

/** The order of a block's words in each round, in hexadecimal; the last two rounds are as the first two. */
const orders = [
  '0123456789abcdef',
  'ea489fd61c02b753',
  'b8c052fdae367194',
  '7931dcbe265a40f8',
  '905724afe1bc683d',
  '2c6a0b834d75fe19',
  'c51fed4a0763928b',
  'db7ec13950f4862a',
  '6fe9b308c2d714a5',
  'a2847615fb9e3cd0',
] as const;

/** The words that the eight mixings of a round take, four each. */
const mixings = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
] as const;

/** The hash of all bytes. */
export function blake2b256(bytes: Uint8Array): Uint8Array {
  const chain = Int32Array.from(initial);
  // The parameters: the length, no key, and one leaf.
  chain[0] = initial[0] ^ 0x0101_0000 ^ digestLength;
  schedule ??= makeSchedule();
  const view = viewOf(bytes);
  let at = 0;
  for (; bytes.length - at > blockLength; at += blockLength)
    compress(chain, schedule, view, at, at + blockLength, false);
  const last = new Uint8Array(blockLength);
  last.set(bytes.subarray(at));
  compress(chain, schedule, viewOf(last), 0, bytes.length, true);
  const digest = new Uint8Array(digestLength);
  for (let i = 0; i < digestLength / 4; i++) viewOf(digest).setInt32(i * 4, chain[i]!, true); // safe: sixteen halves
  return digest;
}

let schedule: Uint8Array | undefined;

/** All mixings in order, six numbers each: where the low halves of four words and of two of the block's lie. */
function makeSchedule(): Uint8Array {
  const made = new Uint8Array(rounds * mixings.length * 6);
  let at = 0;
  for (let round = 0; round < rounds; round++) {
    const order = orders[round % orders.length]!; // safe: modulo the length
    for (const [i, words] of mixings.entries()) {
      const fromBlock = [order[2 * i], order[2 * i + 1]].map((digit) => Number.parseInt(digit ?? '', 16));
      for (const word of [...words, ...fromBlock]) made[at++] = word * 2;
    }
  }
  return made;
}

/** Takes in a block. `total`: the bytes up to its end. */
function compress(
  chain: Int32Array,
  schedule: Uint8Array,
  view: DataView,
  at: number,
  total: number,
  isLast: boolean,
): void {
  const m = new Int32Array(32);
  const v = new Int32Array(32);
  for (let i = 0; i < 32; i++) m[i] = view.getInt32(at + i * 4, true);
  v.set(chain);
  v.set(initial, 16);
  v[24] = initial[8] ^ total;
  v[25] = initial[9] ^ Math.floor(total / 0x1_0000_0000);
  if (isLast) {
    v[28] = ~initial[12];
    v[29] = ~initial[13];
  }
  // safe: all places of a schedule are below 32, and their high halves follow them
  for (let i = 0; i < schedule.length; i += 6) {
    const a = schedule[i]!;
    const b = schedule[i + 1]!;
    const c = schedule[i + 2]!;
    const d = schedule[i + 3]!;
    const x = schedule[i + 4]!;
    const y = schedule[i + 5]!;
    let bl = v[b]!;
    let bh = v[b + 1]!;
    let cl = v[c]!;
    let ch = v[c + 1]!;
    let dl = v[d]!;
    let dh = v[d + 1]!;
    let part = (v[a]! + bl) | 0;
    let al = (part + m[x]!) | 0;
    let ah = (v[a + 1]! + bh + m[x + 1]! + carry(v[a]!, bl, part) + carry(part, m[x]!, al)) | 0;
    // Right by 32 bits, 24, 16 and 63.
    part = dl ^ al;
    dl = dh ^ ah;
    dh = part;
    part = (cl + dl) | 0;
    ch = (ch + dh + carry(cl, dl, part)) | 0;
    cl = part;
    bl ^= cl;
    bh ^= ch;
    part = (bl >>> 24) | (bh << 8);
    bh = (bh >>> 24) | (bl << 8);
    bl = part;
    part = (al + bl) | 0;
    ah = (ah + bh + m[y + 1]! + carry(al, bl, part)) | 0;
    al = (part + m[y]!) | 0;
    ah = (ah + carry(part, m[y]!, al)) | 0;
    dl ^= al;
    dh ^= ah;
    part = (dl >>> 16) | (dh << 16);
    dh = (dh >>> 16) | (dl << 16);
    dl = part;
    part = (cl + dl) | 0;
    ch = (ch + dh + carry(cl, dl, part)) | 0;
    cl = part;
    bl ^= cl;
    bh ^= ch;
    part = (bl << 1) | (bh >>> 31);
    bh = (bh << 1) | (bl >>> 31);
    bl = part;
    v[a] = al;
    v[a + 1] = ah;
    v[b] = bl;
    v[b + 1] = bh;
    v[c] = cl;
    v[c + 1] = ch;
    v[d] = dl;
    v[d + 1] = dh;
  }
  for (let i = 0; i < 16; i++) chain[i] = chain[i]! ^ v[i]! ^ v[i + 16]!; // safe: 32 halves
}

/** What the sum of two halves carries into the next one: 0 or 1. */
function carry(a: number, b: number, sum: number): number {
  return ((a & b) | ((a | b) & ~sum)) >>> 31;
}
