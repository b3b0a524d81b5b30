/** Damage done to filesystems on purpose, and what must come of it: only the two kinds of errors, in time. */
import assert from 'node:assert/strict';
import { CorruptError, UnsupportedError } from '../../../src/base/index.js';
import { type Disk, MemoryDisk, type Span } from '../../../src/disk/index.js';
import { ext, extDetails } from '../../../src/fs/ext/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { openExt } from './fixture.js';

/** A disk with some bytes changed, without a copy of the rest. */
export class PatchedDisk implements Disk {
  readonly size: number;
  readonly sectorSize = 512;
  readonly writable = false;
  readonly #base: Uint8Array;
  readonly #patches: readonly { readonly at: number; readonly bytes: Uint8Array }[];

  constructor(base: Uint8Array, patches: readonly { readonly at: number; readonly bytes: Uint8Array }[]) {
    this.size = base.length;
    this.#base = base;
    this.#patches = patches;
  }

  read(into: Uint8Array, offset: number): void {
    new MemoryDisk(this.#base).read(into, offset);
    for (const { at, bytes } of this.#patches) {
      const from = Math.max(at, offset);
      const to = Math.min(at + bytes.length, offset + into.length);
      if (from < to) into.set(bytes.subarray(from - at, to - at), from - offset);
    }
  }

  checkWritable(): never {
    throw new Error('a damaged disk is read-only');
  }

  write(): never {
    this.checkWritable();
  }

  zero(): never {
    this.checkWritable();
  }

  span(_offset: number, length: number): Span {
    return { length, hole: false };
  }

  flush(): void {}

  close(): void {}
}

/** Entries looked at in one walk: damage can make directories huge or circular. */
const entryLimit = 3000;
/** Bytes read of each file. */
const readLimit = 65536;

/** Runs something that may only fail in the two ways; the error, if there was one. */
export function tolerate(action: () => void): Error | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof CorruptError || error instanceof UnsupportedError) return error;
    throw error;
  }
}

/** Looks at everything that can be reached; each part that fails may fail by itself. Returns how many entries were met. */
export function exercise(fs: FileSystem): number {
  let entries = 0;
  const seen = new Set<number>();
  const look = (inode: number): void => {
    if (seen.has(inode)) return;
    seen.add(inode);
    tolerate(() => fs.xattrs(inode));
    let kind = 0;
    tolerate(() => {
      kind = fs.stat(inode).mode & 0xf000;
    });
    if (kind === 0xa000) tolerate(() => fs.readlink(inode));
    if (kind === 0x8000) tolerate(() => readSome(fs.data(inode)));
    if (kind === 0x4000) {
      tolerate(() => fs.parent(inode));
      const below: [string, number][] = [];
      tolerate(() => {
        for (const entry of fs.entries(inode)) {
          if (++entries > entryLimit) break;
          below.push([entry.name, entry.inode]);
        }
      });
      for (const [name, number] of below) {
        if (below.length < 100) tolerate(() => fs.lookup(inode, name));
        look(number);
      }
    }
  };
  look(fs.root);
  tolerate(() => fs.usage());
  tolerate(() => extDetails(fs)?.superblockFacts());
  return entries;
}

function readSome(disk: Disk): void {
  const bytes = new Uint8Array(Math.min(disk.size, readLimit));
  disk.read(bytes, 0);
  disk.read(bytes, disk.size - bytes.length);
  disk.span(0, Math.min(disk.size, 1 << 20));
}

/** The whole life of a damaged disk. Returns the error of opening, if it was refused. */
export function survive(disk: Disk): Error | undefined {
  const started = performance.now();
  ext.probe(disk);
  let refused = tolerate(() => exercise(openExt(disk)));
  // What a mount refuses for its journal can still be looked at without.
  if (refused) refused = tolerate(() => exercise(openExt(disk, { options: { ro: true, norecovery: true } })));
  const time = performance.now() - started;
  assert.ok(time < 5000, `took ${Math.round(time)} ms`);
  return refused;
}

/** Numbers between 0 and 1 that are the same for the same seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

/** Places that hold structures: not empty, and not the text of files. In units of 64 bytes. */
export function usedPlaces(bytes: Uint8Array): number[] {
  const isText = (byte: number): boolean => byte === 0x0a || (byte >= 0x20 && byte < 0x7f);
  const places: number[] = [];
  for (let at = 0; at + 64 <= bytes.length; at += 64) {
    const piece = bytes.subarray(at, at + 64);
    if (piece.some((byte) => byte !== 0) && !piece.every(isText)) places.push(at);
  }
  return places;
}

/** A few changes at random: bytes, words at their limits, copies of other places. */
export function mutate(bytes: Uint8Array, places: readonly number[], random: () => number): PatchedDisk {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T; // safe: never empty here
  const patches: { at: number; bytes: Uint8Array }[] = [];
  const count = 1 + Math.floor(random() * random() * 24);
  for (let i = 0; i < count; i++) {
    const at = pick(places) + Math.floor(random() * 64);
    const kind = random();
    if (kind < 0.35) patches.push({ at, bytes: Uint8Array.of(Math.floor(random() * 256)) });
    else if (kind < 0.5)
      patches.push({ at, bytes: Uint8Array.of((bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8))) });
    else if (kind < 0.8) {
      const value = pick([
        0,
        1,
        0x7f,
        0xff,
        0x7fff,
        0xffff,
        0x7fffffff,
        0xffffffff,
        Math.floor(random() * 4096),
      ]);
      const word = new Uint8Array(4);
      new DataView(word.buffer).setUint32(0, value, random() < 0.8);
      patches.push({ at: at & ~3, bytes: word.subarray(0, pick([2, 4])) });
    } else {
      const from = pick(places);
      patches.push({ at: at & ~63, bytes: bytes.slice(from, from + pick([8, 64, 128])) });
    }
  }
  return new PatchedDisk(
    bytes,
    patches.filter((patch) => patch.at + patch.bytes.length <= bytes.length),
  );
}
