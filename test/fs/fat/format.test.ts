/** New FAT volumes, with the sizes that mkfs.fat chooses, and nothing that fsck.fat would complain of. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { readVolume } from '../../../src/fs/fat/boot.js';
import { planFat } from '../../../src/fs/fat/format.js';
import { probe } from '../../../src/fs/fat/probe.js';
import '../../support/platform.js';
import { needs } from '../../support/tools.js';
import {
  checkVolume,
  makeVolume,
  newFile,
  openReadonly,
  openWritable,
  treeOf,
  writeFile,
} from './volumes.js';

type FatFormatOptions = Parameters<typeof planFat>[1];

const always = { serial: 0x12345678, now: { seconds: 1_600_000_000, nanoseconds: 0 } };

function formatted(kibibytes: number, options: Partial<FatFormatOptions> = {}): Uint8Array {
  const bytes = new Uint8Array(kibibytes * 1024).fill(0xa5, 0, 2_000_000);
  planFat(new MemoryDisk(bytes, { writable: true }), { ...always, ...options })();
  return bytes;
}

const shape = (bytes: Uint8Array) => readVolume(new MemoryDisk(bytes));

describe('a new volume has the shape that mkfs.fat gives it', () => {
  const cases: readonly [kibibytes: number, options: Partial<FatFormatOptions>, ...theirs: string[]][] = [
    ...[100, 1000, 2100, 4096, 8000, 8190, 16_380, 16_400, 33_000, 65_536, 131_072, 262_144].map(
      (kibibytes): [number, object] => [kibibytes, {}],
    ),
    [65_536, { bits: 32 }, '-F32'],
    [4000, { bits: 12, sectorsPerCluster: 8 }, '-F12', '-s8'],
    [65_536, { bits: 16, sectorsPerCluster: 16 }, '-F16', '-s16'],
    [65_536, { sectorSize: 4096 }, '-S4096'],
    [280_000, { sectorSize: 4096, bits: 32, sectorsPerCluster: 1 }, '-S4096', '-F32', '-s1'],
    [20_000, { sectorsPerCluster: 2 }, '-s2'],
  ];
  for (const [kibibytes, options, ...theirs] of cases)
    test(`${kibibytes} KiB ${theirs.join(' ')}`, needs('mkfs.fat', 'fsck.fat'), () => {
      const bytes = formatted(kibibytes, { label: 'A LABEL', ...options });
      assert.deepEqual(shape(bytes), shape(makeVolume(kibibytes, '-n', 'A LABEL', ...theirs)));
      if (kibibytes < 200_000) checkVolume(bytes);
    });
});

test('a new volume is recognised by its label and serial number, and holds files', needs('fsck.fat'), () => {
  const bytes = formatted(40_000, { bits: 32, label: 'Data 1' });
  const probed = probe(new MemoryDisk(bytes));
  assert.equal(probed?.label, 'Data 1');
  assert.equal(probed?.uuid, '1234-5678');
  const fileSystem = openWritable(bytes);
  writeFile(fileSystem, fileSystem.writer.create(fileSystem.root, 'File.txt', newFile), Uint8Array.of(1, 2));
  fileSystem.close();
  checkVolume(bytes);
  assert.deepEqual([...treeOf(openReadonly(bytes)).keys()], ['/File.txt']);
});

test('what cannot be is refused before anything is written', () => {
  const refused: readonly [number, Partial<FatFormatOptions>][] = [
    [2000, { bits: 16 }],
    [100, { label: 'twelve chars' }],
    [100, { label: 'a/b' }],
    [100, { sectorsPerCluster: 3 }],
    [100, { sectorsPerCluster: 256 }],
    [600_000, { bits: 12 }],
    [1, {}],
  ];
  for (const [kibibytes, options] of refused) {
    const bytes = new Uint8Array(kibibytes * 1024);
    const disk = new MemoryDisk(bytes, { writable: true });
    assert.throws(
      () => planFat(disk, { ...always, ...options }),
      (thrown) => thrown instanceof GuestfsError && thrown.code === 'EINVAL',
      JSON.stringify(options),
    );
    assert.ok(bytes.every((byte) => byte === 0));
  }
});
