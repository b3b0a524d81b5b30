/** FAT12, 16 and 32, as the kernel and as mtools read them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { compareTree } from './compare.js';
import { withImages } from './open.js';
import { imageDirectory, imageNames, imageTruth, needsImages } from './truth.js';

const names = imageNames('fat', /\.img$/);

test('there are images of each kind of FAT', needsImages('fat/fat32.img'), () => {
  for (const bits of [12, 16, 32])
    assert.ok(
      names.some((name) => name.includes(`fat${String(bits)}`)),
      names.join(' '),
    );
});

for (const name of names) {
  test(`${basename(name)} reads as the kernel reads it`, async () => {
    const truth = imageTruth(name);
    await withImages([`${name}.img`], async (g) => {
      await g.mount('/dev/sda', '/');
      await compareTree(g, truth, { without: ['ino', 'blocks', 'nlink', 'xattrs'] });
      assert.equal(await g.vfsLabel('/dev/sda'), truth.label);
      assert.equal(await g.vfsUuid('/dev/sda'), truth.uuid);
    });
  });

  test(`${basename(name)} reads as mtools reads it`, async () => {
    const path = join(imageDirectory, `${name}.mtools.json`);
    const told = JSON.parse(readFileSync(path, 'utf8')) as { path: string; size?: number; sha256?: string }[];
    await withImages([`${name}.img`], async (g) => {
      await g.mount('/dev/sda', '/');
      for (const file of told) {
        if (file.sha256 === undefined) assert.equal(await g.isDir(file.path), true, file.path);
        else assert.equal(await g.checksum('sha256', file.path), file.sha256, file.path);
      }
      assert.equal((await g.find('/')).length, told.length);
    });
  });
}
