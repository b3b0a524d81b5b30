/** Parallels, QED and qcow images of every kind that qemu-img makes: what is read equals what qemu-img reads. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parallels } from '../../src/image/parallels/index.js';
import { qcow } from '../../src/image/qcow/index.js';
import { qed } from '../../src/image/qed/index.js';
import { readAll } from '../support/gaits.js';
import { openImage, readImageInfo } from '../support/host-images.js';
import { scratchDirectory } from '../support/scratch.js';
import { sha256 } from '../support/tell.js';
import { testImageConformance } from './conformance.js';
import { readCases, unpackFixtures } from './fixtures.js';

/** A copy of an image with a 32-bit number changed. */
function changed(from: string, at: number, value: number, endian: 'little' | 'big'): string {
  const path = join(scratchDirectory(), 'changed');
  const bytes = readFileSync(from);
  if (endian === 'little') bytes.writeUInt32LE(value, at);
  else bytes.writeUInt32BE(value, at);
  writeFileSync(path, bytes);
  return path;
}

describe('Parallels', () => {
  const directory = unpackFixtures('parallels');
  testImageConformance({
    format: parallels,
    directory,
    cases: readCases(directory),
    damage: {
      images: ['clusters.hds', 'small.hds', 'sectors.hds'],
      places: () => [
        [16, 56],
        [64, 256],
      ],
      milliseconds: 400,
    },
  });

  test('an image that was not closed is read with a warning', () => {
    const told: string[] = [];
    openImage(join(directory, 'in-use.hds'), { warn: (message) => told.push(message) }).disk.close();
    assert.match(told.join(), /not closed properly/);
    assert.equal(readImageInfo(join(directory, 'in-use.hds')).facts['dirty-flag'], true);
  });

  test('an impossible cluster size and a table that is too small are refused', () => {
    const from = join(directory, 'clusters.hds');
    for (const [at, value] of [
      [28, 0],
      [28, 0x7fff_ffff],
      [32, 1],
    ] as const)
      assert.throws(() => openImage(changed(from, at, value, 'little')), { name: 'CorruptError' });
    // In this form all of the size counts.
    assert.throws(() => openImage(changed(from, 40, 0x100_0000, 'little')), { name: 'CorruptError' });
  });
});

describe('QED', () => {
  const directory = unpackFixtures('qed');
  testImageConformance({
    format: qed,
    directory,
    cases: readCases(directory),
    compareFacts(info, told) {
      assert.equal(info.facts['cluster-size'], told['cluster-size']);
      assert.equal(info.facts['dirty-flag'], told['dirty-flag']);
    },
    damage: {
      images: ['plain.qed', 'small.qed', 'over.qed'],
      places: () => [
        [0, 64],
        [64 * 1024, 64 * 1024 + 64],
        [0, 192 * 1024],
      ],
      milliseconds: 400,
    },
  });

  test('an image that was not closed is read with a warning, and unknown features are refused', () => {
    const told: string[] = [];
    const path = join(directory, 'dirty.qed');
    openImage(path, { warn: (message) => told.push(message) }).disk.close();
    assert.match(told.join(), /not closed properly/);
    assert.throws(() => openImage(changed(path, 16, 0x12, 'little')), {
      name: 'UnsupportedError',
      message: /features 0x10/,
    });
  });
});

describe('qcow', () => {
  const directory = unpackFixtures('qcow');
  testImageConformance({
    format: qcow,
    directory,
    cases: readCases(directory),
    compareFacts(info, told) {
      assert.equal(info.facts['cluster-size'], told['cluster-size']);
    },
    damage: {
      images: ['plain.qcow', 'compressed.qcow', 'odd.qcow'],
      places: () => [
        [0, 64],
        [0, 8192],
      ],
      milliseconds: 400,
    },
  });

  test('a backing file, whose format no header tells, is read through where the image is trusted', () => {
    const path = join(directory, 'over.qcow');
    assert.throws(() => openImage(path), { code: 'EPERM', message: /does not say what format/ });
    const { disk, chain } = openImage(path, { policy: 'trusted' });
    assert.equal(sha256(readAll(disk)), sha256(readFileSync(join(directory, 'over.contents'))));
    disk.close();
    assert.deepEqual(
      chain.map(({ format }) => format),
      ['qcow', 'raw'],
    );
  });

  test('encryption is told of and refused', () => {
    const path = join(directory, 'encrypted.qcow');
    assert.equal(readImageInfo(path).encrypted, true);
    assert.throws(() => openImage(path), { name: 'UnsupportedError', message: /AES encryption/ });
  });

  test('impossible sizes of clusters and tables are refused', () => {
    const from = join(directory, 'plain.qcow');
    for (const value of [0x0809_0000, 0x110a_0000, 0x0c05_0000, 0x0c0e_0000])
      assert.throws(() => openImage(changed(from, 32, value, 'big')), { name: 'CorruptError' });
  });
});
