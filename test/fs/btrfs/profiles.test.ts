/**
 * Every profile on the number of devices that it needs: what the kernel wrote is read from all of them, without as many
 * as copies and parity can replace, and with one that is damaged.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Disk, MemoryDisk, OverlayDisk } from '../../../src/disk/index.js';
import { btrfs } from '../../../src/fs/btrfs/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { qcow2 } from '../../../src/image/qcow2/index.js';
import { compareFiles, Differences } from '../../support/comparison.js';
import { readFixture, readFixtureText } from '../../support/fixtures.js';
import { Random } from '../../support/random.js';
import { tellFiles } from '../../support/tell.js';
import { parseTruth } from '../../support/truth.js';
import { openVolume } from '../conformance.js';

/** Name and number of devices, and how many of those may be missing. */
const profiles: readonly [name: string, count: number, spare: number][] = [
  ['dup-1', 1, 0],
  ['raid0-2', 2, 0],
  ['raid1-2', 2, 1],
  ['raid1c3-3', 3, 2],
  ['raid1c4-4', 4, 3],
  ['raid10-4', 4, 1],
  ['raid5-3', 3, 1],
  ['raid6-4', 4, 2],
];

/** The devices: images of qcow2, since most of each is empty. */
function devicesOf(name: string, count: number): Disk[] {
  return Array.from({ length: count }, (_, i) =>
    qcow2.open(new MemoryDisk(readFixture(`btrfs/${name}.${i + 1}.qcow2.gz`)), {
      openNamed: () => assert.fail('it names no other file'),
      warn: (message) => assert.fail(message),
    }),
  );
}

function open(
  [first, ...others]: readonly Disk[],
  options: Record<string, string | true> = {},
): { fs: FileSystem; warnings: string[] } {
  const warnings: string[] = [];
  assert.ok(first);
  const fs = openVolume(btrfs, first, { others, options, warn: (message) => warnings.push(message) });
  return { fs, warnings };
}

function checkTree(name: string, fs: FileSystem): void {
  const differences = new Differences();
  const truth = parseTruth(readFixtureText(`btrfs/${name}.truth.jsonl.gz`));
  assert.equal(compareFiles(tellFiles(fs), truth, differences), truth.files.size);
  differences.throwIfAny();
}

/** All choices of `size` of the numbers below `count`. */
function choices(count: number, size: number): number[][] {
  if (size === 0) return [[]];
  return choices(count, size - 1).flatMap((some) =>
    Array.from({ length: count }, (_, i) => i)
      .filter((i) => i > (some.at(-1) ?? -1))
      .map((i) => [...some, i]),
  );
}

/** The devices, of which all that is stored on one is other bytes but for its superblocks. */
function withGarbage(devices: readonly Disk[], which: number): Disk[] {
  const noise = new Random(5).bytes(65_536);
  return devices.map((device, i) => {
    if (i !== which) return device;
    const garbled = new OverlayDisk(device);
    for (let at = 2 ** 20; at < device.size; at += noise.length)
      if (at !== 2 ** 26 && !device.span(at, noise.length).hole) garbled.write(noise, at);
    return garbled;
  });
}

for (const [name, count, spare] of profiles) {
  describe(name, () => {
    test('every file is as the kernel told, whichever device is named', () => {
      const devices = devicesOf(name, count);
      for (let turn = 0; turn < count; turn++) {
        const { fs, warnings } = open([...devices.slice(turn), ...devices.slice(0, turn)]);
        checkTree(name, fs);
        assert.deepEqual(warnings, []);
      }
    });

    test('without devices it is opened only as degraded, and is read as far as what is there reaches', () => {
      const devices = devicesOf(name, count);
      for (const missing of choices(count, spare)) {
        if (spare === 0) break;
        const present = devices.filter((_, i) => !missing.includes(i));
        assert.throws(() => open(present), { code: 'EINVAL', message: /missing.*degraded/ });
        const { fs, warnings } = open(present, { degraded: true });
        checkTree(name, fs);
        assert.match(warnings.join('\n'), new RegExp(`${missing.length} are missing`));
      }
      if (count === 1 || name === 'raid10-4') return;
      // One more than can be replaced is damage.
      const present = devices.slice(spare + 1);
      if (present.length === 0) return;
      assert.throws(() => checkTree(name, open(present, { degraded: true }).fs), { code: 'EIO' });
    });

    test('with one device damaged, all is read from the others, with a warning', () => {
      if (spare === 0) return;
      const devices = devicesOf(name, count);
      const told: string[] = [];
      for (let which = 0; which < count; which++) {
        const { fs, warnings } = open(withGarbage(devices, which));
        checkTree(name, fs);
        told.push(...warnings);
      }
      assert.match(told.join('\n'), /another copy/);
    });
  });
}
