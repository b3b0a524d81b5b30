/** Fixtures as bytes of their own: damage and its undoing never touch what another holds. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Target } from './target.js';

const fixtureRoot = join('test', 'fixtures');
/** Larger fixtures make slow rounds and find nothing more; in bytes. */
const largestFixture = 64 * 1024 * 1024;

/** A file below test/fixtures, unpacked. */
export function readFixture(name: string): Uint8Array {
  const stored = readFileSync(join(fixtureRoot, name));
  // A Buffer's `slice` would share its memory.
  return new Uint8Array(
    name.endsWith('.gz') ? gunzipSync(stored, { maxOutputLength: largestFixture }) : stored,
  );
}

export function loadFixture(target: Target, fixture: string): Uint8Array {
  return target.load === undefined ? readFixture(fixture) : new Uint8Array(target.load(fixture));
}

/** The fixtures of a folder whose names fit. */
export function fixturesIn(folder: string, wanted: RegExp): string[] {
  return readdirSync(join(fixtureRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => wanted.test(name))
    .map((name) => join(folder, name))
    .sort();
}
