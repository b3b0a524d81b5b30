/** Filesystems made anew: the same bytes as mke2fs writes, and e2fsck has nothing to say. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { planExt } from '../../../src/fs/ext/format/format.js';
import type { FormatOptions } from '../../../src/fs/ext/format/options.js';
import { superblock } from '../../../src/fs/ext/layout.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { checkExt } from './check.js';

const uuid = Uint8Array.from({ length: 16 }, (_, index) => 17 * (index % 8) + 3);
const time = 1_700_000_000;
const mebibyte = 2 ** 20;
const { s_kbytes_written, s_checksum } = superblock.fields;

interface Case {
  readonly size: number;
  /** Of mke2fs, beside those for the identity. */
  readonly arguments: string;
  readonly options: Omit<FormatOptions, 'uuid' | 'hashSeed' | 'time'>;
}

function of(size: number, words: string, options: Case['options']): Case {
  return { size, arguments: words, options };
}

const cases: readonly Case[] = [
  of(64 * mebibyte, '-t ext4', { type: 'ext4' }),
  of(64 * mebibyte, '-t ext3', { type: 'ext3' }),
  of(20 * mebibyte, '-t ext2', { type: 'ext2' }),
  of(5 * mebibyte + 12345, '-t ext4', { type: 'ext4' }),
  of(600 * 1024, '-t ext2', { type: 'ext2' }),
  of(8 * mebibyte + 300 * 1024, '-t ext4', { type: 'ext4' }),
  of(48 * mebibyte, '-t ext4 -b 4096', { type: 'ext4', blockSize: 4096 }),
  of(48 * mebibyte, '-t ext4 -b 65536', { type: 'ext4', blockSize: 65536 }),
  of(48 * mebibyte, '-t ext4 -b 2048 -I 128', { type: 'ext4', blockSize: 2048, inodeSize: 128 }),
  of(48 * mebibyte, '-t ext4 -O ^flex_bg -E stride=4', { type: 'ext4', features: '^flex_bg', stride: 4 }),
  of(48 * mebibyte, '-t ext4 -O ^flex_bg -E stride=65552', {
    type: 'ext4',
    features: '^flex_bg',
    stride: 65552,
  }),
  of(48 * mebibyte, '-t ext4 -O ^metadata_csum,uninit_bg', {
    type: 'ext4',
    features: '^metadata_csum,uninit_bg',
  }),
  of(48 * mebibyte, '-t ext4 -O ^64bit,^extent', { type: 'ext4', features: '^64bit,^extent' }),
  of(48 * mebibyte, '-t ext4 -O bigalloc', { type: 'ext4', features: 'bigalloc' }),
  of(48 * mebibyte, '-t ext4 -O ^resize_inode,meta_bg', { type: 'ext4', features: '^resize_inode,meta_bg' }),
  of(48 * mebibyte, '-t ext4 -O sparse_super2,fast_commit', {
    type: 'ext4',
    features: 'sparse_super2,fast_commit',
  }),
  of(48 * mebibyte, '-t ext4 -O casefold,encrypt,metadata_csum_seed', {
    type: 'ext4',
    features: 'casefold,encrypt,metadata_csum_seed',
  }),
  of(48 * mebibyte, '-t ext4 -G 4 -g 1000 -N 5000', {
    type: 'ext4',
    groupsPerFlex: 4,
    blocksPerGroup: 1000,
    inodeCount: 5000,
  }),
  of(48 * mebibyte, '-t ext4 -N 5 -m 50', { type: 'ext4', inodeCount: 5, reservedPercent: 50 }),
  of(48 * mebibyte, '-t ext2 -J size=8 -T news', { type: 'ext2', journalSize: 8 * mebibyte, usage: 'news' }),
  of(48 * mebibyte, '-t ext4 -E resize=10000000 -i 65536', {
    type: 'ext4',
    growsTo: 10_000_000,
    bytesPerInode: 65536,
  }),
  of(48 * mebibyte, '-t ext4 -L hello -M /mnt/x -o freebsd', {
    type: 'ext4',
    label: 'hello',
    lastMounted: '/mnt/x',
    creator: 'freebsd',
  }),
];

