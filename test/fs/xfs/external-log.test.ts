/** A log on a disk of its own that has to be replayed, compared with what the kernel shows after it did so. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { xfs } from '../../../src/fs/xfs/index.js';
import { compareFiles, Differences } from '../../support/comparison.js';
import { readFixture, readFixtureText } from '../../support/fixtures.js';
import { tellFiles } from '../../support/tell.js';
import { parseTruth } from '../../support/truth.js';
import { openBytes } from '../conformance.js';

const fixture = (ending: string): Uint8Array => readFixture(`xfs-external/dirty-outside.${ending}.gz`);

test('a log on another disk, found by the UUID of the filesystem, is replayed; without that disk it is asked for', () => {
  const image = fixture('img');
  const log = new MemoryDisk(fixture('log'));
  const truth = parseTruth(readFixtureText('xfs-external/dirty-outside.truth.jsonl.gz'));
  const fs = openBytes(xfs, image, {
    options: { ro: true },
    findJournal: (uuid) => (uuid === truth.uuid ? log : undefined),
  });
  const differences = new Differences();
  assert.equal(compareFiles(tellFiles(fs), truth, differences, {}), truth.files.size);
  differences.throwIfAny();
  fs.close();
  const warnings: string[] = [];
  const before = openBytes(xfs, image, {
    options: { ro: true, norecovery: true },
    warn: (message) => warnings.push(message),
  });
  assert.ok([...tellFiles(before)].length < truth.files.size, 'the log has most of it');
  assert.match(warnings.join(), /its log is on another disk/);
  assert.throws(() => openBytes(xfs, image, { options: { ro: true } }), { code: 'EINVAL' });
});
