/** Devices are found layer by layer, to the end, and stay what they are. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import type { BlockDevice } from '../../../src/vfs/index.js';
import { lvm2 } from '../../../src/volume/index.js';
import { readFixture } from '../../support/fixtures.js';
import { Random } from '../../support/random.js';
import { withText } from '../../volume/lvm2/fixtures.js';
import { anyCall, boxed, boxKind, kindsWith, type Scanned, scanOf, setKind } from './layers.js';

const stack = (): Uint8Array => readFixture('scenarios/lvm-stack.img.gz');

/** LVM as it would be if the kernel looked for partitions on its volumes, and lvm2 for members. */
const deepLvm = { ...lvm2.kind, hasPartitions: true, nests: true };

const deepNames = [
  '/dev/sda',
  '/dev/mapper/outer-disk-part1',
  '/dev/mapper/outer-disk-part2',
  '/dev/outer/disk',
  '/dev/outer/whole',
  '/dev/inner/deep',
  '/dev/nested/leaf',
];

function fileOn({ devices, fileSystems }: Scanned, name: string): string {
  const { fileSystem, release } = fileSystems.open(devices.resolve(name));
  try {
    const inode = fileSystem.lookup(fileSystem.root, 'where');
    assert.ok(inode !== undefined);
    const data = fileSystem.data(inode);
    const bytes = new Uint8Array(data.size);
    data.read(bytes, 0);
    return Buffer.from(bytes).toString();
  } finally {
    release();
  }
}

function find({ devices }: Scanned, name: string): BlockDevice {
  return devices.resolve(name);
}

describe('LVM on a partition of a volume, and on a volume', () => {
  test('is found to its end by a volume system that looks there, and read', () => {
    const scanned = scanOf([stack()], kindsWith(deepLvm));
    assert.deepEqual(scanned.names().sort(), [...deepNames].sort());
    assert.equal(fileOn(scanned, '/dev/mapper/outer-disk-part1'), 'a partition of outer/disk\n');
    assert.equal(fileOn(scanned, '/dev/inner/deep'), 'inner/deep\n');
    assert.equal(fileOn(scanned, '/dev/nested/leaf'), 'nested/leaf\n');
    assert.deepEqual(scanned.warned, []);
  });

  test('is not looked for where Linux does not look', () => {
    const scanned = scanOf([stack()]);
    assert.deepEqual(scanned.names(), ['/dev/sda', '/dev/outer/disk', '/dev/outer/whole']);
    const onPartitions = scanOf([stack()], kindsWith({ ...lvm2.kind, hasPartitions: true }));
    assert.deepEqual(
      onPartitions.names().sort(),
      deepNames.filter((name) => !name.startsWith('/dev/nested')).sort(),
    );
  });

  test('every device stays the same over scans, and goes with what it lies on', () => {
    const scanned = scanOf([stack()], kindsWith(deepLvm));
    const { scan } = scanned;
    const groups = () => scan.systems.stateOf(deepLvm).volumeGroups;
    const before = deepNames.map((name) => find(scanned, name));
    scan.rescan();
    scan.rescanMembers();
    scan.rescan(['/dev/sda']);
    assert.ok(deepNames.every((name, index) => find(scanned, name) === before[index]));
    const volumesOf = (group: string) => groups().find(({ name }) => name === group)?.logicalVolumes ?? [];
    scan.setActive(deepLvm, volumesOf('outer'), false, anyCall);
    assert.deepEqual(scanned.names(), ['/dev/sda']);
    assert.deepEqual(
      groups().map(({ name }) => name),
      ['outer'],
    );
    scan.setActive(deepLvm, volumesOf('outer'), true, anyCall);
    assert.deepEqual(scanned.names().sort(), [...deepNames].sort());
  });

  test('what something open lies on is in use, at any depth', () => {
    const scanned = scanOf([stack()], kindsWith(deepLvm));
    const { scan, fileSystems } = scanned;
    const lease = fileSystems.open(find(scanned, '/dev/inner/deep'));
    const inUse = (): string[] => scanned.names().filter((name) => scan.isInUse(find(scanned, name)));
    assert.deepEqual(inUse().sort(), [
      '/dev/inner/deep',
      '/dev/mapper/outer-disk-part2',
      '/dev/outer/disk',
      '/dev/sda',
    ]);
    const outer = scan.systems.stateOf(deepLvm).volumeGroups.find(({ name }) => name === 'outer');
    assert.throws(() => scan.setActive(deepLvm, outer?.logicalVolumes ?? [], false, anyCall), {
      code: 'EBUSY',
      message: /\/dev\/outer\/disk/,
    });
    assert.throws(() => scan.setFilter(deepLvm, [], anyCall), { code: 'EBUSY' });
    lease.release();
    assert.deepEqual(inUse(), []);
    scan.setFilter(deepLvm, [], anyCall);
    assert.deepEqual(scanned.names(), ['/dev/sda']);
  });
});

