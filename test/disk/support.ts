/** Disks that tests watch, and numbers they agree on. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { type Disk, MemoryDisk, type Span } from '../../src/disk/index.js';

/** A new directory that goes when the test file is through. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'guestfs-test-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
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

/** Bytes that do not repeat. */
export function noise(length: number, seed = 1): Uint8Array {
  const random = randomNumbers(seed);
  return Uint8Array.from({ length }, () => random() * 256);
}

/** A disk in memory that writes down what is asked of it. */
export class WatchedDisk implements Disk {
  readonly reads: { offset: number; length: number }[] = [];
  readonly writes: { offset: number; length: number }[] = [];
  closed = 0;
  flushed = 0;
  readonly #below: MemoryDisk;
  readonly #holes: (offset: number, length: number) => Span;

  constructor(bytes: Uint8Array, holes?: (offset: number, length: number) => Span) {
    this.#below = new MemoryDisk(bytes, { writable: true });
    this.#holes = holes ?? ((_offset, length) => ({ length, hole: false }));
  }

  get size(): number {
    return this.#below.size;
  }

  get writable(): boolean {
    return true;
  }

  read(into: Uint8Array, offset: number): void {
    this.reads.push({ offset, length: into.length });
    this.#below.read(into, offset);
  }

  write(from: Uint8Array, offset: number): void {
    this.writes.push({ offset, length: from.length });
    this.#below.write(from, offset);
  }

  span(offset: number, length: number): Span {
    return this.#holes(offset, length);
  }

  flush(): void {
    this.flushed++;
  }

  close(): void {
    this.closed++;
  }
}

/** All bytes of a disk, read `step` bytes at a time. */
export function readAll(disk: Disk, step = Math.max(1, disk.size)): Uint8Array {
  const all = new Uint8Array(disk.size);
  for (let at = 0; at < disk.size; at += step)
    disk.read(all.subarray(at, Math.min(at + step, disk.size)), at);
  return all;
}
