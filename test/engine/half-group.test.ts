/** A volume group of which a disk is missing. The drive is one of two that scripts/fixtures/labels.sh made. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { scratchPath } from './support.js';

async function withHalf(work: (g: Guestfs) => Promise<void>): Promise<void> {
  const path = scratchPath('half.img');
  writeFileSync(path, readFixtureBuffer('scenarios/half.img.gz'));
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(path, { readonly: true, format: 'raw' });
  await g.launch();
  await work(g);
}

/** Which volumes are active, by the attributes that `lvs_full` gives. */
const activity = async (g: Guestfs): Promise<string[]> =>
  (await g.lvsFull()).map(({ lvName, lvAttr }) => `${lvName} ${lvAttr[4]}${lvAttr[8]}`);

test('before activation no volume has a device, and the error says why and what to do', () =>
  withHalf(async (g) => {
    assert.deepEqual(await activity(g), ['here --', 'there -p', 'both -p', 'later --']);
    await assert.rejects(g.mountRo('/dev/vg/here', '/'), {
      code: 'ENOENT',
      message: /the volume group vg misses the physical volume pv1 .*; vg_activate_all activates/,
    });
  }));

test('activation fails, names what it could not activate, and has activated the rest', () =>
  withHalf(async (g) => {
    for (const activate of [
      () => g.vgActivateAll(true),
      () => g.vgActivate(true, ['vg']),
      () => g.lvmScan(true),
    ]) {
      await assert.rejects(activate(), {
        code: 'ENODEV',
        message:
          /not activated, as some of it is missing: \/dev\/vg\/there, \/dev\/vg\/both; .* pv1 \(UUID aaaaaa-/,
      });
      assert.deepEqual(await activity(g), ['here a-', 'there -p', 'both -p', 'later a-']);
      assert.deepEqual(
        [...(await g.listFilesystems())],
        [
          ['/dev/vg/here', 'ext2'],
          ['/dev/vg/later', 'unknown'],
        ],
      );
      await g.mountRo('/dev/disk/by-id/dm-name-vg-here', '/');
      assert.equal(await g.cat('/f'), 'on the volume that is here\n');
      assert.equal(await g.vfsType('/dev/dm-0'), 'ext2');
      await assert.rejects(g.vgActivateAll(false), { code: 'EBUSY' });
      await g.umountAll();
      await g.vgActivateAll(false);
      assert.deepEqual(await activity(g), ['here --', 'there -p', 'both -p', 'later --']);
      await assert.rejects(g.vfsType('/dev/disk/by-id/dm-name-vg-here'), { code: 'ENOENT' });
    }
  }));
