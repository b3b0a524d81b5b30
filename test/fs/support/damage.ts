/** Damaged volumes: the driver must answer, or throw a CorruptError or an UnsupportedError, and come to an end. */
import assert from 'node:assert/strict';
import { CorruptError, UnsupportedError } from '../../../src/base/index.js';
import { type Disk, MemoryDisk } from '../../../src/disk/index.js';
import type { FileSystem, FileSystemDriver, InodeNumber } from '../../../src/fs/driver.js';
import { directoryKind, kindOf, regularKind, symlinkKind } from './comparison.js';
import { readOnly } from './volumes.js';

/** Runs `step`; swallows the two errors that damage may cause. Whether it went well. */
function survives(step: () => void): boolean {
  try {
    step();
    return true;
  } catch (error) {
    if (error instanceof CorruptError || error instanceof UnsupportedError) return false;
    throw error;
  }
}

const maxFiles = 2000;
const maxDepth = 64;

/** Uses everything that a driver offers on every file that is reached. Bounded, whatever the volume says. */
export function exercise(driver: FileSystemDriver, disk: Disk): { files: number; failures: number } {
  driver.probe(disk);
  let files = 0;
  let failures = 0;
  const attempt = (step: () => void) => {
    if (!survives(step)) failures++;
  };
  attempt(() => {
    const fs = driver.open?.(disk, readOnly);
    assert.ok(fs);
    attempt(() => fs.usage());
    const seen = new Set<InodeNumber>();
    const visit = (inode: InodeNumber, depth: number): void => {
      if (seen.has(inode) || depth > maxDepth || files >= maxFiles) return;
      seen.add(inode);
      files++;
      attempt(() => useFile(fs, inode));
      attempt(() => {
        if (kindOf(fs.stat(inode).mode) !== directoryKind) return;
        attempt(() => fs.parent(inode));
        attempt(() => fs.lookup(inode, 'no such name'));
        for (const entry of fs.entries(inode)) {
          assert.ok(
            entry.name !== '' && entry.name !== '.' && entry.name !== '..' && !entry.name.includes('/'),
          );
          visit(entry.inode, depth + 1);
          if (files >= maxFiles) return;
        }
      });
    };
    visit(fs.root, 0);
    fs.close();
  });
  return { files, failures };
}

function useFile(fs: FileSystem, inode: InodeNumber): void {
  const { mode } = fs.stat(inode);
  if (kindOf(mode) === symlinkKind) fs.readlink(inode);
  if (kindOf(mode) !== regularKind) return;
  const data = fs.data(inode);
  const start = new Uint8Array(Math.min(data.size, 65_536));
  survives(() => data.read(start, 0));
  if (data.size > 100) data.read(new Uint8Array(100), data.size - 100);
  if (data.size > 0) data.span(0, data.size);
}

/** A generator of numbers that gives the same ones at each run. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Changes a few bytes at the given places (or anywhere), to values that tend to hurt. */
function mutate(image: Buffer, random: (below: number) => number, places: readonly [number, number][]): void {
  const values = [0, 1, 0x7f, 0x80, 0xff];
  for (let i = 1 + random(6); i > 0; i--) {
    const [from, to] = places[random(places.length)] ?? [0, image.length];
    const at = from + random(to - from);
    const kind = random(4);
    if (kind === 0) image[at] = random(256);
    else if (kind === 1) image[at] = values[random(values.length)] ?? 0;
    else if (kind === 2) image.fill(values[random(values.length)] ?? 0, at, Math.min(at + 4, image.length));
    else image.copyWithin(at, from + random(to - from), from + random(to - from) + 32);
  }
}

/** Copies that are damaged at least, however slow the machine is. */
const leastRuns = 25;

/**
 * Damages copies of a volume at random for `milliseconds`, and uses each. A failure names the seed, which alone repeats it.
 */
export function fuzz(
  driver: FileSystemDriver,
  volume: Buffer,
  places: readonly [number, number][],
  milliseconds: number,
): void {
  const end = performance.now() + milliseconds;
  let runs = 0;
  for (let seed = 1; runs < leastRuns || performance.now() < end; seed++) {
    const image = Buffer.from(volume);
    mutate(image, seeded(seed), places);
    const began = performance.now();
    try {
      exercise(driver, new MemoryDisk(image));
    } catch (error) {
      throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
    }
    assert.ok(performance.now() - began < 5000, `seed ${seed} took too long`);
    runs++;
  }
}

/** Uses a volume cut off at each of these lengths. */
export function cutAt(driver: FileSystemDriver, volume: Buffer, lengths: Iterable<number>): void {
  for (const length of lengths) exercise(driver, new MemoryDisk(volume.subarray(0, length)));
}
