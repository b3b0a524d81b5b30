/** A swap area is byte for byte the one that mkswap(8) makes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { needs, toolEnvironment } from '../../support/tools.js';
import { scratchPath, withDrives } from '../support.js';

const uuid = '77777777-2222-3333-4444-555555555555';

/** A disk that is full of something. */
function fullDisk(sizeInBytes: number): string {
  const path = scratchPath('swap.img');
  writeFileSync(path, Buffer.alloc(sizeInBytes, 'old bytes '));
  return path;
}

test('the header is that of mkswap', needs('mkswap'), async () => {
  const sizes = [10 * 4096, 1_000_448, 3 * 1024 * 1024];
  const paths = sizes.map(fullDisk);
  await withDrives(paths, async (g) => {
    for (const device of await g.listDevices()) await g.mkswap(device, { label: 'the label', uuid });
  });
  for (const [index, size] of sizes.entries()) {
    const theirs = fullDisk(size);
    execFileSync('mkswap', ['-f', '-L', 'the label', '-U', uuid, theirs], {
      env: toolEnvironment,
      stdio: 'ignore',
    });
    assert.deepEqual(readFileSync(paths[index] ?? ''), readFileSync(theirs));
  }
});

test('a disk that is too small for a swap area stays as it is', async () => {
  const path = fullDisk(10 * 4096 - 512);
  const before = readFileSync(path);
  await withDrives([path], (g) => assert.rejects(g.mkswap('/dev/sda'), /at least 40 KiB/));
  assert.deepEqual(readFileSync(path), before);
});

test('a swap area that is shorter than its header says is not used', async () => {
  const path = fullDisk(1024 * 1024);
  await withDrives([path], (g) => g.mkswap('/dev/sda'));
  truncateSync(path, 512 * 1024);
  await withDrives([path], (g) =>
    assert.rejects(g.swaponDevice('/dev/sda'), /smaller than its swap header says/),
  );
});

test('a device with a swap area in use is in use', async () => {
  await withDrives([fullDisk(1024 * 1024)], async (g) => {
    await g.mkswap('/dev/sda');
    await g.swaponDevice('/dev/sda');
    await assert.rejects(g.mkswap('/dev/sda'), { code: 'EBUSY' });
    await g.swapoffDevice('/dev/sda');
    await g.mkswap('/dev/sda');
  });
});

test('a file is made a swap area, and used: its filesystem is busy until it is not', async () => {
  await withDrives([fullDisk(32 * 1024 * 1024)], async (g) => {
    await g.mkfs('ext4', '/dev/sda');
    await g.mount('/dev/sda', '/');
    await g.fill(0x61, 1024 * 1024, '/swap');
    await assert.rejects(g.swaponFile('/swap'), { code: 'EINVAL' });
    await g.mkswapFile('/swap');
    await g.swaponFile('/swap');
    await assert.rejects(g.swaponFile('/swap'), { code: 'EBUSY' });
    await assert.rejects(g.umount('/'), { code: 'EBUSY' });
    await g.swapoffFile('/swap');
    await assert.rejects(g.swapoffFile('/swap'), { code: 'EINVAL' });
    await g.umount('/');
  });
});

test('of a member of an Intel RAID the whole signature is erased, in a file as on a device', async () => {
  await withDrives([fullDisk(32 * 1024 * 1024)], async (g) => {
    await g.mkfs('ext4', '/dev/sda');
    await g.mount('/dev/sda', '/');
    const size = 2 * 1024 * 1024;
    await g.fill(0x61, size, '/swap');
    await g.pwrite('/swap', Buffer.from('Intel Raid ISM Cfg Sig. 1.3.00\0\0'), size - 1024);
    await g.mkswapFile('/swap');
    const left = Buffer.from(await g.pread('/swap', 40, size - 1028));
    assert.deepEqual(left, Buffer.concat([Buffer.alloc(4, 'a'), Buffer.alloc(32), Buffer.alloc(4, 'a')]));
  });
});
