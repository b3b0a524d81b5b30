/** Each committed filesystem, as the kernel tells it, and what must come of its damage. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { btrfs } from '../../../src/fs/btrfs/index.js';
import { compareFiles, Differences } from '../../support/comparison.js';
import { tellFiles } from '../../support/tell.js';
import { openBytes, testConformance } from '../conformance.js';
import { btrfsVolumes, suite } from './suite.js';

testConformance(suite);

for (const name of ['logged', 'logged-holes'])
  test(`${name}: every file is as the kernel replayed it`, () => {
    const differences = new Differences();
    const truth = btrfsVolumes.truth(name);
    const warnings: string[] = [];
    const fs = openBytes(btrfs, btrfsVolumes.read(name), { warn: (message) => warnings.push(message) });
    assert.equal(compareFiles(tellFiles(fs), truth, differences), truth.files.size);
    differences.throwIfAny();
    assert.deepEqual(warnings, []);
    const before = openBytes(btrfs, btrfsVolumes.read(name), { options: { ro: true, nologreplay: true } });
    const others = new Differences();
    compareFiles(tellFiles(before), truth, others);
    assert.throws(() => others.throwIfAny());
  });

test('there are volumes with each kind of checksum, each codec, subvolumes and a log', () => {
  for (const name of ['mixed', 'old', 'xxhash', 'sha256', 'blake2', 'compressed', 'subvolumes', 'logged'])
    assert.ok(btrfsVolumes.names.includes(name), name);
});
