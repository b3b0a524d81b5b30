/** VDIs that qemu-img makes, and those that it cannot make: differences, blocks of other sizes, blocks of zeroes. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { vdi } from '../../src/image/vdi/index.js';
import { readAll } from '../support/gaits.js';
import { openImage, readImageSummary } from '../support/host-images.js';
import { scratchDirectory } from '../support/scratch.js';
import { sha256 } from '../support/tell.js';
import { testImageConformance } from './conformance.js';
import { readCases, unpackFixtures } from './fixtures.js';

const directory = unpackFixtures('vdi');
const all = readCases(directory);
const base = 'a_disk.vdi';
const middle = '{b1b1b1b1-b1b1-b1b1-b1b1-b1b1b1b1b1b1}.vdi';
const top = '{b2b2b2b2-b2b2-b2b2-b2b2-b2b2b2b2b2b2}.vdi';

testImageConformance({
  format: vdi,
  directory,
  // The header knows the base of the chain by its UUID alone, so its name is no part of the header.
  cases: all.filter(({ image }) => image !== middle && image !== top),
  compareFacts(info, told) {
    if (told['cluster-size'] !== undefined) assert.equal(info.facts['block-size'], told['cluster-size']);
  },
  damage: {
    images: ['dynamic.vdi', 'static.vdi', 'small-blocks.vdi', top],
    places: () => [
      [64, 80],
      [340, 512],
      [512, 544],
    ],
    milliseconds: 500,
  },
});

const original = (name: string): Buffer => readFileSync(join(directory, name));
const contentsOf = (image: string) => all.find((of) => of.image === image)?.sha256;

/** Copies of the chain, of which the test may change any. */
function chain(): string {
  const copy = scratchDirectory();
  for (const name of [base, middle, top]) writeFileSync(join(copy, name), original(name));
  return copy;
}

function hashOf(path: string, options: Parameters<typeof openImage>[1] = {}): string {
  const { disk } = openImage(path, options);
  try {
    return sha256(readAll(disk));
  } finally {
    disk.close();
  }
}

test('a difference finds its parents by their UUIDs: by the name that VirtualBox gives, or among the files near it', () => {
  const copy = chain();
  for (const name of [base, middle, top]) assert.equal(hashOf(join(copy, name)), contentsOf(name), name);
  renameSync(join(copy, middle), join(copy, 'renamed.VDI'));
  writeFileSync(join(copy, 'aaa.vdi'), 'no image');
  assert.equal(hashOf(join(copy, top)), contentsOf(top));
  const { disk, chain: links } = openImage(join(copy, top));
  disk.close();
  assert.deepEqual(
    links.map(({ path }) => path.slice(copy.length + 1)),
    [top, 'renamed.VDI', base],
  );
});

test('the base of a machine lies above its snapshots, where only a trusted image looks', () => {
  const copy = chain();
  mkdirSync(join(copy, 'Snapshots'));
  for (const name of [middle, top]) renameSync(join(copy, name), join(copy, 'Snapshots', name));
  assert.equal(hashOf(join(copy, 'Snapshots', top), { policy: 'trusted' }), contentsOf(top));
  assert.throws(() => openImage(join(copy, 'Snapshots', top)), {
    code: 'ENOENT',
    message: /b0b0b0b0-.*of .*\{b1b1b1b1-/,
  });
});

test('a parent that is missing, or that was written to since, is an error that names both', () => {
  const copy = chain();
  const bytes = original(base);
  bytes.fill(0xaf, 408, 424);
  writeFileSync(join(copy, base), bytes);
  assert.throws(() => openImage(join(copy, top)), {
    name: 'CorruptError',
    message:
      /\{b1b1b1b1-.*‘a_disk\.vdi’.*expected=b0b0b0b0-.* as of a0a0a0a0-.*found=b0b0b0b0-.* as of afafafaf-/,
  });
  unlinkSync(join(copy, base));
  assert.throws(() => openImage(join(copy, top)), {
    code: 'ENOENT',
    message: /\{b0b0b0b0-.*of .*\{b1b1b1b1-/,
  });
  assert.equal(readImageSummary(join(copy, top)).hasBackingFile, true);
});

test('a difference that does not say which state it is over takes its parent in any', () => {
  const copy = chain();
  const bytes = original(middle);
  bytes.fill(0, 440, 456);
  writeFileSync(join(copy, middle), bytes);
  assert.equal(hashOf(join(copy, middle)), contentsOf(middle));
});

test('kinds that are not known, and a map that is too small, are refused', () => {
  const path = join(scratchDirectory(), 'x.vdi');
  for (const [at, value, name] of [
    [76, 3, 'UnsupportedError'],
    [68, 0x20001, 'UnsupportedError'],
    [360, 4096, 'UnsupportedError'],
    [376, 3000, 'CorruptError'],
    [384, 1, 'CorruptError'],
  ] as const) {
    const bytes = original('dynamic.vdi');
    bytes.writeUInt32LE(value, at);
    writeFileSync(path, bytes);
    assert.throws(() => openImage(path), { name }, `${at}`);
  }
});
