/** Damaged images: every field at its limits, cut short, loops, random bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { iso9660 } from '../../../src/fs/iso9660/index.js';
import { find } from '../support/comparison.js';
import { cutAt, exercise, fuzz, seeded } from '../support/damage.js';
import { readOnly, VolumeFolder } from '../support/volumes.js';

const images = new VolumeFolder('iso', 'iso');
const primary = 16 * 2048;

function open(image: Uint8Array) {
  const fs = iso9660.open?.(new MemoryDisk(image), readOnly);
  assert.ok(fs);
  return fs;
}

test('every byte of the descriptor and of the root directory at 0 and at its maximum is survived', () => {
  const image = images.read('rock');
  const root = image.readUInt32LE(primary + 158) * 2048;
  for (let at = primary; at < primary + 190; at++) survive(at);
  for (let at = root; at < root + 600; at++) survive(at);
  function survive(at: number): void {
    const kept = image[at] ?? 0;
    for (const value of [0, 0xff]) {
      image[at] = value;
      exercise(iso9660, new MemoryDisk(image));
    }
    image[at] = kept;
  }
});

test('images cut short at every structure are survived', () => {
  for (const name of ['rock', 'joliet', 'zisofs']) {
    const image = images.read(name);
    const root = image.readUInt32LE(primary + 158) * 2048;
    cutAt(iso9660, image, [
      0,
      1,
      primary,
      primary + 6,
      primary + 2047,
      primary + 2048,
      root,
      root + 1,
      root + 34,
      root + 100,
    ]);
    cutAt(iso9660, image, [root + 2048, root + 4095, image.length - 100_000, image.length - 1]);
  }
});

test('an image without a primary descriptor is a CorruptError; High Sierra is not supported', () => {
  assert.throws(() => open(new Uint8Array(300_000)), { name: 'CorruptError' });
  assert.throws(() => open(new Uint8Array(0)), { name: 'CorruptError' });
  const image = images.read('level1');
  image.write('CDROM', primary + 9);
  image.write('XXXXX', primary + 1);
  assert.throws(() => open(image), { name: 'UnsupportedError', message: /High Sierra/ });
});

test('blocks of other sizes than 512, 1024 and 2048 are CorruptErrors', () => {
  for (const size of [0, 1, 256, 4096, 65535]) {
    const image = images.read('level1');
    image.writeUInt16LE(size, primary + 128);
    assert.throws(() => open(image), { name: 'CorruptError', message: /block size/ });
  }
});

test('a root that is a file is a CorruptError', () => {
  const image = images.read('level1');
  const root = image.readUInt32LE(primary + 158) * 2048;
  image[root + 25] = 0;
  assert.throws(() => open(image), { name: 'CorruptError', message: /no directory/ });
});

test('a directory that is its own child can be walked to a limit', () => {
  const image = images.read('level1');
  const root = image.readUInt32LE(primary + 158);
  const at = image.indexOf('EMPTY_DI', root * 2048);
  image.writeUInt32LE(root, at - 33 + 2);
  const fs = open(image);
  assert.equal(fs.lookup(fs.root, 'empty_di'), fs.root);
  assert.ok(exercise(iso9660, new MemoryDisk(image)).files > 100);
});

test('a relocated directory that stands for itself is walked once', () => {
  const image = images.read('rock');
  const fs = open(image);
  const above = find(fs, '/deep/2/3/4/5/6/7');
  const link = image.indexOf('CL\x0c\x01', above * 32);
  assert.ok(link > 0);
  image.writeUInt32LE(above / 64, link + 4);
  assert.ok(exercise(iso9660, new MemoryDisk(image)).files > 100);
});

test('a file of endlessly many sections is a CorruptError', () => {
  const image = images.read('level1');
  const root = image.readUInt32LE(primary + 158) * 2048;
  for (let at = root; at < root + 2048 && image[at] !== 0; at += image[at] ?? 0) {
    if (at > root + 100) image[at + 25] = 0x80;
  }
  exercise(iso9660, new MemoryDisk(image));
});

test('random bytes are no ISO 9660, and open to a CorruptError', () => {
  const random = seeded(3);
  for (let i = 0; i < 20; i++) {
    const bytes = Uint8Array.from({ length: 45_000 }, () => random(256));
    assert.equal(iso9660.probe(new MemoryDisk(bytes)), undefined);
    assert.throws(() => open(bytes), { name: 'CorruptError' });
  }
});

test('images with random damage only ever give driver errors', () => {
  for (const name of ['rock', 'joliet', 'zisofs', 'odd-rock']) {
    const image = images.read(name);
    const root = image.readUInt32LE(primary + 158) * 2048;
    fuzz(
      iso9660,
      image,
      [
        [primary, primary + 200],
        [primary + 2048, primary + 2048 + 200],
        [root, root + 4096],
        [root, root + 80_000],
      ],
      500,
    );
  }
});

test('a record that breaks the rules does not hide the records of other sectors, nor those before it', () => {
  const image = images.read('rock');
  const whole = [...open(image).entries(open(image).root)];
  const root = image.readUInt32LE(primary + 158) * 2048;
  const length = image.readUInt32LE(primary + 166);
  assert.ok(length > 2048, 'the root has several sectors');
  // The third record of the first sector claims to be shorter than its name.
  let at = root;
  for (let record = 0; record < 2; record++) at += image[at] ?? 0;
  image[at] = 34;
  image[at + 32] = 200;
  const fs = open(image);
  assert.throws(() => [...fs.entries(fs.root)], { name: 'CorruptError' });
  const told: string[] = [];
  const rest = [...fs.entries(fs.root, ({ message }) => told.push(message))];
  assert.equal(told.length, 1, told.join('\n'));
  assert.ok(rest.length > 0 && rest.length < whole.length, `${rest.length} of ${whole.length}`);
  assert.deepEqual(rest, whole.slice(-rest.length));
});
