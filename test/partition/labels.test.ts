/** Disk labels of other machines, as parted, sfdisk and scripts/fixtures/labels.sh made them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CorruptError } from '../../src/base/index.js';
import { MemoryDisk } from '../../src/disk/index.js';
import { listPartitions, otherSectorSize, readPartitionTable } from '../../src/partition/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { openImage } from './fixtures.js';

const imageOf = (name: string): Buffer => readFixtureBuffer(`scenarios/${name}.img.gz`);

/** Number, first sector, sectors. */
type Place = readonly [number, number, number];

interface Label {
  readonly scheme: string;
  /** As `parted unit s print` shows them. */
  readonly listed: readonly Place[];
  /** Those of which Linux makes devices. */
  readonly devices: readonly Place[];
}

const first: Place = [1, 2048, 4096];
const second: Place = [2, 8192, 4096];

const labels: Readonly<Record<string, Label>> = {
  sun: {
    scheme: 'sun',
    listed: [
      [1, 0, 3968],
      [2, 4096, 3968],
    ],
    devices: [
      [1, 0, 3968],
      [2, 4096, 3968],
      [3, 0, 16384],
    ],
  },
  dvh: {
    scheme: 'dvh',
    listed: [
      [9, 0, 4096],
      [1, 6144, 2048],
      [2, 8192, 4096],
    ],
    devices: [
      [1, 6144, 2048],
      [2, 8192, 4096],
      [9, 0, 4096],
      [11, 0, 16384],
    ],
  },
  mac: {
    scheme: 'mac',
    listed: [
      [1, 1, 63],
      [2, 2048, 4096],
      [3, 8192, 4096],
    ],
    devices: [
      [1, 1, 63],
      [2, 2048, 4096],
      [3, 8192, 4096],
      // What is free has entries too.
      [4, 64, 1984],
      [5, 6144, 2048],
      [6, 12288, 4096],
    ],
  },
  bsd: { scheme: 'bsd', listed: [first, second], devices: [first, second] },
  amiga: { scheme: 'amiga', listed: [first, second], devices: [first, second] },
  atari: { scheme: 'atari', listed: [first, second], devices: [first, second] },
  pc98: { scheme: 'pc98', listed: [], devices: [] },
  aix: { scheme: 'aix', listed: [], devices: [] },
  solaris: {
    scheme: 'msdos',
    listed: [
      [1, 512, 4096],
      [2, 4608, 2048],
      [3, 6656, 4096],
      [4, 10752, 4096],
    ],
    devices: [
      [1, 512, 4096],
      [2, 4608, 2048],
      [3, 6656, 4096],
      [4, 10752, 4096],
      // Eight slices are read of the first, which says that it has eight.
      [5, 528, 100],
      [6, 512, 4096],
      [7, 712, 300],
      // Minix's own.
      [8, 4620, 100],
      [9, 4720, 200],
      [10, 5020, 64],
      // Sixteen of the last.
      [11, 6672, 100],
      [12, 6656, 4096],
      [13, 6856, 300],
      [14, 7256, 50],
    ],
  },
  slices: {
    scheme: 'msdos',
    listed: [
      [1, 512, 4096],
      [2, 4608, 2048],
      [5, 4671, 1000],
      [3, 6656, 4096],
      [4, 10752, 4096],
    ],
    devices: [
      [1, 512, 4096],
      [2, 4608, 2048],
      [3, 6656, 4096],
      [4, 10752, 4096],
      [5, 4671, 1000],
      // FreeBSD's a, b, e: d is empty and keeps its number; f and g are outside the slice and all of it.
      [6, 528, 1024],
      [7, 1552, 512],
      [9, 2064, 1000],
      // OpenBSD's a, b, e.
      [10, 6672, 1024],
      [11, 7696, 512],
      [12, 9208, 100],
      // NetBSD's.
      [13, 10768, 1024],
      [14, 11792, 512],
      [15, 12304, 100],
    ],
  },
};

for (const [name, { scheme, listed, devices }] of Object.entries(labels))
  test(`${name}: the partitions that parted lists, and those that are devices`, () => {
    const table = readPartitionTable(new MemoryDisk(imageOf(name)), 512);
    assert.ok(table);
    assert.equal(table.scheme, scheme);
    assert.deepEqual(
      listPartitions(table).map(({ partNum, partStart, partSize }) => [
        partNum,
        partStart / 512,
        partSize / 512,
      ]),
      listed,
    );
    assert.deepEqual(
      table.partitions.map(({ number, startInBytes, sizeInBytes }) => [
        number,
        startInBytes / 512,
        sizeInBytes / 512,
      ]),
      devices,
    );
  });

test('a GPT for sectors of the other size is told', () => {
  assert.equal(otherSectorSize(openImage('gpt-4k'), 512), 4096);
  assert.equal(otherSectorSize(openImage('gpt-names'), 4096), 512);
  assert.equal(otherSectorSize(openImage('gpt-4k'), 4096), undefined);
  assert.equal(otherSectorSize(openImage('gpt-names'), 512), undefined);
  assert.equal(otherSectorSize(openImage('mbr-logical'), 512), undefined);
  assert.equal(otherSectorSize(new MemoryDisk(new Uint8Array(600)), 512), undefined);
});

describe('damaged labels', () => {
  for (const name of Object.keys(labels))
    test(`${name}: each byte of the first sectors changed gives a table, none, or a CorruptError, all on the disk`, () => {
      const image = imageOf(name);
      for (let at = 0; at < 4 * 512; at++) {
        for (const value of [0xff, 0x80]) {
          const old = image[at] ?? 0;
          image[at] = old ^ value;
          try {
            const table = readPartitionTable(new MemoryDisk(image), 512);
            for (const { startInBytes, sizeInBytes } of table?.partitions ?? [])
              assert.ok(startInBytes + sizeInBytes <= image.length, `byte ${at}`);
          } catch (thrown) {
            if (!(thrown instanceof CorruptError)) throw thrown;
          }
          image[at] = old;
        }
      }
    });

  test('a map of Apple that claims four thousand million entries is read as far as numbers go', () => {
    const image = imageOf('mac');
    image.writeUInt32BE(0xffffffff, 512 + 4);
    const table = readPartitionTable(new MemoryDisk(image), 512);
    assert.ok((table?.partitions.length ?? 0) < 256);
    assert.match(table?.warnings.join('; ') ?? '', /only 255 are read/);
  });

  test("the Amiga's list of partitions that comes back to itself ends", () => {
    const image = imageOf('amiga');
    const at = image.indexOf('PART');
    const sum = (block: number) => {
      let total = 0;
      image.writeUInt32BE(0, block + 8);
      for (let word = 0; word < image.readUInt32BE(block + 4); word++)
        total = (total + image.readUInt32BE(block + word * 4)) >>> 0;
      image.writeUInt32BE(-total >>> 0, block + 8);
    };
    image.writeUInt32BE(at / 512, at + 16);
    sum(at);
    const table = readPartitionTable(new MemoryDisk(image), 512);
    assert.equal(table?.partitions.length, 1);
    assert.match(table?.warnings.join('; ') ?? '', /which is none: it ends there/);
  });
});