test('a volume has the sectors of its members', () => {
  const { devices } = scanOf([readFixture('lvm/big-4k.img.gz')], undefined, 4096);
  assert.equal(devices.resolve('/dev/big/vol').sectorSize, 4096);
  assert.equal(scanOf([stack()]).devices.resolve('/dev/outer/disk').sectorSize, 512);
});

test('whatever the metadata of the lowest group says, a scan ends, and throws nothing', () => {
  const random = new Random(7);
  const image = Buffer.from(stack());
  const kinds = kindsWith(deepLvm);
  let changed = 0;
  for (let round = 0; round < 150; round++) {
    const odd = withText(Buffer.from(image), (text) =>
      text.replace(/\b\d+\b/g, (number) => {
        if (random.below(40) > 0) return number;
        changed++;
        return String(random.pick([0, 1, 2, 3, 16, 48, 63, 2 ** 31, Number(number) + 1]));
      }),
    );
    const scanned = scanOf([odd], kinds);
    for (const device of scanned.devices.volumes) {
      try {
        device.disk.read(new Uint8Array(512), 0);
      } catch (thrown) {
        assert.ok(thrown instanceof GuestfsError, `${thrown}`);
      }
    }
  }
  assert.ok(changed > 150, `${changed} numbers were changed`);
});

/** A disk with an MBR of one primary partition each; starts and sizes in sectors. */
function mbrDisk(...partitions: readonly (readonly [start: number, size: number])[]): Buffer {
  const disk = Buffer.alloc(64 * 512);
  writePartitions(disk, ...partitions);
  return disk;
}

function writePartitions(
  disk: Buffer,
  ...partitions: readonly (readonly [start: number, size: number])[]
): void {
  disk.fill(0, 446, 510);
  for (const [index, [start, size]] of partitions.entries()) {
    const entry = 446 + index * 16;
    disk.writeUInt8(0x83, entry + 4);
    disk.writeUInt32LE(start, entry + 8);
    disk.writeUInt32LE(size, entry + 12);
  }
  disk.writeUInt16LE(0xaa55, 510);
}

describe('a table that is read again', () => {
  test('leaves the partitions alone that are where they were', () => {
    const disk = mbrDisk([8, 8], [16, 8], [24, 8]);
    const scanned = scanOf([disk]);
    const [first, second] = scanned.devices.partitions();
    writePartitions(disk, [8, 8], [16, 16]);
    scanned.scan.rescan(['/dev/sda']);
    assert.deepEqual(scanned.names(), ['/dev/sda', '/dev/sda1', '/dev/sda2']);
    const [again, changed] = scanned.devices.partitions();
    assert.equal(again, first);
    assert.notEqual(changed, second);
    assert.equal(changed?.disk.size, 16 * 512);
  });

  test('leaves those alone that are in use, wherever they are now', () => {
    const disk = mbrDisk([8, 8], [16, 8]);
    disk.write('SETa1', 16 * 512);
    const scanned = scanOf([disk], kindsWith(boxKind(), setKind));
    const used = find(scanned, '/dev/sda2');
    const lease = scanned.fileSystems.open(used);
    for (const changed of [
      [
        [8, 8],
        [20, 8],
      ],
      [[8, 8]],
    ] as const) {
      writePartitions(disk, ...changed);
      scanned.scan.rescan(['/dev/sda']);
      assert.equal(find(scanned, '/dev/sda2'), used);
    }
    lease.release();
    scanned.scan.rescan(['/dev/sda']);
    assert.deepEqual(scanned.names(), ['/dev/sda', '/dev/sda1']);
  });
});

