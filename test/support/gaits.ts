/** Reading a disk in three gaits: whole, block by block, and at odd offsets and lengths. */
import assert from 'node:assert/strict';
import type { Disk } from '../../src/disk/index.js';

/** All bytes of a disk, read `step` bytes at a time. */
export function readAll(disk: Disk, step = Math.max(1, disk.size)): Uint8Array {
  const all = new Uint8Array(disk.size);
  for (let at = 0; at < disk.size; at += step)
    disk.read(all.subarray(at, Math.min(at + step, disk.size)), at);
  return all;
}

function assertSame(one: Uint8Array, whole: Uint8Array, how: string): void {
  if (Buffer.compare(one, whole) === 0) return;
  const at = one.findIndex((byte, index) => byte !== whole[index]);
  assert.fail(`${how}: the byte at ${at} is ${one[at]}, and ${whole[at]} when the disk is read whole`);
}

/** Pieces that a gait reads at least and at most, where the disk has so many bytes. */
const mostPieces = 1500;

/**
 * Reads a disk whole, in pieces of `block` bytes and of an odd length, and a few bytes at places all over it, from
 * the end to the start. Fails where these differ. Gives all bytes.
 */
export function readInThreeGaits(disk: Disk, block = 512): Uint8Array {
  const whole = readAll(disk);
  const times = Math.max(1, Math.ceil(disk.size / block / mostPieces));
  for (const step of [block * times, 1021 * times])
    assertSame(readAll(disk, step), whole, `${step} bytes at a time`);
  const stride = 4999 * Math.ceil(disk.size / 4999 / mostPieces || 1);
  for (let at = disk.size - 1; at >= 0; at -= stride) {
    const few = new Uint8Array(Math.min(700, disk.size - at));
    disk.read(few, at);
    assertSame(few, whole.subarray(at, at + few.length), `${few.length} bytes at ${at}`);
    const odd = new Uint8Array(Math.min(7, at));
    disk.read(odd, at - odd.length);
    assertSame(odd, whole.subarray(at - odd.length, at), `${odd.length} bytes before ${at}`);
  }
  return whole;
}

/** A part of a disk that is stored, or that is a hole. In bytes. */
export interface SpanOfDisk {
  readonly start: number;
  readonly length: number;
  readonly zero: boolean;
}

/** Neighbours of one kind as one. */
export function joined(spans: readonly SpanOfDisk[]): SpanOfDisk[] {
  const result: { start: number; length: number; zero: boolean }[] = [];
  for (const { start, length, zero } of spans) {
    const last = result.at(-1);
    if (last && last.zero === zero && last.start + last.length === start) last.length += length;
    else result.push({ start, length, zero });
  }
  return result;
}

/** The holes and data of a disk as the disk tells them, neighbours of one kind joined. They cover it without a gap. */
export function spansOf(disk: Disk): SpanOfDisk[] {
  const spans: SpanOfDisk[] = [];
  for (let at = 0; at < disk.size; ) {
    const { length, hole } = disk.span(at, disk.size - at);
    assert.ok(length >= 1 && length <= disk.size - at, `a span of ${length} bytes at ${at} of ${disk.size}`);
    spans.push({ start: at, length, zero: hole });
    at += length;
  }
  return joined(spans);
}

/** The holes and data of a disk; fails where a hole does not read as zeroes. */
export function checkedSpans(disk: Disk, whole: Uint8Array): SpanOfDisk[] {
  const spans = spansOf(disk);
  for (const { start, length, zero } of spans) {
    if (!zero) continue;
    const at = whole.subarray(start, start + length).findIndex((byte) => byte !== 0);
    assert.equal(at, -1, `a byte at ${start + at}, in a hole, is not 0`);
  }
  return spans;
}
