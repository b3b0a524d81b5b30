/** Changes of LVM that are refused, and leave everything as it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Guestfs } from '../../../src/guestfs/index.js';

const MiB = 1024 * 1024;

test('a group of which one disk is not blank makes no physical volume of the others', async () => {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  for (let drive = 0; drive < 2; drive++) g.addDriveScratch(16 * MiB);
  await g.launch();
  await g.mkswap('/dev/sdb');
  await assert.rejects(g.vgcreate('VG', ['/dev/sda', '/dev/sdb']), { code: 'EEXIST' });
  assert.deepEqual(await g.pvs(), []);
  assert.equal(await g.vfsType('/dev/sdb'), 'swap');
});

test('a physical volume has a whole number of sectors', async () => {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDriveScratch(64 * MiB);
  await g.launch();
  await g.pvcreate('/dev/sda');
  await assert.rejects(g.pvresizeSize('/dev/sda', 32 * MiB + 1), { code: 'EINVAL' });
  const [volume] = await g.pvsFull();
  assert.equal(volume?.pvSize, 64 * MiB);
});
