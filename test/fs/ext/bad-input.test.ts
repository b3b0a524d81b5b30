/** Damaged filesystems: every field of every structure at its limits, cut short everywhere, loops, and rubbish. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptError, type Fields, UnsupportedError } from '../../../src/base/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { blockMapOf } from '../../../src/fs/ext/blockmap.js';
import { ext } from '../../../src/fs/ext/index.js';
import { journalSuperblock } from '../../../src/fs/ext/journal/layout.js';
import {
  extentHeader,
  groupDescriptor,
  inodeAt,
  superblock as superblockLayout,
  xattrHeader,
} from '../../../src/fs/ext/layout.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import { PatchedDisk } from '../../support/damage.js';
import { Random } from '../../support/random.js';
import { pathsOf } from '../../support/tell.js';
import { survive } from '../conformance.js';
import { openExt, openFixture, readFixture } from './fixture.js';
import { suite } from './suite.js';

/** A filesystem without checksums, which would keep damage from reaching what lies behind them. */
const bytes = readFixture('ext4-hash-tea-unsigned');
const byBlockMap = readFixture('ext2-1k');
const inline = readFixture('ext4-inline-512');

function volumeOf(image: Uint8Array): ExtVolume {
  const disk = new MemoryDisk(image);
  const first = readSuperblockBytes(disk);
  assert.ok(first);
  return new ExtVolume(disk, decodeSuperblock(first, disk.size), { warn: () => {}, strict: true });
}

/** The inode of a path. */
function find(image: Uint8Array, path: string): number {
  const inode = pathsOf(openExt(new MemoryDisk(image))).get(path);
  assert.ok(inode, path);
  return inode;
}

/** Where a file's block `logical` lies; in bytes. */
function placeOf(image: Uint8Array, path: string, logical: number): number {
  const volume = volumeOf(image);
  const { block } = blockMapOf(volume, volume.inode(find(image, path))).find(logical, 1);
  assert.ok(block);
  return block * volume.superblock.blockSize;
}

/** Each place, of each length, set to nothing, to the largest value and to the largest signed one. */
function tryLimits(image: Uint8Array, places: Iterable<readonly [at: number, length: number]>): void {
  for (const [at, length] of places) {
    for (const fill of [[0], [0xff], [0xff, 0xff, 0xff, 0x7f]]) {
      const value = Uint8Array.from({ length }, (_, index) => fill[index % fill.length] ?? 0);
      survive(suite, new PatchedDisk(image, [{ at, bytes: value }]));
    }
  }
}

function fieldPlaces(fields: Fields, base: number): [number, number][] {
  return Object.values(fields).map(({ at, length }) => [base + at, length]);
}

function words(from: number, count: number, length: 2 | 4 = 4): [number, number][] {
  return Array.from({ length: count }, (_, index) => [from + index * length, length]);
}

test('every field of the superblock at its limits', () => {
  tryLimits(bytes, fieldPlaces(superblockLayout.fields, 1024));
});

test('every field of a group descriptor at its limits', () => {
  tryLimits(bytes, fieldPlaces(groupDescriptor.fields, 2048));
});

test('every field of inodes at its limits', () => {
  const volume = volumeOf(bytes);
  for (const path of ['/', '/many', '/links/300', '/many/pieces']) {
    const base = volume.inodeOffset(find(bytes, path));
    tryLimits(bytes, [
      ...Object.values(inodeAt).map((at) => [base + at, 4] as [number, number]),
      ...words(base + inodeAt.i_block, 15),
    ]);
  }
});

test('every field of inodes with block maps at its limits', () => {
  const volume = volumeOf(byBlockMap);
  for (const path of ['/many', '/sizes/holes', '/many/pieces'])
    tryLimits(byBlockMap, words(volume.inodeOffset(find(byBlockMap, path)) + inodeAt.i_block, 15));
});

