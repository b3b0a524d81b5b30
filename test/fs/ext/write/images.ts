/** Empty filesystems of many kinds, made by mke2fs, and what e2fsck says of them afterwards. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, MemoryDisk } from '../../../../src/disk/index.js';
import { readAll } from '../../../support/gaits.js';
import { scratchDirectory } from '../../../support/scratch.js';
import { toolEnvironment } from '../../../support/tools.js';

const directory = scratchDirectory();
let count = 0;

/** The options of mke2fs for each kind, and its size in MiB. */
export const kinds: Readonly<Record<string, readonly [options: string, megabytes: number]>> = {
  'ext2 1k': ['-t ext2 -b 1024', 12],
  'ext2 4k, 128-byte inodes': ['-t ext2 -b 4096 -I 128', 16],
  'ext2 without an index and types': ['-t ext2 -b 1024 -O ^dir_index,^filetype', 8],
  'ext3 2k': ['-t ext3 -b 2048 -J size=4', 16],
  'ext4 1k': ['-t ext4 -b 1024 -J size=4', 16],
  'ext4 4k': ['-t ext4 -b 4096', 32],
  'ext4 2k': ['-t ext4 -b 2048 -J size=4', 16],
  'ext4 without a journal': ['-t ext4 -b 1024 -O ^has_journal', 12],
  'ext4 with 64bit off and old checksums': ['-t ext4 -b 1024 -O ^64bit,^metadata_csum,uninit_bg', 16],
  'ext4 without checksums': ['-t ext4 -b 1024 -O ^metadata_csum,^64bit', 16],
  'ext4 bigalloc': ['-t ext4 -b 1024 -C 8192 -O bigalloc,^resize_inode', 24],
  'ext4 bigalloc 4k': ['-t ext4 -b 4096 -C 16384 -O bigalloc,^resize_inode', 32],
  'ext4 inline data': ['-t ext4 -b 1024 -O inline_data -I 256', 16],
  'ext4 ea_inode': ['-t ext4 -b 1024 -O ea_inode', 16],
  'ext4 seed, orphan file': ['-t ext4 -b 1024 -O metadata_csum_seed,orphan_file', 16],
  'ext4 large_dir, few inodes': ['-t ext4 -b 1024 -O large_dir -N 400', 16],
  'ext4 meta_bg': ['-t ext4 -b 1024 -O meta_bg,^resize_inode', 24],
  'ext4 small groups, 512-byte inodes': ['-t ext4 -b 1024 -g 512 -I 512 -O ^resize_inode', 12],
  'ext4 tiny': ['-t ext4 -b 1024 -O ^has_journal -N 64', 1],
};

/** More of them, for the campaign alone. */
export const rareKinds: typeof kinds = {
  'ext2 of revision 0': ['-t ext2 -b 1024 -r 0 -O none', 16],
  'ext2 8k': ['-t ext2 -b 8192', 32],
  'ext4 64k': ['-t ext4 -b 65536', 96],
  'ext4 projects': ['-t ext4 -b 1024 -O project -I 256', 16],
  'ext4 fast commits': ['-t ext4 -b 1024 -O fast_commit -J size=4', 24],
  'ext4 two copies of the superblock': ['-t ext4 -b 1024 -O sparse_super2,^resize_inode', 24],
  'ext4 casefold, encrypt, verity': ['-t ext4 -b 1024 -O casefold,encrypt,verity,stable_inodes', 16],
  'ext4 without flex_bg': ['-t ext4 -b 1024 -O ^flex_bg', 24],
  'ext4 with block maps': ['-t ext4 -b 1024 -O ^extents,^64bit', 24],
  'ext4 with block maps 4k': ['-t ext4 -b 4096 -O ^extents,^64bit', 48],
  'ext4 without what is large': ['-t ext4 -b 1024 -O ^huge_file,^dir_nlink,^extra_isize', 16],
  'ext4 values and data in inodes': ['-t ext4 -b 1024 -O ea_inode,inline_data', 16],
  'ext4 bigalloc and more': [
    '-t ext4 -b 1024 -C 16384 -O bigalloc,inline_data,metadata_csum_seed,orphan_file,^resize_inode',
    24,
  ],
  'ext4 uninit_bg without a journal': ['-t ext4 -b 2048 -O ^has_journal,uninit_bg,^metadata_csum', 16],
  'ext4 1-KiB inodes without types': ['-t ext4 -b 1024 -O ^filetype -I 1024', 16],
};

