/** Every sample image that util-linux has for blkid is recognised as blkid recognises it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Disk, MemoryDisk, type ProbeContext } from '../../../src/disk/index.js';
import { identityOf, namesOf, recognise } from '../../../src/engine/session/recognition.js';
import { asBlkid, askBlkid } from '../../fs/support/blkid.js';
import { Random } from '../../support/random.js';
import { needs } from '../../support/tools.js';
import {
  expectedOf,
  needsSamples,
  openSample,
  readSample,
  sampleNames,
  sessionsOf,
  sizeOf,
} from './samples.js';

const needsBlkid = needsSamples.skip === undefined ? needs('blkid') : needsSamples;

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

/** A disk with some bytes that are otherwise. */
function patched(disk: Disk, patches: ReadonlyMap<number, number>): Disk {
  return {
    size: disk.size,
    sectorSize: disk.sectorSize,
    writable: false,
    read(into, offset) {
      disk.read(into, offset);
      for (const [at, value] of patches) {
        if (at >= offset && at < offset + into.length) into[at - offset] = value;
      }
    },
    checkWritable: (offset, length) => disk.checkWritable(offset, length),
    write: (from, offset) => disk.write(from, offset),
    zero: (offset, length) => disk.zero(offset, length),
    span: (offset, length) => disk.span(offset, length),
    flush() {},
    close() {},
  };
}

test('random damage never makes a probe throw, nor take long', needsSamples, () => {
  const random = new Random(31);
  const places = [0, 512, 1024, 4096, 8192, 32_768, 65_536, 0x100000, 0x200000];
  const end = performance.now() + 3000;
  let slowest = 0;
  for (let round = 0; performance.now() < end || round < sampleNames.length; round++) {
    const name = sampleNames[round % sampleNames.length] ?? '';
    const disk = openSample(name);
    const near = random.below(4) === 0 ? disk.size - 4096 : (places[random.below(places.length)] ?? 0);
    const patches = new Map<number, number>();
    for (let i = 1 + random.below(12); i > 0; i--)
      patches.set(
        near + random.below(600),
        [0, 1, 0x7f, 0x80, 0xff, random.below(256)][random.below(6)] ?? 0,
      );
    const start = process.cpuUsage().user;
    recognise(patched(disk, patches));
    slowest = Math.max(slowest, (process.cpuUsage().user - start) / 1000);
    disk.close();
  }
  assert.ok(slowest < 1000, `${slowest} ms`);
});

test(
  'blkid says the same of damaged samples, and of those over which a piece of another lies',
  needsBlkid,
  () => {
    const small = sampleNames.filter((name) => sizeOf(name) <= 4 * 2 ** 20);
    const random = new Random(37);
    const places = [0, 512, 1024, 4096, 8192, 32_768, 65_536];
    const pick = (): string => small[random.below(small.length)] ?? '';
    for (let round = 0; round < 80; round++) {
      const name = pick();
      const image = readSample(name);
      const near = places[random.below(places.length)] ?? 0;
      const other = random.below(3) === 0 ? readSample(pick()) : undefined;
      if (other !== undefined)
        image.set(other.subarray(near, Math.min(near + 2048, image.length)), Math.min(near, image.length));
      for (let i = random.below(8); i > 0; i--) {
        const at = near + random.below(600);
        if (at < image.length) image[at] = [0, 1, 0x7f, 0xff, random.below(256)][random.below(5)] ?? 0;
      }
      const recognition = recognise(new MemoryDisk(image));
      assert.deepEqual(
        asBlkid(identityOf(recognition)),
        askBlkid(image),
        `${round}: ${name}: ${namesOf(recognition)}`,
      );
    }
  },
);