test('every field of extent blocks at its limits', () => {
  const volume = volumeOf(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const inode = volume.inodeOffset(find(bytes, '/many/pieces'));
  assert.ok(
    view.getUint16(inode + inodeAt.i_block + extentHeader.fields.eh_depth.at, true) >= 1,
    'has a tree',
  );
  const child = view.getUint32(inode + inodeAt.i_block + 16, true) * volume.superblock.blockSize;
  assert.equal(view.getUint16(child, true), 0xf30a);
  tryLimits(bytes, words(child, 24, 2));
});

test('every field of directory entries at its limits', () => {
  for (const [path, logical] of [
    ['/', 0],
    ['/links', 0],
    ['/many', 0],
    ['/many', 1],
  ] as const)
    tryLimits(bytes, words(placeOf(bytes, path, logical), 24, 2));
});

test('every field of inline directories, files and attributes at its limits', () => {
  const volume = volumeOf(inline);
  for (const path of ['/links', '/attributes/few'])
    tryLimits(inline, words(volume.inodeOffset(find(inline, path)) + inodeAt.i_block, 48));
});

test('every field of attribute blocks at its limits', () => {
  const image = readFixture('ext2-1k');
  const volume = volumeOf(image);
  const { attributeBlock } = volume.inode(find(image, '/attributes/few'));
  assert.ok(attributeBlock > 0);
  const base = attributeBlock * volume.superblock.blockSize;
  tryLimits(image, [...fieldPlaces(xattrHeader.fields, base), ...words(base + xattrHeader.size, 24, 2)]);
});

test('every field of the journal at its limits', () => {
  const image = readFixture('journal-64bit');
  const volume = volumeOf(image);
  const map = blockMapOf(volume, volume.anyInode(8));
  const place = (logical: number): number => {
    const { block } = map.find(logical, 1);
    assert.ok(block);
    return block * volume.superblock.blockSize;
  };
  tryLimits(image, fieldPlaces(journalSuperblock.fields, place(0)));
  for (let logical = 1; logical < 16; logical++) tryLimits(image, words(place(logical), 8));
});

test('cut short at every kibibyte', () => {
  for (let size = 0; size < bytes.length; size += size < 65536 ? 1024 : 131072) {
    const error = survive(suite, new MemoryDisk(bytes.subarray(0, size)));
    assert.ok(error instanceof CorruptError, `${size} bytes`);
  }
});

test('random bytes, behind a magic number or not', () => {
  const random = new Random(1);
  for (let round = 0; round < 60; round++) {
    const rubbish = Uint8Array.from({ length: 16384 }, () => Math.floor(random.next() * 256));
    if (round % 2 === 0) rubbish.set([0x53, 0xef], 1024 + 0x38);
    assert.ok(survive(suite, new MemoryDisk(rubbish)) !== undefined);
  }
  assert.equal(ext.probe(new MemoryDisk(new Uint8Array(0))), undefined);
  assert.equal(ext.probe(new MemoryDisk(new Uint8Array(2048))), undefined);
});

/** Opens a fixture with some bytes changed. */
function opened(image: Uint8Array, at: number, ...values: number[]) {
  return openExt(new PatchedDisk(image, [{ at, bytes: Uint8Array.from(values) }]));
}

test('a geometry that cannot be is refused, and says what is wrong', () => {
  const field = (name: keyof typeof superblockLayout.fields): number =>
    1024 + superblockLayout.fields[name].at;
  const cases: [string, number, number[], RegExp][] = [
    ['no blocks in a group', field('s_blocks_per_group'), [0, 0, 0, 0], /no blocks in a group/],
    ['no inodes in a group', field('s_inodes_per_group'), [0, 0, 0, 0], /inodes of a group/],
    ['blocks of 2^50 bytes', field('s_log_block_size'), [40, 0, 0, 0], /(block|fragment|cluster) size/],
    ['odd inodes', field('s_inode_size'), [0x81, 0], /inode size/],
    [
      'more blocks than the disk',
      field('s_blocks_count_lo'),
      [0xff, 0xff, 0xff, 0x0f],
      /larger than its disk/,
    ],
    ['another number of inodes', field('s_inodes_count'), [1, 2, 3, 0], /inode count/],
  ];
  for (const [what, at, values, message] of cases)
    assert.throws(() => opened(bytes, at, ...values), { name: 'CorruptError', message }, what);
});

test('a feature that is not known is refused by its name', () => {
  const at = 1024 + superblockLayout.fields.s_feature_incompat.at;
  const features = (index: number): number => bytes[at + index] ?? 0;
  assert.throws(
    () => opened(bytes, at + 3, features(3) | 0x80),
    (error) => error instanceof UnsupportedError && error.features.includes('FEATURE_I31'),
  );
  assert.throws(() => opened(bytes, at, features(0) | 1), /compression/);
  assert.throws(() => opened(bytes, at + 1, features(1) | 0x10), /dirdata/);
  assert.throws(() => opened(bytes, at, features(0) | 8), /journal_dev/);
  // To readers, what only matters to writers does not matter.
  const writersOnly = 1024 + superblockLayout.fields.s_feature_ro_compat.at + 3;
  assert.equal(pathsOf(opened(bytes, writersOnly, 0x80)).size, pathsOf(openExt(new MemoryDisk(bytes))).size);
});

test('each checksum that is wrong is noticed, and what it belongs to is named', () => {
  const image = readFixture('ext4-1k');
  const volume = volumeOf(image);
  const flip = (at: number, action: (fs: ReturnType<typeof openExt>) => void, message: RegExp): void => {
    const patched = new PatchedDisk(image, [{ at, bytes: Uint8Array.of((image[at] ?? 0) ^ 0x10) }]);
    assert.throws(() => action(openExt(patched)), { name: 'CorruptError', message });
  };
  const pieces = find(image, '/many/pieces');
  flip(1024 + 0x78, () => {}, /superblock: has a bad checksum/);
  flip(2048 + 0xc, () => {}, /group descriptor 0: has a bad checksum/);
  flip(
    volume.inodeOffset(pieces) + inodeAt.i_mtime,
    (fs) => fs.stat(pieces),
    /inode \d+: has a bad checksum/,
  );
  const root = volume.inode(pieces).blockArea;
  const child = new DataView(root.buffer, root.byteOffset).getUint32(16, true) * 1024;
  flip(
    child + 13,
    (fs) => fs.data(pieces).read(new Uint8Array(1024), 0),
    /extent block \d+: has a bad checksum/,
  );
  const many = find(image, '/many');
  flip(
    placeOf(image, '/many', 2) + 9,
    (fs) => [...fs.entries(many)],
    /directory: a block has a bad checksum/,
  );
  flip(
    placeOf(image, '/many', 0) + 45,
    (fs) => fs.lookup(many, 'x'),
    /directory: a block has a bad checksum/,
  );
  const empty = readFixture('ext4-inode-128');
  const few = find(empty, '/attributes/few');
  const at = volumeOf(empty).inode(few).attributeBlock * 1024 + 40;
  const damaged = openExt(new PatchedDisk(empty, [{ at, bytes: Uint8Array.of((empty[at] ?? 0) ^ 1) }]));
  assert.throws(() => damaged.xattrs(few), /attribute block \d+: has a bad checksum/);
});

test('a damaged group descriptor does not keep a filesystem from being read, as for the kernel', () => {
  const image = readFixture('ext4-1k');
  const at = 2048 + groupDescriptor.fields.bg_free_inodes_count_lo.at;
  const patched = new PatchedDisk(image, [{ at, bytes: Uint8Array.of((image[at] ?? 0) ^ 0x10) }]);
  const warnings: string[] = [];
  const fs = openExt(patched, { options: { ro: true }, warn: (message) => warnings.push(message) });
  assert.equal(pathsOf(fs).size, pathsOf(openFixture('ext4-1k')).size);
  assert.match(warnings.join(), /group descriptor 0: has a bad checksum/);
});

test('inode numbers that name nothing for users are corrupt', () => {
  const fs = openFixture('ext4-1k');
  for (const number of [0, 1, 3, 8, -1, 1.5, 2 ** 32, Number.NaN])
    assert.throws(() => fs.stat(number), CorruptError, String(number));
  assert.throws(() => openFixture('ext4-hash-tea-unsigned').stat(1000), /is not in use/);
});

test('files, links and directories are not taken for each other', () => {
  const fs = openFixture('ext4-1k');
  const paths = pathsOf(fs);
  const file = paths.get('/sizes/100') ?? 0;
  const link = paths.get('/links/short') ?? 0;
  assert.throws(() => fs.readlink(file), { code: 'EINVAL' });
  assert.throws(() => [...fs.entries(file)], { code: 'ENOTDIR' });
  assert.throws(() => fs.lookup(link, 'x'), { code: 'ENOTDIR' });
  assert.throws(() => fs.data(fs.root), { code: 'EISDIR' });
  assert.throws(() => fs.data(link), { code: 'EINVAL' });
});

test('a log that is not empty where nothing is to be recovered is not written over', () => {
  const image = readFixture('ext3-1k');
  const at = Buffer.from(image.buffer).indexOf(Buffer.from('c03b399800000004', 'hex'));
  assert.ok(at > 0);
  image.set(journalSuperblock.encode({ s_start: 1 }, image.slice(at, at + journalSuperblock.size)), at);
  const before = Uint8Array.from(image);
  const disk = new MemoryDisk(image, { writable: true });
  const fs = openExt(disk, { readonly: false });
  const change = () =>
    fs.writer?.create(fs.root, 'new', { type: 'file', permissions: 0o644, uid: 0, gid: 0 });
  assert.throws(change, { name: 'CorruptError', message: /is not empty/ });
  assert.deepEqual(image, before);
});
