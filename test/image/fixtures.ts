/** The qcow2 fixtures and what qemu-img sees in them, unpacked into a directory that is removed at the end. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { gunzipSync } from 'node:zlib';
import type { Disk } from '../../src/disk/index.js';

/** One image, as `scripts/fixtures/qcow2.sh` wrote it down. */
export interface ImageCase {
  readonly image: string;
  /** Empty for the present state. */
  readonly snapshot: string;
  readonly size: number;
  readonly sha256: string;
  readonly map: readonly { start: number; length: number; zero: boolean }[];
  readonly info: Readonly<Record<string, unknown>>;
}

/** A new directory that goes when the test file is through. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-test-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const packed = join(import.meta.dirname, '../../../test/fixtures/qcow2');

/** Unpacks every fixture. */
export function unpackFixtures(): string {
  const directory = scratchDirectory();
  for (const name of readdirSync(packed)) {
    writeFileSync(join(directory, name.replace(/\.gz$/, '')), gunzipSync(readFileSync(join(packed, name))));
  }
  return directory;
}

/** One fixture's bytes. */
export function fixtureBytes(name: string): Uint8Array {
  return gunzipSync(readFileSync(join(packed, `${name}.gz`)));
}

export function readCases(directory: string): ImageCase[] {
  return JSON.parse(readFileSync(join(directory, 'cases.json'), 'utf8'));
}

/** A directory inside another, made when missing. */
export function subdirectory(parent: string, name: string): string {
  const path = join(parent, name);
  if (!existsSync(path)) mkdirSync(path);
  return path;
}

/** All bytes of a disk, read `step` bytes at a time. */
export function readAll(disk: Disk, step = disk.size): Uint8Array {
  const all = new Uint8Array(disk.size);
  for (let at = 0; at < disk.size; at += step)
    disk.read(all.subarray(at, Math.min(at + step, disk.size)), at);
  return all;
}

/** The holes and data of a disk as it tells them itself, neighbours of one kind joined. */
export function spansOf(disk: Disk): { start: number; length: number; zero: boolean }[] {
  const spans: { start: number; length: number; zero: boolean }[] = [];
  for (let at = 0; at < disk.size; ) {
    const { length, hole } = disk.span(at, disk.size - at);
    spans.push({ start: at, length, zero: hole });
    at += length;
  }
  return joined(spans);
}

export function joined(spans: readonly { start: number; length: number; zero: boolean }[]): typeof result {
  const result: { start: number; length: number; zero: boolean }[] = [];
  for (const { start, length, zero } of spans) {
    const last = result.at(-1);
    if (last && last.zero === zero && last.start + last.length === start) last.length += length;
    else result.push({ start, length, zero });
  }
  return result;
}

/** Numbers from 0 below 1, the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
