/** Every sample image that util-linux has for blkid is recognised as blkid recognises it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { identityOf, namesOf, type ProbeContext, recognise } from '../../../src/fs/index.js';
import { asBlkid } from '../support/blkid.js';
import { expectedOf, needsSamples, openSample, sampleNames, sessionsOf } from './samples.js';

/** Samples of partition tables: what libfdisk's and the kernel's readers tell of them is the partition room's. */
const partitionTables = ['atari-primary', 'atari-xgm', 'bsd', 'dos+bsd', 'gpt', 'sgi', 'sun'];

function told(name: string, context?: Partial<ProbeContext>): Record<string, string> | undefined {
  const disk = openSample(name);
  try {
    const recognition = recognise(disk, context);
    assert.equal(recognition.ambivalent, false, namesOf(recognition));
    return asBlkid(identityOf(recognition));
  } finally {
    disk.close();
  }
}

describe('each sample is what blkid tells', () => {
  for (const name of sampleNames.filter((one) => !partitionTables.includes(one))) {
    const sessions = sessionsOf(name);
    if (sessions.length === 0) test(name, () => assert.deepEqual(told(name), expectedOf(name)));
    for (const sector of sessions) {
      test(`${name}, the session at ${sector}`, () =>
        assert.deepEqual(told(name, { sessionOffset: sector * 2048 }), expectedOf(name, sector)));
    }
  }
});

test('all the samples are there, and each but the partition tables has an answer', needsSamples, () => {
  assert.equal(sampleNames.length, 116);
  for (const name of sampleNames) {
    const [first] = sessionsOf(name);
    assert.equal(expectedOf(name, first) === undefined, partitionTables.includes(name), name);
  }
});

describe('a partition table is no filesystem by itself', () => {
  for (const name of partitionTables) {
    // One of them was made over an ext3, whose superblock is still there.
    test(name, needsSamples, () => assert.equal(told(name)?.TYPE, name === 'dos+bsd' ? 'ext3' : undefined));
  }
});

test('a member of a host adapter is none on a partition', needsSamples, () => {
  assert.equal(told('isw-raid', { whole: false }), undefined);
  assert.equal(told('ddf-raid', { whole: false })?.TYPE, 'ddf_raid_member');
});

test('what lies at the end of the last partition is not the whole disk’s', needsSamples, () => {
  const covered = () => true;
  assert.equal(told('mdraid', { covered }), undefined);
  assert.equal(told('mdraid', { covered, whole: false })?.TYPE, 'linux_raid_member');
  assert.equal(told('zfs', { covered }), undefined);
});
