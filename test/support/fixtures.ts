/** The one loader of test/fixtures. A name is a path below that folder; names that end with `.gz` are unpacked. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Tests and the fuzzer run in the project's own folder. */
const root = resolve('test/fixtures');
/** No fixture is larger; in bytes. */
const largestFixture = 64 * 1024 * 1024;

/** The path on the host of a fixture or of a folder of fixtures. */
export function fixturePath(...parts: readonly string[]): string {
  return join(root, ...parts);
}

/**
 * The bytes of a fixture: a fresh copy each time, of memory that is shared with nobody (the `slice` of a Buffer would
 * share its memory). `size`: the size of an image that is stored without the zeroes at its end.
 */
export function readFixture(name: string, size?: number): Uint8Array {
  const stored = readFileSync(fixturePath(name));
  const bytes = name.endsWith('.gz') ? gunzipSync(stored, { maxOutputLength: largestFixture }) : stored;
  const copy = new Uint8Array(size ?? bytes.length);
  copy.set(bytes);
  return copy;
}

/** The same as a Buffer, with its readers and writers of numbers. */
export function readFixtureBuffer(name: string, size?: number): Buffer {
  const { buffer } = readFixture(name, size);
  return Buffer.from(buffer);
}

export function readFixtureText(name: string): string {
  return Buffer.from(readFixture(name).buffer).toString();
}

export function readFixtureJson<Content>(name: string): Content {
  return JSON.parse(readFixtureText(name)) as Content;
}

/** The fixtures in a folder, and below it, whose names in that folder fit; sorted. */
export function fixturesIn(folder: string, wanted: RegExp): string[] {
  return readdirSync(fixturePath(folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => wanted.test(name))
    .map((name) => join(folder, name))
    .sort();
}
