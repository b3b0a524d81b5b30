/** The sample guest, walked without any foreign tool: what the kernel saw in it is committed beside this test. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareTree } from './compare.js';
import { withImages } from './open.js';
import { committedTruth, samplePath } from './truth.js';

test('the sample guest reads as the kernel reads it', async () => {
  await withImages([samplePath], async (g) => {
    await g.mount('/dev/sda2', '/');
    await compareTree(g, committedTruth('sample'));
  });
});

test("the sample guest's EFI system partition reads as the kernel reads it", async () => {
  await withImages([samplePath], async (g) => {
    const truth = committedTruth('sample-efi');
    await g.mount('/dev/sda1', '/');
    await compareTree(g, truth, { without: ['ino', 'blocks', 'nlink'] });
    assert.equal(await g.vfsLabel('/dev/sda1'), truth.label);
    assert.equal(await g.vfsUuid('/dev/sda1'), truth.uuid);
  });
});

test('the sample guest is mounted at its own mount points by inspection', async () => {
  await withImages([samplePath], async (g) => {
    assert.deepEqual(await g.inspectOs(), ['/dev/sda2']);
    const mountpoints = new Map([
      ['/', '/dev/sda2'],
      ['/boot/efi', '/dev/sda1'],
    ]);
    assert.deepEqual(await g.inspectGetMountpoints('/dev/sda2'), mountpoints);
    assert.equal(await g.inspectGetHostname('/dev/sda2'), 'dolphin');
    assert.equal(await g.inspectGetDistro('/dev/sda2'), 'debian');
    assert.equal(await g.inspectGetMajorVersion('/dev/sda2'), 12);
    assert.equal(await g.inspectGetArch('/dev/sda2'), 'x86_64');
  });
});
