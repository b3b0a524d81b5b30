/** Every kind is tried: what opens a filesystem stands on the conformance suite, and of the others there is an image. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { type Disk, MemoryDisk } from '../../src/disk/index.js';
import { kinds, type LayerKind } from '../../src/engine/session/kinds.js';
import { recognise } from '../../src/engine/session/recognition.js';
import { needsSamples, openSample, sampleNames } from '../engine/session/samples.js';
import { readFixtureJson } from '../support/fixtures.js';
import type { FileSystemSuite } from './conformance.js';
import { fileSystemKinds } from './signatures/invented-filesystems.js';
import { imageOf } from './signatures/invention.js';
import { storageKinds } from './signatures/inventions.js';
import { diskOf, type ToldPieces } from './support/pieces.js';

const folder = resolve('test/fs');
const suites = await Promise.all(
  readdirSync(folder)
    .filter((name) => existsSync(join(folder, name, 'suite.ts')))
    .map(async (name) => ({ name, ...((await import(`./${name}/suite.js`)) as { suite: FileSystemSuite }) })),
);

const opensFileSystem = (kind: LayerKind): boolean => kind.role === 'filesystem' && kind.open !== undefined;

test('every kind that opens a filesystem has a suite in the folder of its name, and tests that run it', () => {
  const opening = kinds.filter(opensFileSystem);
  assert.ok(opening.length >= 3);
  assert.deepEqual(
    suites.map(({ suite }) => suite.driver.name).sort(),
    opening.map(({ name }) => name).sort(),
  );
  for (const { name, suite } of suites) {
    assert.equal(suite.driver.name, name);
    assert.ok(kinds.includes(suite.driver), name);
    assert.ok(existsSync(join(folder, name, 'conformance.test.ts')), name);
  }
});

const seenOn = (disk: Disk): string[] => recognise(disk).seen.map(({ kind }) => kind.name);

/** By which kinds each of our images of what is only recognised is seen. */
function seenOnImages(): string[][] {
  const made = ['signatures/signatures.json.gz', 'swap/swap.json.gz'].flatMap((name) =>
    Object.values(readFixtureJson<Record<string, ToldPieces>>(name)).map(diskOf),
  );
  const invented = [...fileSystemKinds, ...storageKinds].map((kind) => new MemoryDisk(imageOf(kind)));
  return [...made, ...invented].map(seenOn);
}

/** The same of the sample images of util-linux. */
function seenOnSamples(): string[][] {
  return sampleNames.map((name) => {
    const disk = openSample(name);
    try {
      return seenOn(disk);
    } finally {
      disk.close();
    }
  });
}

test('of every other kind there is an image that this kind alone recognises', needsSamples, () => {
  const all = [...seenOnImages(), ...seenOnSamples()];
  const alone = new Set(all.flatMap((names) => (names.length === 1 ? names : [])));
  const missing = kinds.filter((kind) => !opensFileSystem(kind) && !alone.has(kind.name));
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});

test('no image is recognised by two kinds, but for discs that are made to be both', () => {
  const several = seenOnImages().filter((names) => names.length > 1);
  assert.deepEqual(several, [['udf', 'iso9660']]);
});
