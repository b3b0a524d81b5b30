/** mkfs, mke2fs and mke2journal by the engine: e2fsck accepts what they make, and refusals leave the disk as it was. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { checkExt } from '../../fs/ext/check.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { scratchPath, withDrives } from '../support.js';

const uuid = '77777777-2222-3333-4444-555555555555';
const size = 16 * 2 ** 20;

function fullDisk(name: string): string {
  const path = scratchPath(name);
  writeFileSync(path, Buffer.alloc(size, 'old bytes '));
  return path;
}

test('mkfs makes what can be mounted, and e2fsck has nothing to say', needs('e2fsck'), async () => {
  for (const type of ['ext2', 'ext3', 'ext4'] as const) {
    const path = fullDisk('made.img');
    await withDrives([path], async (g) => {
      await g.mkfs(type, '/dev/sda', { label: 'made', blocksize: 1024 });
      assert.equal(await g.vfsType('/dev/sda'), type);
      assert.equal(await g.vfsLabel('/dev/sda'), 'made');
      await g.mountRo('/dev/sda', '/');
      assert.deepEqual(await g.ls('/'), ['lost+found']);
      await assert.rejects(g.mkfs(type, '/dev/sda'), /in use/);
    });
    checkExt(path);
  }
});

test('mke2fs takes libguestfs’s options', needs('e2fsck', 'dumpe2fs'), async () => {
  const path = fullDisk('options.img');
  await withDrives([path], async (g) => {
    await g.mke2fs('/dev/sda', {
      fstype: 'ext4',
      blocksize: 2048,
      blockscount: 6000,
      numberofinodes: 500,
      inodesize: 128,
      reservedblockspercentage: 1,
      label: 'options',
      uuid,
      flexbg: false,
      resizeinode: false,
      stridesize: 4,
      stripewidth: 8,
    });
    assert.equal(await g.vfsUuid('/dev/sda'), uuid);
  });
  checkExt(path);
  const told = execFileSync('dumpe2fs', ['-h', path], {
    env: toolEnvironment,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  for (const line of [/Block count: +6000/, /Inode size:\s+128/, /RAID stride: +4/, /RAID stripe width: +8/])
    assert.match(told, line);
  assert.doesNotMatch(told, /flex_bg|resize_inode/);
});

test('a journal on a drive of its own is found by device, label and UUID', needs('dumpe2fs'), async () => {
  const paths = [fullDisk('data.img'), fullDisk('journal.img')];
  await withDrives(paths, async (g) => {
    await g.mke2journal(1024, '/dev/sdb');
    await g.mke2fsJ('ext3', 1024, '/dev/sda', '/dev/sdb');
    await g.mke2journalL(1024, 'journal', '/dev/sdb');
    await g.mke2fsJL('ext3', 1024, '/dev/sda', 'journal');
    await g.mke2journalU(1024, uuid, '/dev/sdb');
    await g.mke2fsJU('ext3', 1024, '/dev/sda', uuid);
    await assert.rejects(g.mke2fsJL('ext3', 1024, '/dev/sda', 'none'), /LABEL=none/);
    await assert.rejects(g.mke2fsJ('ext3', 4096, '/dev/sda', '/dev/sdb'), /blocks of 1024 bytes/);
    await g.mountRo('/dev/sda', '/');
    assert.deepEqual(await g.ls('/'), ['lost+found']);
  });
  const told = execFileSync('dumpe2fs', [paths[1] ?? ''], {
    env: toolEnvironment,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  assert.match(told, /Journal users: +[0-9a-f-]{36}\n$/);
});

test('what is refused leaves every byte as it was', async () => {
  const path = fullDisk('refused.img');
  const before = readFileSync(path);
  await withDrives([path], async (g) => {
    await assert.rejects(g.mke2fs('/dev/sda', { blocksize: 3 }), /invalid block size/);
    await assert.rejects(g.mke2fs('/dev/sda', { inodesize: -1 }), /inodesize must be >= 0/);
    await assert.rejects(g.mke2fs('/dev/sda', { fstype: 'xfs' }), /not a valid extended filesystem type/);
    await assert.rejects(g.mkfs('ext2', '/dev/sda', { blocksize: 1000 }), /power of 2/);
    await assert.rejects(g.mkfs('xfs', '/dev/sda', { inode: 512 }), /ext2\/3\/4/);
    await assert.rejects(g.mke2journalL(1024, 'x'.repeat(17), '/dev/sda'), /16 bytes/);
  });
  assert.deepEqual(readFileSync(path), before);
});
