/** A check of a filesystem in order: what e2fsck -p does with it, and what is left to e2fsck. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryDisk, OverlayDisk } from '../../../../src/disk/index.js';
import { superblock } from '../../../../src/fs/ext/layout.js';
import { planCleanCheck, planExt } from '../../../../src/fs/index.js';
import { readFixtureBuffer } from '../../../support/fixtures.js';
import { scratchDirectory } from '../../../support/scratch.js';
import { needs, toolEnvironment } from '../../../support/tools.js';
import { checkExt } from '../check.js';

const directory = scratchDirectory();
const time = Math.floor(Date.now() / 1000);

function diskOf(name: string): MemoryDisk {
  return new MemoryDisk(new Uint8Array(readFixtureBuffer(`ext/${name}.img.gz`)), { writable: true });
}

function bytesOf(disk: MemoryDisk): Uint8Array {
  const bytes = new Uint8Array(disk.size);
  disk.read(bytes, 0);
  return bytes;
}

function plan(disk: MemoryDisk): (() => void) | undefined {
  return planCleanCheck(disk, {
    overlay: (base) => new OverlayDisk(base, { directory, memoryBudget: 2 ** 24 }),
    time,
  });
}

/**
 * What dumpe2fs says, without the times of writing and the journal's own numbers. e2fsck 1.47.0 leaves the mark of an
 * orphan file that it emptied.
 */
function told(path: string): string[] {
  const text = execFileSync('dumpe2fs', [path], { env: toolEnvironment, encoding: 'utf8', stdio: 'pipe' });
  return text
    .replace(' orphan_present', '')
    .split('\n')
    .filter((line) => !/^(Last write time|Lifetime writes|Journal |Checksum:)/.test(line));
}

for (const name of ['dirty-journalled', 'dirty-wrapped', 'dirty-orphans', 'dirty-orphan-file'])
  test(`${name}: the log is replayed and orphans go, as e2fsck -p does`, needs('e2fsck', 'dumpe2fs'), () => {
    const disk = diskOf(name);
    const before = bytesOf(disk);
    const write = plan(disk);
    assert.ok(write !== undefined);
    assert.deepEqual(bytesOf(disk), before, 'the judgement writes nothing');
    write();
    const path = join(directory, `${name}.img`);
    writeFileSync(path, bytesOf(disk));
    checkExt(path);
    const other = join(directory, `${name}-other.img`);
    writeFileSync(other, before);
    execFileSync('e2fsck', ['-p', other], { env: toolEnvironment, stdio: 'pipe' });
    assert.deepEqual(told(path), told(other));
    assert.equal(plan(disk), undefined, 'nothing is left to be done');
  });

for (const name of ['ext2-1k', 'ext3-1k', 'ext4-4k', 'ext4-64k', 'ext2-2k-no-filetype'])
  test(`${name}: is in order`, () => assert.equal(plan(diskOf(name)), undefined));

/** A new ext2 of several groups. */
function newDisk(): MemoryDisk {
  const disk = new MemoryDisk(new Uint8Array(20 * 2 ** 20), { writable: true });
  const id = new Uint8Array(16).fill(7);
  planExt(disk, { type: 'ext2', blockSize: 1024, uuid: id, hashSeed: id, time })();
  return disk;
}

/** Changes of the superblock of a filesystem without checksums, and why it is then checked elsewhere. */
const refused: readonly (readonly [RegExp, Parameters<typeof superblock.encode>[0]])[] = [
  [/not cleanly unmounted/, { s_state: 0 }],
  [/marked as having errors/, { s_state: 3 }],
  [/mounted often enough/, { s_mnt_count: 20, s_max_mnt_count: 20 }],
  [/not checked for as long/, { s_checkinterval: 3600, s_lastcheck: time - 7200 }],
  [/times in the future/, { s_mtime: time + 1 }],
  [/totals are wrong/, { s_free_inodes_count: 1 }],
  [/copy of the superblock differs/, { s_feature_compat: 0x1038 }],
  [/damaged/, { s_log_block_size: 9 }],
  [/features that allow nothing but reading/, { s_feature_ro_compat: 0x1003 }],
];
for (const [why, change] of refused)
  test(`a filesystem is left to others: ${why.source}`, () => {
    const disk = newDisk();
    const bytes = bytesOf(disk);
    superblock.encode(change, bytes.subarray(1024, 2048));
    disk.write(bytes, 0);
    assert.throws(
      () => plan(disk),
      (error: { elsewhere?: string; message: string }) =>
        error.elsewhere === 'appliance' && why.test(error.message),
    );
    assert.deepEqual(bytesOf(disk), bytes);
  });