describe('devices on each other', () => {
  const nested = (depth: number): Uint8Array => {
    let bytes: Uint8Array = new Uint8Array(512);
    for (let level = depth; level > 0; level--) bytes = boxed(bytes, `BOX${level}`);
    return bytes;
  };

  test('are found', () => {
    const scanned = scanOf([nested(7)], kindsWith(boxKind()));
    assert.equal(scanned.devices.volumes.length, 7);
    assert.deepEqual(scanned.warned, []);
  });

  test('but not more than eight, which is told', () => {
    const scanned = scanOf([nested(12)], kindsWith(boxKind()));
    assert.deepEqual(
      scanned.devices.volumes.map(({ name }) => name),
      [1, 2, 3, 4, 5, 6, 7, 8].map((level) => `/dev/box/${level}`),
    );
    assert.deepEqual(scanned.warned, ['/dev/box/8: lies on 8 other devices, and is not looked into']);
  });

  test('in a circle end: a member that takes away the volume it lies on', () => {
    const { assemble, ...kind } = boxKind();
    assert.ok(assemble);
    const fickle = {
      ...kind,
      assemble: (members: Parameters<typeof assemble>[0]) => {
        const all = assemble(members);
        return members.length > 1 ? { ...all, volumes: all.volumes.slice(1) } : all;
      },
    };
    const scanned = scanOf([nested(2)], kindsWith(fickle));
    assert.deepEqual(scanned.warned, ['devices lie on each other in a circle: some of them are not shown']);
  });

  test('that are very many are shown, and not looked into', () => {
    const { assemble, ...kind } = boxKind();
    assert.ok(assemble);
    let looked = 0;
    const many = {
      ...kind,
      probe(disk: Parameters<typeof kind.probe>[0]) {
        looked++;
        return kind.probe(disk);
      },
      assemble: (members: Parameters<typeof assemble>[0]) => {
        const all = assemble(members);
        const [volume] = all.volumes;
        const volumes = Array.from({ length: 20_000 }, (_, i) => ({
          ...volume,
          id: `${i}`,
          device: `/dev/box/${i}`,
        })) as typeof all.volumes;
        return { ...all, volumes };
      },
    };
    const scanned = scanOf([nested(2)], kindsWith(many));
    assert.equal(scanned.devices.volumes.length, 20_000);
    assert.equal(looked, 1);
    assert.match(scanned.warned.join('\n'), /^there are more than 16384 devices: the volumes among them/);
  });
});

test('a volume that comes to lie elsewhere is another device, unless it is in use', () => {
  const disk = Buffer.from(boxed(Buffer.from('SETa1'.padEnd(2048)), 'BOXone'));
  const { assemble, ...kind } = boxKind();
  assert.ok(assemble);
  let layout = '1';
  const box = {
    ...kind,
    assemble: (members: Parameters<typeof assemble>[0]) => {
      const all = assemble(members);
      return { ...all, volumes: all.volumes.map((volume) => ({ ...volume, layout })) };
    },
  };
  const scanned = scanOf([disk], kindsWith(box, setKind));
  const first = find(scanned, '/dev/box/one');
  const lease = scanned.fileSystems.open(first);
  layout = '2';
  scanned.scan.rescanMembers();
  assert.equal(find(scanned, '/dev/box/one'), first);
  // Its member is gone, and still it stays.
  disk.write('XXX', 0);
  scanned.scan.rescanMembers();
  assert.equal(find(scanned, '/dev/box/one'), first);
  disk.write('BOX', 0);
  lease.release();
  scanned.scan.rescanMembers();
  assert.notEqual(find(scanned, '/dev/box/one'), first);
});
