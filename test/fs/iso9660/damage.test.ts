/** Damaged images: every field at its limits, cut short, loops, random bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { iso9660 } from '../../../src/fs/iso9660/index.js';
import { Random } from '../../support/random.js';
import { find } from '../../support/tell.js';
import { openBytes, survive, useAll } from '../conformance.js';
import { isoImages, primaryAt, rootOf, suite } from './suite.js';

const open = (image: Uint8Array) => openBytes(iso9660, image);

test('every byte of the descriptor and of the root directory at 0 and at its maximum is survived', () => {
  const image = isoImages.readBuffer('rock');
  const root = rootOf(image);
  for (let at = primaryAt; at < primaryAt + 190; at++) change(at);
  for (let at = root; at < root + 600; at++) change(at);
  function change(at: number): void {
    const kept = image[at] ?? 0;
    for (const value of [0, 0xff]) {
      image[at] = value;
      survive(suite, new MemoryDisk(image));
    }
    image[at] = kept;
  }
});

test('an image without a primary descriptor is a CorruptError; High Sierra is not supported', () => {
  assert.throws(() => open(new Uint8Array(300_000)), { name: 'CorruptError' });
  assert.throws(() => open(new Uint8Array(0)), { name: 'CorruptError' });
  const image = isoImages.readBuffer('level1');
  image.write('CDROM', primaryAt + 9);
  image.write('XXXXX', primaryAt + 1);
  assert.throws(() => open(image), { name: 'UnsupportedError', message: /High Sierra/ });
});

test('blocks of other sizes than 512, 1024 and 2048 are CorruptErrors', () => {
  for (const size of [0, 1, 256, 4096, 65535]) {
    const image = isoImages.readBuffer('level1');
    image.writeUInt16LE(size, primaryAt + 128);
    assert.throws(() => open(image), { name: 'CorruptError', message: /block size/ });
  }
});

test('a root that is a file is a CorruptError', () => {
  const image = isoImages.readBuffer('level1');
  const root = rootOf(image);
  image[root + 25] = 0;
  assert.throws(() => open(image), { name: 'CorruptError', message: /no directory/ });
});

test('a directory that is its own child can be walked to a limit', () => {
  const image = isoImages.readBuffer('level1');
  const root = image.readUInt32LE(primaryAt + 158);
  const at = image.indexOf('EMPTY_DI', root * 2048);
  image.writeUInt32LE(root, at - 33 + 2);
  const fs = open(image);
  assert.equal(fs.lookup(fs.root, 'empty_di'), fs.root);
  assert.ok(useAll(open(image)) > 100);
});

test('a relocated directory that stands for itself is walked once', () => {
  const image = isoImages.readBuffer('rock');
  const fs = open(image);
  const above = find(fs, '/deep/2/3/4/5/6/7');
  const link = image.indexOf('CL\x0c\x01', above * 32);
  assert.ok(link > 0);
  image.writeUInt32LE(above / 64, link + 4);
  assert.ok(useAll(open(image)) > 100);
});

test('a file of endlessly many sections is a CorruptError', () => {
  const image = isoImages.readBuffer('level1');
  const root = rootOf(image);
  for (let at = root; at < root + 2048 && image[at] !== 0; at += image[at] ?? 0) {
    if (at > root + 100) image[at + 25] = 0x80;
  }
  survive(suite, new MemoryDisk(image));
});

test('random bytes are no ISO 9660, and open to a CorruptError', () => {
  const random = new Random(3);
  for (let i = 0; i < 20; i++) {
    const bytes = random.bytes(45_000);
    assert.equal(iso9660.probe(new MemoryDisk(bytes)), undefined);
    assert.throws(() => open(bytes), { name: 'CorruptError' });
  }
});

test('a record that breaks the rules does not hide the records of other sectors, nor those before it', () => {
  const image = isoImages.readBuffer('rock');
  const whole = [...open(image).entries(open(image).root)];
  const root = rootOf(image);
  const length = image.readUInt32LE(primaryAt + 166);
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
