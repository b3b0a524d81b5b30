/**
 * xxHash64 with the seed 0. Specification: xxHash fast digest algorithm, version 0.1.1. The four lanes of a long input
 * are kept in halves of 32 bits, low before high, which is ten times as fast as BigInts are; the rest is short.
 */
import { viewOf } from '../struct.js';

const p1 = 0x9e3779b185ebca87n;
const p2 = 0xc2b2ae3d27d4eb4fn;
const p3 = 0x165667b19e3779f9n;
const p4 = 0x85ebca77c2b2ae63n;
const p5 = 0x27d4eb2f165667c5n;

const stripeLength = 32;

const cut = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint => cut(value << by) | (value >> (64n - by));
const round = (input: bigint): bigint => cut(rotate(cut(input * p2), 31n) * p1);

/** The hash of all bytes. */
export function xxhash64(bytes: Uint8Array): bigint {
  const view = viewOf(bytes);
  const { length } = bytes;
  let at = length - (length % stripeLength);
  let hash = at === 0 ? p5 : hashOfLanes(view, at);
  hash = cut(hash + BigInt(length));
  for (; at + 8 <= length; at += 8)
    hash = cut(rotate(hash ^ round(view.getBigUint64(at, true)), 27n) * p1 + p4);
  if (at + 4 <= length) {
    hash = cut(rotate(hash ^ cut(BigInt(view.getUint32(at, true)) * p1), 23n) * p2 + p3);
    at += 4;
  }
  for (; at < length; at++) hash = cut(rotate(hash ^ cut(BigInt(view.getUint8(at)) * p5), 11n) * p1);
  hash = cut((hash ^ (hash >> 33n)) * p2);
  hash = cut((hash ^ (hash >> 29n)) * p3);
  return hash ^ (hash >> 32n);
}

/** What four lanes make of the first `end` bytes: whole stripes. */
function hashOfLanes(view: DataView, end: number): bigint {
  const halves = new Int32Array(8);
  for (const [i, first] of [p1 + p2, p2, 0n, -p1].entries()) {
    halves[2 * i] = Number(BigInt.asIntN(32, first));
    halves[2 * i + 1] = Number(BigInt.asIntN(32, first >> 32n));
  }
  for (let at = 0; at < end; at += stripeLength)
    for (let i = 0; i < 8; i += 2) {
      // The input times the second prime: its low half in pieces of 16 bits, since their products are exact.
      const low = view.getInt32(at + i * 4, true);
      let piece = low & 0xffff;
      let top = low >>> 16;
      let middle = top * 0xeb4f + ((piece * 0xeb4f) >>> 16);
      let carried = piece * 0x27d4 + (middle & 0xffff);
      const high =
        top * 0x27d4 +
        Math.floor(middle / 0x10000) +
        Math.floor(carried / 0x10000) +
        Math.imul(low, 0xc2b2ae3d) +
        Math.imul(view.getInt32(at + i * 4 + 4, true), 0x27d4eb4f);
      const sum = (halves[i]! >>> 0) + (Math.imul(low, 0x27d4eb4f) >>> 0); // safe: four lanes of two halves
      const sumHigh = (halves[i + 1]! + high + (sum > 0xffffffff ? 1 : 0)) | 0; // safe: as above
      // Left by 31 bits.
      const turnedHigh = (sumHigh << 31) | ((sum | 0) >>> 1);
      const turned = ((sum | 0) << 31) | (sumHigh >>> 1);
      // And times the first prime.
      piece = turned & 0xffff;
      top = turned >>> 16;
      middle = top * 0xca87 + ((piece * 0xca87) >>> 16);
      carried = piece * 0x85eb + (middle & 0xffff);
      halves[i + 1] =
        top * 0x85eb +
        Math.floor(middle / 0x10000) +
        Math.floor(carried / 0x10000) +
        Math.imul(turned, 0x9e3779b1) +
        Math.imul(turnedHigh, 0x85ebca87);
      halves[i] = Math.imul(turned, 0x85ebca87);
    }
  const values = [0, 2, 4, 6].map(
    (i) => (BigInt(halves[i + 1]! >>> 0) << 32n) | BigInt(halves[i]! >>> 0), // safe: as above
  );
  let hash = 0n;
  for (const [i, by] of [1n, 7n, 12n, 18n].entries()) hash += rotate(values[i]!, by); // safe: four
  for (const value of values) hash = cut(cut(hash ^ round(value)) * p1 + p4);
  return hash;
}
