/**
 * Keys: an object, a type, and an offset, by which a tree is in order. Their 64-bit numbers are signed here: the
 * few that are used near 2^64 are small negative numbers, and −1 is the greatest of all.
 */
import { CorruptError } from '../../../base/index.js';
import { keyAt } from '../layout.js';

const word = 0x1_0000_0000;

/** A key to look for, in the halves that comparing needs. */
export interface SearchKey {
  readonly objectHigh: number;
  readonly objectLow: number;
  readonly type: number;
  readonly offsetHigh: number;
  readonly offsetLow: number;
}

export function key(object: number, type: number, offset: number): SearchKey {
  return {
    objectHigh: Math.floor(object / word) >>> 0,
    objectLow: object >>> 0,
    type,
    offsetHigh: Math.floor(offset / word) >>> 0,
    offsetLow: offset >>> 0,
  };
}

/** The last of all keys of a type of an object has this offset. */
export const lastOffset = -1;

/** The order of the key stored at `at` to another: negative, zero or positive. */
export function compareToKey(view: DataView, at: number, other: SearchKey): number {
  return (
    view.getUint32(at + keyAt.objectid + 4, true) - other.objectHigh ||
    view.getUint32(at + keyAt.objectid, true) - other.objectLow ||
    view.getUint8(at + keyAt.type) - other.type ||
    view.getUint32(at + keyAt.offset + 4, true) - other.offsetHigh ||
    view.getUint32(at + keyAt.offset, true) - other.offsetLow
  );
}

/** The order of two stored keys. */
export function compareKeys(a: DataView, aAt: number, b: DataView, bAt: number): number {
  return (
    a.getUint32(aAt + keyAt.objectid + 4, true) - b.getUint32(bAt + keyAt.objectid + 4, true) ||
    a.getUint32(aAt + keyAt.objectid, true) - b.getUint32(bAt + keyAt.objectid, true) ||
    a.getUint8(aAt + keyAt.type) - b.getUint8(bAt + keyAt.type) ||
    a.getUint32(aAt + keyAt.offset + 4, true) - b.getUint32(bAt + keyAt.offset + 4, true) ||
    a.getUint32(aAt + keyAt.offset, true) - b.getUint32(bAt + keyAt.offset, true)
  );
}

/** A stored number of 64 bits as a signed one. CorruptError beyond 2^53. */
export function signed64(view: DataView, at: number): number {
  const value = view.getInt32(at + 4, true) * word + view.getUint32(at, true);
  if (!Number.isSafeInteger(value)) throw new CorruptError('btrfs key', 'has a number beyond 2^53', { at });
  return value;
}

/** Stores a number that is not negative. */
export function setNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % word, true);
  view.setUint32(at + 4, Math.floor(value / word), true);
}

export function objectIdAt(view: DataView, at: number): number {
  return signed64(view, at + keyAt.objectid);
}

export function typeAt(view: DataView, at: number): number {
  return view.getUint8(at + keyAt.type);
}

export function offsetAt(view: DataView, at: number): number {
  return signed64(view, at + keyAt.offset);
}
