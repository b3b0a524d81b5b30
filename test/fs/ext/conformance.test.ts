/** Each committed filesystem, as the kernel tells it, and what must come of its damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { find } from '../../support/tell.js';
import { openBytes, testConformance } from '../conformance.js';
import { extVolumes, suite } from './suite.js';

testConformance(suite);

test('there are volumes of each kind', () => {
  for (const name of ['ext2-revision-0', 'ext4-everything', 'journal-32bit', 'ext4-64k', 'fast-commit-4k'])
    assert.ok(extVolumes.names.includes(name), name);
});

test('files that the kernel cannot read are not supported: they are encrypted', () => {
  let count = 0;
  for (const { driver, volume } of suite.volumes.map((each) => ({ driver: suite.driver, volume: each }))) {
    const unread = [...volume.truth().files.values()].filter(({ sha256 }) => sha256 === null);
    if (unread.length === 0) continue;
    const fs = openBytes(driver, volume.read());
    for (const { path } of unread) {
      count++;
      assert.throws(() => fs.data(find(fs, path)).read(new Uint8Array(1), 0), { code: 'ENOTSUP' }, path);
    }
  }
  assert.ok(count > 0);
});
