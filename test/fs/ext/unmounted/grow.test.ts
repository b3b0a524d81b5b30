/** Growing without a mount, as dumpe2fs tells it of real resize2fs; e2fsck finds nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GuestfsError } from '../../../../src/base/index.js';
import { beginWork, defaultLimits, endWork } from '../../../../src/base/work.js';
import { MemoryDisk } from '../../../../src/disk/index.js';
import { planGrowth, planTuning } from '../../../../src/fs/index.js';
import { scratchDirectory } from '../../../support/scratch.js';
import { needs, toolEnvironment } from '../../../support/tools.js';
import { checkExt } from '../check.js';

const directory = scratchDirectory();
const mebibyte = 2 ** 20;
const time = Math.floor(Date.now() / 1000);
let made = 0;

interface Case {
  readonly options: readonly string[];
  readonly from: number;
  readonly to: number;
}

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, { env: toolEnvironment, encoding: 'utf8', stdio: 'pipe' });
}

/** A filesystem of `from` MiB with files, some of them removed, in an image of `to`. */
function imageOf({ options, from, to }: Case): string {
  const path = join(directory, `${++made}.img`);
  writeFileSync(path, '');
  truncateSync(path, to * mebibyte);
  run('mke2fs', '-q', '-F', ...options, path, `${from}m`);
  const data = join(directory, 'data');
  writeFileSync(data, 'some bytes '.repeat(60_000));
  const names = Array.from({ length: 12 }, (_, index) => `file-${index}`);
  const commands = [
    'mkdir /d',
    ...names.map((name) => `write ${data} /d/${name}`),
    ...names.filter((_, index) => index % 3 === 0).map((name) => `rm /d/${name}`),
  ];
  const script = join(directory, 'script');
  writeFileSync(script, commands.join('\n'));
  run('debugfs', '-w', '-f', script, path);
  return path;
}

function diskOf(path: string): MemoryDisk {
  return new MemoryDisk(new Uint8Array(readFileSync(path)), { writable: true });
}

function bytesOf(disk: MemoryDisk): Uint8Array {
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  return bytes;
}

/**
 * What dumpe2fs says, without what depends on times and on which bitmaps are written. With flex_bg, where the tables of
 * new groups lie is no part of it: in fragmented space resize2fs looks for room otherwise.
 */
function told(path: string): string[] {
  const text = run('dumpe2fs', path);
  const groups = /\bflex_bg\b/.test(text) ? text.indexOf('\nGroup 0:') : text.length;
  return text
    .slice(0, groups)
    .split('\n')
    .filter((line) => !/^(Last write time|Lifetime writes|Checksum:)/.test(line))
    .map((line) => line.replace(/,? ?csum 0x[0-9a-f]+| ?\[[A-Z_, ]+\]/g, ''));
}

const cases: readonly Case[] = [
  { options: ['-t', 'ext4'], from: 16, to: 48 },
  { options: ['-t', 'ext4', '-b', '1024'], from: 20, to: 100 },
  { options: ['-t', 'ext4', '-b', '1024'], from: 24, to: 25 },
  { options: ['-t', 'ext4', '-b', '1024', '-O', '^flex_bg'], from: 20, to: 60 },
  { options: ['-t', 'ext4', '-b', '1024', '-O', '^64bit,^metadata_csum,uninit_bg'], from: 20, to: 60 },
  { options: ['-t', 'ext4', '-b', '1024', '-O', '^resize_inode,meta_bg'], from: 20, to: 300 },
  { options: ['-t', 'ext4', '-b', '2048', '-G', '4'], from: 40, to: 200 },
  { options: ['-t', 'ext3', '-b', '1024'], from: 20, to: 90 },
  { options: ['-t', 'ext2', '-b', '1024'], from: 8, to: 400 },
  { options: ['-t', 'ext2', '-b', '1024', '-I', '128', '-r', '1'], from: 7, to: 9 },
  { options: ['-t', 'ext4', '-b', '1024', '-N', '4000', '-m', '7'], from: 33, to: 80 },
];

for (const each of cases)
  test(
    `mke2fs ${each.options.join(' ')}: from ${each.from} to ${each.to} MiB`,
    needs('mke2fs', 'e2fsck', 'dumpe2fs', 'debugfs', 'resize2fs'),
    () => {
      const path = imageOf(each);
      const other = `${path}.other`;
      copyFileSync(path, other);
      const disk = diskOf(path);
      const write = planGrowth(disk, undefined, time);
      assert.ok(write !== undefined);
      write();
      writeFileSync(path, bytesOf(disk));
      checkExt(path);
      run('resize2fs', other);
      assert.deepEqual(told(path), told(other));
      assert.equal(planGrowth(diskOf(path), undefined, time), undefined, 'it has that size now');
    },
  );

test('what would move or shrink is refused, and nothing is written', needs('mke2fs', 'debugfs'), () => {
  const refused = (each: Case, size: number | undefined, why: RegExp): void => {
    const disk = diskOf(imageOf(each));
    const before = bytesOf(disk);
    assert.throws(() => planGrowth(disk, size, time), why);
    assert.deepEqual(bytesOf(disk), before);
  };
  const plain = { options: ['-t', 'ext4', '-b', '1024'], from: 20, to: 30 };
  refused(plain, 10 * mebibyte, /not supported: shrinking/);
  refused(plain, 31 * mebibyte, /the device has only 30720 blocks/);
  const full = { options: ['-t', 'ext2', '-b', '1024', '-O', '^resize_inode'], from: 250, to: 600 };
  refused(full, undefined, /more descriptors than there is room/);
  refused({ ...plain, options: [...plain.options, '-O', 'bigalloc'] }, undefined, /bigalloc/);
});

test(
  'once it writes, growth comes to its end whatever the budgets of the call',
  needs('mke2fs', 'debugfs', 'e2fsck'),
  () => {
    const disk = diskOf(imageOf({ options: ['-t', 'ext4', '-b', '1024'], from: 20, to: 30 }));
    const [grow, tune] = [planGrowth(disk, undefined, time), planTuning(disk, { label: 'x' }, time)];
    for (const write of [tune, grow]) {
      beginWork({ ...defaultLimits, lookups: 1, steps: 1 }, () => {
        throw new GuestfsError('ECANCELED', 'cancelled');
      });
      try {
        write?.();
      } finally {
        endWork();
      }
    }
    const path = join(directory, 'whole.img');
    writeFileSync(path, bytesOf(disk));
    checkExt(path);
  },
);
