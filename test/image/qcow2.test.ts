/** qcow2 images of every kind that qemu-img makes: what is read equals what qemu-img reads. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { qcow2 } from '../../src/image/qcow2/index.js';
import { readAll } from '../support/gaits.js';
import { openImage, readImageInfo, readImageSnapshots } from '../support/host-images.js';
import { sha256 } from '../support/tell.js';
import { testImageConformance } from './conformance.js';
import { damagedImages, readCases, unpackFixtures } from './fixtures.js';

const directory = unpackFixtures();
const cases = readCases(directory);

testImageConformance({
  format: qcow2,
  directory,
  cases,
  compareFacts(info, told) {
    const specific = (told['format-specific'] as { data: Record<string, unknown> }).data;
    assert.equal(info.encrypted, told.encrypted ?? false);
    assert.equal(info.dataFile, specific['data-file']);
    assert.equal(info.facts['cluster-size'], told['cluster-size']);
    assert.equal(info.facts['dirty-flag'], told['dirty-flag']);
    assert.equal(info.facts.bitmaps, (specific.bitmaps as unknown[] | undefined)?.length);
    for (const key of [
      'compat',
      'compression-type',
      'refcount-bits',
      'lazy-refcounts',
      'corrupt',
      'extended-l2',
      'data-file-raw',
    ]) {
      assert.equal(info.facts[key], specific[key], key);
    }
    assert.equal(info.snapshotCount, ((told.snapshots ?? []) as unknown[]).length);
  },
  damage: {
    images: damagedImages,
    // The header, and the first clusters, where the tables are.
    places: (image) => [
      [0, 120],
      [0, Math.min(image.length, 6 * 65_536)],
    ],
    milliseconds: 2000,
    snapshots: ['1', 'first'],
  },
});

test('the internal snapshots are those that qemu-img shows', () => {
  let count = 0;
  for (const { image, info } of cases) {
    const told = (info.snapshots ?? []) as Record<string, unknown>[];
    count += told.length;
    const path = join(directory, image);
    assert.deepEqual(
      [...readImageSnapshots(path)].map(({ id, name, createdAt, vmStateSizeInBytes }) => [
        id,
        name,
        createdAt,
        vmStateSizeInBytes,
      ]),
      told.map((their) => [their.id, their.name, their['date-sec'], their['vm-state-size']]),
      image,
    );
  }
  assert.ok(count > 0);
});

test('a snapshot is found by its id before its name, and one that is not there is ENOENT', () => {
  const path = join(directory, 'snapshots.qcow2');
  const byId = openImage(path, { snapshot: '2' });
  const byName = openImage(path, { snapshot: 'the second' });
  assert.equal(sha256(readAll(byId.disk)), sha256(readAll(byName.disk)));
  byId.disk.close();
  byName.disk.close();
  assert.throws(() => openImage(path, { snapshot: 'third' }), { code: 'ENOENT' });
  assert.throws(() => openImage(join(directory, 'v3.qcow2'), { snapshot: '1' }), { code: 'ENOENT' });
});

test('a snapshot has the size that the disk had', () => {
  const sizes = [...readImageSnapshots(join(directory, 'snapshots.qcow2'))].map((s) => s.virtualSizeInBytes);
  assert.deepEqual(sizes, [1048576, 2097152]);
});

test('a chain is told from the top down, with paths and formats', () => {
  const { disk, chain } = openImage(join(directory, 'over-over.qcow2'));
  disk.close();
  assert.deepEqual(
    chain.map(({ path, format }) => [path.slice(directory.length + 1), format]),
    [
      ['over-over.qcow2', 'qcow2'],
      ['over-sub.qcow2', 'qcow2'],
      ['over-raw.qcow2', 'qcow2'],
      ['base.raw', 'raw'],
    ],
  );
});

test('an image that was not closed, or is marked corrupt, is read with a warning', () => {
  const warnings: string[] = [];
  openImage(join(directory, 'lazy.qcow2'), { warn: (message) => warnings.push(message) }).disk.close();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /lazy\.qcow2: .*not closed/);
});

test('an encrypted image tells its header and refuses its contents, naming the encryption', () => {
  for (const method of ['aes', 'luks']) {
    const path = join(directory, `encrypted-${method}.qcow2`);
    const info = readImageInfo(path);
    assert.equal(info.encrypted, true);
    assert.equal(info.facts['encryption-format'], method);
    assert.throws(() => openImage(path), {
      name: 'UnsupportedError',
      message: new RegExp(`${method} encryption`, 'i'),
    });
  }
});