/** What mke2fs makes of an empty file. */
function reference(path: string, { size, arguments: words }: Case): Uint8Array {
  writeFileSync(path, '');
  truncateSync(path, size);
  const id = Buffer.from(uuid)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  const list = words.split(' ');
  const place = list.indexOf('-E');
  const extended = place < 0 ? [] : list.splice(place, 2).slice(1);
  const own = ['-q', '-F', '-U', id, '-E', [`hash_seed=${id}`, ...extended].join(',')];
  execFileSync('mke2fs', [...own, ...list, path], {
    env: { ...toolEnvironment, E2FSPROGS_FAKE_TIME: `${time}` },
    stdio: ['ignore', 'ignore', 'ignore'],
  });
  return readFileSync(path);
}

/** How much was written is counted otherwise, and with it changes the checksum of each superblock. */
function differences(ours: Uint8Array, theirs: Uint8Array): number[] {
  if (Buffer.compare(ours, theirs) === 0) return [];
  const places: number[] = [];
  for (let at = 0; at < ours.length && places.length < 10; at++) {
    if (ours[at] === theirs[at]) continue;
    const inBlock = at % 1024;
    const counted = [s_kbytes_written, s_checksum].some(
      (field) => inBlock >= field.at && inBlock < field.at + 8,
    );
    if (!counted) places.push(at);
  }
  return places;
}

for (const one of cases) {
  test(`mke2fs ${one.arguments} on ${one.size} bytes`, needs('mke2fs', 'e2fsck'), () => {
    const path = join(scratchDirectory(), 'image');
    const theirs = reference(path, one);
    // What was there before must not matter.
    const bytes = new Uint8Array(one.size).fill(0xa5, 0, 4 * mebibyte);
    const disk = new MemoryDisk(bytes, { writable: true });
    planExt(disk, { ...one.options, uuid, hashSeed: uuid, time, discard: true })();
    assert.deepEqual(differences(bytes, theirs), []);
    writeFileSync(path, bytes);
    checkExt(path);
  });
}

test(
  'without a discard, old bytes are left only where nothing says that they are data',
  needs('e2fsck'),
  () => {
    const path = join(scratchDirectory(), 'image');
    for (const type of ['ext2', 'ext3', 'ext4'] as const) {
      const bytes = new Uint8Array(16 * mebibyte).fill(0xa5);
      planExt(new MemoryDisk(bytes, { writable: true }), { type, uuid, hashSeed: uuid, time })();
      writeFileSync(path, bytes);
      checkExt(path);
    }
  },
);

test('a disk that is a journal is what mke2fs makes', needs('mke2fs'), () => {
  const one = of(16 * mebibyte, '-b 1024 -O journal_dev', {
    type: 'ext2',
    blockSize: 1024,
    features: 'journal_dev',
  });
  const theirs = reference(join(scratchDirectory(), 'image'), one);
  const bytes = new Uint8Array(one.size);
  planExt(new MemoryDisk(bytes, { writable: true }), { ...one.options, uuid, hashSeed: uuid, time })();
  assert.deepEqual(differences(bytes, theirs), []);
});

test('what cannot be made is refused before the first byte', () => {
  const refused: readonly (readonly [Partial<FormatOptions>, RegExp])[] = [
    [{ features: 'foo' }, /invalid filesystem option set: foo/],
    [{ features: '^extent' }, /needs|must be enabled/],
    [{ features: 'meta_bg' }, /cannot both be enabled/],
    [{ blockSize: 3000 }, /invalid block size/],
    [{ inodeSize: 100 }, /invalid inode size/],
    [{ bytesPerInode: 100 }, /invalid inode ratio/],
    [{ blocksPerGroup: 1001 }, /multiple of 8/],
    [{ reservedPercent: 51 }, /reserved blocks percent/],
    [{ journalSize: mebibyte / 2 }, /between 1024 and/],
    [{ blockCount: 100_000 }, /larger than the device/],
    [{ inodeCount: 10_000_000 }, /too many/],
    [{ features: 'quota' }, /quota/],
    [{ creator: 'constructor' }, /unknown os - constructor/],
    [{ creator: '99999999999' }, /unknown os/],
  ];
  for (const [options, message] of refused) {
    const bytes = new Uint8Array(16 * mebibyte).fill(1);
    const disk = new MemoryDisk(bytes, { writable: true });
    assert.throws(() => planExt(disk, { type: 'ext4', uuid, hashSeed: uuid, time, ...options })(), message);
    assert.ok(bytes.every((byte) => byte === 1));
  }
});
