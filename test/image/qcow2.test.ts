/** qcow2 images of every kind that qemu-img makes: what is read equals what qemu-img reads. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { type OpenedImage, openImage, readImageInfo, readImageSnapshots } from '../../src/image/index.js';
import { joined, readAll, spansOf } from '../support/gaits.js';
import { type ImageCase, readCases, unpackFixtures } from './fixtures.js';

const directory = unpackFixtures();
const cases = readCases(directory);

function open(of: ImageCase): OpenedImage {
  return openImage(join(directory, of.image), {
    policy: 'untrusted',
    ...(of.snapshot === '' ? {} : { snapshot: of.snapshot }),
  });
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

for (const of of cases) {
  const title = of.snapshot === '' ? of.image : `${of.image}, snapshot ‘${of.snapshot}’`;

  test(`${title} reads as in qemu, whole, cluster by cluster and at odd places`, () => {
    const { disk } = open(of);
    try {
      assert.equal(disk.size, of.size);
      const whole = readAll(disk);
      assert.equal(sha256(whole), of.sha256);
      assert.ok(Buffer.compare(whole, readAll(disk, 65536)) === 0, '64 KiB at a time');
      assert.ok(Buffer.compare(whole, readAll(disk, 4999)) === 0, '4,999 bytes at a time');
      for (let at = 0; at + 1 < disk.size; at += 40961) {
        const few = new Uint8Array(Math.min(700, disk.size - at));
        disk.read(few, at);
        assert.ok(Buffer.compare(few, whole.subarray(at, at + few.length)) === 0, `700 bytes at ${at}`);
      }
    } finally {
      disk.close();
    }
  });

  test(`${title} tells its holes as qemu-img map does, and they are zeroes`, () => {
    const { disk } = open(of);
    try {
      const spans = spansOf(disk);
      const whole = readAll(disk);
      for (const { start, length, zero } of spans) {
        if (zero) assert.ok(whole.subarray(start, start + length).every((byte) => byte === 0));
      }
      if (of.snapshot === '') assert.deepEqual(spans, joined(of.map));
    } finally {
      disk.close();
    }
  });

  test(`${title} has the header that qemu-img info shows`, () => {
    const info = readImageInfo(join(directory, of.image));
    const { info: theirs } = of;
    const specific = (theirs['format-specific'] as { data: Record<string, unknown> }).data;
    assert.equal(info.format, theirs.format);
    assert.equal(info.virtualSizeInBytes, theirs['virtual-size']);
    assert.equal(info.backingFile, theirs['backing-filename']);
    assert.equal(info.backingFormat, theirs['backing-filename-format']);
    assert.equal(info.encrypted, theirs.encrypted ?? false);
    assert.equal(info.dataFile, specific['data-file']);
    assert.equal(info.facts['cluster-size'], theirs['cluster-size']);
    assert.equal(info.facts['dirty-flag'], theirs['dirty-flag']);
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
    const snapshots = (theirs.snapshots ?? []) as Record<string, unknown>[];
    assert.equal(info.snapshotCount, snapshots.length);
    assert.deepEqual(
      [...readImageSnapshots(join(directory, of.image))].map(
        ({ id, name, createdAt, vmStateSizeInBytes }) => [id, name, createdAt, vmStateSizeInBytes],
      ),
      snapshots.map((their) => [their.id, their.name, their['date-sec'], their['vm-state-size']]),
    );
  });
}

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

test('a qcow2 image cannot be opened for writing yet', () => {
  assert.throws(() => openImage(join(directory, 'v3.qcow2'), { writable: true }), { code: 'ENOTSUP' });
});
