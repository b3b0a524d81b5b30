/** ext2, 3 and 4 with each feature on and off, as the kernel or (for what the kernel refuses) debugfs reads them. */
import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { test } from 'node:test';
import { compareTree } from './compare.js';
import { withImages } from './open.js';
import { imageNames, imageTruth, needsImages } from './truth.js';

const names = imageNames('features', /\.img$/);

test('there are images of all features', needsImages('features/ext4-everything.img'), () => {
  assert.ok(names.filter((name) => basename(name).startsWith('ext')).length >= 45, names.join(' '));
  assert.ok(names.filter((name) => basename(name).startsWith('kernel')).length >= 10, names.join(' '));
});

for (const name of names) {
  test(`${basename(name)} reads as it was told`, async () => {
    const truth = imageTruth(name);
    await withImages([`${name}.img`], async (g) => {
      await g.mount('/dev/sda', '/');
      await compareTree(g, truth);
      assert.equal(await g.vfsLabel('/dev/sda'), truth.label);
      assert.equal(await g.vfsUuid('/dev/sda'), truth.uuid);
    });
  });
}

for (const name of imageNames('', /^dirty-.*\.raw$/)) {
  test(`${name}, whose writer was killed, reads as after a replay of its log`, async () => {
    const truth = imageTruth(name);
    await withImages([`${name}.raw`], async (g) => {
      await g.mount('/dev/sda', '/');
      await compareTree(g, truth, { statvfs: false });
      await g.umount('/');
      await g.mountRo('/dev/sda', '/');
      const told = [...truth.files.keys()].filter((path) => path !== '/').map((path) => path.slice(1));
      assert.deepEqual((await g.find('/')).sort(), told.sort());
    });
  });
}

test('there are images of killed writers', needsImages('dirty-1k.raw', 'dirty-fast-commit.raw'), () => {
  assert.ok(imageNames('', /^dirty-.*\.raw$/).length >= 15);
});
