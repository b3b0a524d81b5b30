/** Subvolumes as btrfs's own program lists them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { btrfs, btrfsDetails } from '../../../src/fs/btrfs/index.js';
import { readFixtureText } from '../../support/fixtures.js';
import { openBytes } from '../conformance.js';
import { btrfsVolumes } from './suite.js';

test('numbers, places and paths of subvolumes are those that the program tells, and so is the default one', () => {
  const told = readFixtureText('btrfs/subvolumes.subvolumes.txt');
  const listed = [...told.matchAll(/^ID (\d+) gen (\d+) .*parent (\d+) .* path (?:<FS_TREE>\/)?(.*)$/gm)];
  assert.ok(listed.length > 20);
  const details = btrfsDetails(openBytes(btrfs, btrfsVolumes.read('subvolumes')));
  const ours = details?.subvolumes().map(({ id, parent, path }) => [id, parent, path]);
  assert.deepEqual(
    ours,
    listed.map(([, id, , parent, path]) => [Number(id), Number(parent), path]),
  );
  const home = listed.find(([, , , , path]) => path === 'home');
  assert.equal(details?.defaultId, Number(home?.[1]));
});
