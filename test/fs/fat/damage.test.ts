/** Damaged FAT volumes: every field at its limits, cut short, loops in the table, random bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { fat } from '../../../src/fs/fat/index.js';
import { readAll } from '../../support/gaits.js';
import { Random } from '../../support/random.js';
import { openBytes, survive, useAll } from '../conformance.js';
import { fatVolumes, placesOf, suite } from './suite.js';

const open = (image: Uint8Array) => openBytes(fat, image);

test('every byte of the boot sector at 0 and at its maximum is survived', () => {
  const volume = fatVolumes.readBuffer('fat12');
  for (let at = 0; at < 90; at++) {
    for (const value of [0, 0xff]) {
      const image = Buffer.from(volume);
      image[at] = value;
      survive(suite, new MemoryDisk(image));
    }
  }
});

test('boot sectors that Linux refuses are CorruptErrors that name the field', () => {
  const bends: [RegExp, string, (image: Buffer) => void][] = [
    [/rsvd_sec_cnt/, 'fat16', (image) => image.writeUInt16LE(0, 14)],
    [/num_fats/, 'fat16', (image) => image.writeUInt8(0, 16)],
    [/media/, 'fat16', (image) => image.writeUInt8(0x12, 21)],
    [/byts_per_sec/, 'fat16', (image) => image.writeUInt16LE(256, 11)],
    [/byts_per_sec/, 'fat16', (image) => image.writeUInt16LE(8192, 11)],
    [/byts_per_sec/, 'fat16', (image) => image.writeUInt16LE(1000, 11)],
    [/sec_per_clus/, 'fat16', (image) => image.writeUInt8(0, 13)],
    [/sec_per_clus/, 'fat16', (image) => image.writeUInt8(96, 13)],
    [/fat_sz/, 'fat16', (image) => image.fill(0, 22, 24).fill(0, 36, 40)],
    [/root_ent_cnt/, 'fat16', (image) => image.writeUInt16LE(17, 17)],
    [/sectors/, 'fat16', (image) => image.writeUInt16LE(3, 19)],
    [/FSInfo/, 'fat32', (image) => image.writeUInt16LE(0xffff, 48) && image.writeUInt16LE(4096, 11)],
    [/starts at no cluster/, 'fat32', (image) => image.writeUInt32LE(1, 44)],
    [/starts at no cluster/, 'fat32', (image) => image.writeUInt32LE(0xffffffff, 44)],
  ];
  for (const [message, name, bend] of bends) {
    const image = fatVolumes.readBuffer(name);
    bend(image);
    assert.throws(() => open(image), { name: 'CorruptError', message }, message.source);
  }
});

test('NTFS and exFAT, which begin alike, are not taken for FAT', () => {
  for (const words of ['NTFS    ', 'EXFAT   ']) {
    const sector = Buffer.alloc(65_536);
    sector.write(`\xeb\x52\x90${words}`, 0, 'latin1');
    sector.writeUInt16LE(words.startsWith('NTFS') ? 512 : 0, 11);
    sector.writeUInt8(8, 13);
    sector.writeUInt8(0xf8, 21);
    sector.writeUInt16LE(0xaa55, 510);
    assert.equal(fat.probe(new MemoryDisk(sector)), undefined);
    assert.throws(() => open(sector), { name: 'CorruptError' });
  }
});

test('a chain that loops is a CorruptError, in a directory and in a file', () => {
  for (const name of ['fat16', 'fat32']) {
    const image = fatVolumes.readBuffer(name);
    const { table, wide } = placesOf(image);
    const fs = open(image);
    const chainOf = (path: string) => {
      const inode = fs.lookup(fs.root, path) ?? 0;
      const entry = inode * 32;
      return {
        inode,
        entry,
        first: image.readUInt16LE(entry + 26) + (wide ? image.readUInt16LE(entry + 20) * 65536 : 0),
      };
    };
    const setNext = (cluster: number, next: number) =>
      wide ? image.writeUInt32LE(next, table + cluster * 4) : image.writeUInt16LE(next, table + cluster * 2);
    const many = chainOf('many');
    setNext(many.first, many.first);
    assert.throws(() => open(image).stat(many.inode), { name: 'CorruptError', message: /loops|too long/ });
    const torn = chainOf('torn.bin');
    image.writeUInt32LE(0xffffffff, torn.entry + 28);
    setNext(torn.first, torn.first);
    const data = open(image).data(torn.inode);
    assert.throws(() => data.read(new Uint8Array(10), data.size - 10), {
      name: 'CorruptError',
      message: /loops/,
    });
  }
});

test('a directory that is its own child can be walked to a limit, and no further harm comes of it', () => {
  const image = fatVolumes.readBuffer('fat12');
  const fs = open(image);
  const deep = fs.lookup(fs.root, 'deep') ?? 0;
  const below = fs.lookup(deep, 'a') ?? 0;
  image.copy(image, below * 32 + 26, deep * 32 + 26, deep * 32 + 28);
  assert.ok(useAll(open(image)) > 100);
});

test('a directory without . and .. is a CorruptError when looked at, as in Linux', () => {
  const image = fatVolumes.readBuffer('fat16');
  const fs = open(image);
  const empty = fs.lookup(fs.root, 'empty') ?? 0;
  const { root } = placesOf(image);
  const data = root + image.readUInt16LE(17) * 32;
  const start = data + (image.readUInt16LE(empty * 32 + 26) - 2) * image.readUInt8(13) * 512;
  image[start] = 0xe5;
  assert.throws(() => open(image).stat(empty), { name: 'CorruptError' });
  image.writeUInt16LE(0, empty * 32 + 26);
  assert.throws(() => open(image).stat(empty), { name: 'CorruptError' });
});

test('a table that the disk ends in is a CorruptError, not a wrong count', () => {
  const volume = fatVolumes.readBuffer('fat16');
  volume.writeUInt16LE(0xffff, 22); // a table that goes on beyond the end of the disk
  assert.throws(() => open(volume), { name: 'CorruptError' });
  const wide = fatVolumes.readBuffer('fat32');
  wide.writeUInt32LE(2, 44);
  const cut = wide.subarray(0, placesOf(wide).table + 100) as Buffer;
  assert.throws(() => open(cut).usage(), { name: 'CorruptError', message: /cut short/ });
});

test('random bytes are no FAT, and open to a CorruptError', () => {
  const random = new Random(7);
  for (let i = 0; i < 200; i++) {
    const bytes = Buffer.from(random.bytes(4096));
    if (i % 2 === 0) bytes.writeUInt16LE(0xaa55, 510);
    assert.equal(fat.probe(new MemoryDisk(bytes)), undefined);
    assert.throws(() => open(bytes), { name: 'CorruptError' });
  }
  assert.equal(fat.probe(new MemoryDisk(new Uint8Array(0))), undefined);
});

test('a file of 4 GiB on a small volume reads only as far as its chain', () => {
  const image = fatVolumes.readBuffer('fat12');
  const fs = open(image);
  const readme = fs.lookup(fs.root, 'README.TXT') ?? 0;
  image.writeUInt32LE(0xffffffff, readme * 32 + 28);
  const data = open(image).data(readme);
  assert.equal(data.size, 0xffffffff);
  const start = new Uint8Array(8);
  data.read(start, 0);
  assert.equal(Buffer.from(start).toString(), 'read me\n');
  assert.throws(() => readAll({ ...data, size: 10_000, read: data.read.bind(data) } as typeof data), {
    name: 'CorruptError',
  });
});

test('one bad name or a cluster that cannot be read does not hide the other files', () => {
  const image = fatVolumes.readBuffer('fat16');
  const whole = [...open(image).entries(1)].map(({ name }) => name);
  const { root } = placesOf(image);
  // The first file with a short name alone gets one that is none.
  let at = root;
  while (image[at] === 0xe5 || ((image[at + 11] ?? 0) & 0x08) !== 0 || image[at - 32 + 11] === 0x0f) at += 32;
  image[at] = 0x2f;
  assert.throws(() => [...open(image).entries(1)], { name: 'CorruptError' });
  const told: string[] = [];
  const rest = [...open(image).entries(1, ({ message }) => told.push(message))].map(({ name }) => name);
  assert.equal(rest.length, whole.length - 1);
  assert.equal(told.length, 1);
  assert.match(told.join(), /has a name that is none/);
});