/** A fresh filesystem: of a kind, or by options of mke2fs. */
export function makeImage(kind: string): Uint8Array {
  const [options, megabytes] = kinds[kind] ??
    rareKinds[kind] ?? [kind.startsWith('-') ? kind : assert.fail(kind), 32];
  const path = join(directory, `made-${count++}`);
  const descriptor = openSync(path, 'w');
  ftruncateSync(descriptor, megabytes * 1024 * 1024);
  closeSync(descriptor);
  const words = ['-q', '-F', ...options.split(' '), '-U', '01234567-89ab-cdef-0123-456789abcdef'];
  const { status, stderr } = spawnSync(
    'mke2fs',
    [...words, '-E', 'lazy_itable_init=1,hash_seed=01234567-89ab-cdef-0123-456789abcdef', path],
    { env: { ...toolEnvironment, E2FSPROGS_FAKE_TIME: '1600000000' }, encoding: 'utf8' },
  );
  assert.equal(status, 0, stderr);
  const bytes = new Uint8Array(readFileSync(path));
  rmSync(path);
  return bytes;
}

const afterCheck = /^(?:Pass [1-5]: |.*: \d+\/\d+ files |$)/;

/** e2fsck finds nothing, and has nothing to say but what it did. */
export function checkImage(bytes: Uint8Array, what: string): void {
  const path = join(directory, `checked-${count++}`);
  writeFileSync(path, bytes);
  const { status, stdout } = spawnSync('e2fsck', ['-fn', path], { env: toolEnvironment, encoding: 'utf8' });
  const more = linesBut(stdout, afterCheck);
  assert.deepEqual({ more: more.slice(0, 30), status }, { more: [], status: 0 }, what);
  rmSync(path);
}

/** Totals in the superblock are no part of a transaction of the log. */
const afterReplay =
  /^(?:Pass [1-5]: |.*: \d+\/\d+ files |Free (?:blocks|inodes) count wrong|Fix\? no|.*WARNING: Filesystem still has errors|$)/;
/** What was to be deleted or cut is, behind the replay. */
const orphansDone = /^.*: (?:Clearing orphaned|Truncating orphaned|clean, ).*$|^$/;

/** Runs e2fsck on a file with the bytes of a disk. What it leaves is what `work` leaves in that file. */
function withFile(image: Disk, work: (run: (...parameters: string[]) => string) => void): Disk {
  const path = join(directory, `crashed-${count++}`);
  writeFileSync(path, readAll(image));
  work(
    (...parameters) =>
      spawnSync('e2fsck', [...parameters, path], { env: toolEnvironment, encoding: 'utf8' }).stdout,
  );
  const after = new MemoryDisk(new Uint8Array(readFileSync(path)), { writable: true });
  rmSync(path);
  return after;
}

const linesBut = (text: string, allowed: RegExp): string[] =>
  text.split('\n').filter((line) => !allowed.test(line));

/** Has e2fsck replay the log, and look whether anything else is wrong. */
export function replayedByE2fsck(image: Disk): Disk {
  return withFile(image, (run) => {
    assert.doesNotMatch(run('-y', '-E', 'journal_only'), /error|corrupt|checksum|aborted/i);
    assert.deepEqual(linesBut(run('-p'), orphansDone), []);
    assert.deepEqual(linesBut(run('-fn'), afterReplay), []);
  });
}

/** Has e2fsck repair what is not said to be valid, so that a second look finds nothing. */
export function repairedByE2fsck(image: Disk): Disk {
  return withFile(image, (run) => {
    run('-y');
    assert.deepEqual(linesBut(run('-fn'), afterCheck), []);
  });
}
