/** The images of test/fixtures and what qemu-img sees in them, unpacked into a directory that is removed at the end. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fixturesIn, readFixture } from '../support/fixtures.js';
import { scratchDirectory } from '../support/scratch.js';

/** One image, as `scripts/lib/image-truth.sh` wrote it down. */
export interface ImageCase {
  readonly image: string;
  /** Empty for the present state. */
  readonly snapshot: string;
  /** Where the image does not show its format. */
  readonly format?: string;
  readonly size: number;
  readonly sha256: string;
  /** Null where no foreign tool maps the image. */
  readonly map: readonly { start: number; length: number; zero: boolean }[] | null;
  readonly info: Readonly<Record<string, unknown>>;
}

/** Unpacks every fixture of a folder. */
export function unpackFixtures(folder = 'qcow2'): string {
  const directory = scratchDirectory();
  for (const name of fixturesIn(folder, /./))
    writeFileSync(join(directory, basename(name, '.gz')), readFixture(name));
  return directory;
}

/** qcow2 images that are damaged: of each kind of table one. */
export const damagedImages = [
  'v2',
  'v3',
  'c512',
  'sub16k',
  'zlib512',
  'zstd4k',
  'snapshots',
  'data',
  'over-over',
  'bitmaps',
].map((name) => `${name}.qcow2`);

/** One fixture's bytes. */
export function fixtureBytes(name: string): Uint8Array {
  return readFixture(`qcow2/${name}.gz`);
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
