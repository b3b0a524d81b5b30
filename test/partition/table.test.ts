import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CorruptError, GuestfsError } from '../../src/base/index.js';
import { MemoryDisk } from '../../src/disk/index.js';
import {
  findPartition,
  isBootable,
  listPartitions,
  type PartitionTable,
  partitionEntryFacts,
  readPartitionTable,
  tableFacts,
} from '../../src/partition/index.js';
import { Random } from '../support/random.js';
import { facts, factsOf, openImage, readImage } from './fixtures.js';

/** Where Linux and parted give up since the first GPT is damaged, and we use the copy as sfdisk does. */
const recovered = ['gpt-primary-header', 'gpt-primary-entries'];
const beyondUse = ['gpt-both', 'gpt-truncated'];
const names = Object.keys(facts);

function read(name: string): PartitionTable | undefined {
  return readPartitionTable(openImage(name), factsOf(name).sectorSize);
}

function readKnown(name: string): PartitionTable {
  const table = read(name);
  assert.ok(table, `${name} has a partition table`);
  return table;
}

/** The entries of one partition that blkid told, less the name, which blkid escapes. */
function entryFacts(table: PartitionTable, number: number): Record<string, string> {
  const partition = findPartition(table, number);
  assert.ok(partition);
  const told = Object.fromEntries(partitionEntryFacts(table, partition));
  delete told.PART_ENTRY_NAME;
  return told;
}

describe('as the real libguestfs', () => {
  for (const name of names.filter((name) => !beyondUse.includes(name) && !recovered.includes(name))) {
    const fact = factsOf(name);
    test(`${name}: the same devices of the same sizes`, () => {
      const table = read(name);
      assert.deepEqual(
        (table?.partitions ?? []).map(({ number, deviceSizeInBytes }) => [number, deviceSizeInBytes]),
        [...fact.devices].sort((a, b) => a.number - b.number).map(({ number, size }) => [number, size]),
      );
    });
    if (fact.devices.some(({ blkid }) => blkid))
      test(`${name}: blkid's facts of each partition`, () => {
        const table = readKnown(name);
        for (const device of fact.devices) {
          const told = entryFacts(table, device.number);
          const partition = findPartition(table, device.number);
          // blkid tells the size in the table, of which the disk may have less.
          if (table.warnings.length > 0 && partition) delete told.PART_ENTRY_SIZE;
          const expected: Record<string, string> = { ...device.blkid };
          if (table.warnings.length > 0) delete expected.PART_ENTRY_SIZE;
          // A filesystem with a table in it: blkid sees only the filesystem.
          if (Object.keys(expected).length > 0) assert.deepEqual(told, expected);
        }
      });
    if (fact.partType === 'gpt' || fact.partType === 'msdos')
      test(`${name}: part_get_parttype, part_list and the getters of each partition`, () => {
        const table = readKnown(name);
        assert.equal(table.scheme, fact.partType);
        assert.deepEqual(
          listPartitions(table).map(({ partNum, partStart, partEnd, partSize }) => ({
            part_num: partNum,
            part_start: partStart,
            part_end: partEnd,
            part_size: partSize,
          })),
          // parted also lists those that Linux has no device numbers for.
          fact.partList?.filter(({ part_num }) => part_num < 256),
        );
        if (Object.keys(fact.blkid).length > 0)
          assert.deepEqual(Object.fromEntries(tableFacts(table)), fact.blkid);
        assert.equal(table.diskGuid, fact.diskGuid);
        for (const device of fact.devices) {
          const partition = findPartition(table, device.number);
          assert.ok(partition);
          if (device.blkid === undefined) continue;
          assert.equal(isBootable(partition), device.bootable);
          assert.equal(partition.kind, device.kind);
          if (table.scheme === 'msdos') assert.equal(partition.mbrId, device.id);
          else {
            assert.equal(partition.gptType, device.type);
            assert.equal(partition.gptGuid, device.guid);
            // parted gives no name that is not ASCII in the appliance's locale; sfdisk does, see below.
            if (/^[\x20-\x7e]*$/.test(partition.name ?? '')) assert.equal(partition.name, device.name);
            // libguestfs 1.48 loses the upper half.
            assert.equal((partition.attributes ?? -1n) & 0xffffffffn, BigInt(device.attributes ?? ''));
          }
        }
      });
  }
});

describe('as sfdisk', () => {
  for (const name of names) {
    const told = factsOf(name).sfdisk;
    if (!told?.partitions || beyondUse.includes(name)) continue;
    const label = { dos: 'msdos', gpt: 'gpt' }[told.label];
    const partitions = told.partitions;
    test(`${name}: starts, sizes, types and names`, () => {
      const table = read(name);
      // Linux wants the protective MBR and the boot indicators, which sfdisk does without.
      if (!table) return assert.deepEqual(factsOf(name).devices, []);
      assert.equal(table.scheme, label);
      const whole = table.warnings.every(
        (warning) => !/past the end|of which the disk has only/.test(warning),
      );
      if (!whole) return;
      assert.deepEqual(
        table.partitions.map((partition) => ({
          number: partition.number,
          start: partition.startInBytes / 512,
          size: partition.sizeInBytes / 512,
          type: (partition.gptType ?? partition.mbrId?.toString(16))?.toLowerCase(),
          uuid: partition.gptGuid,
          name: partition.name || undefined,
        })),
        partitions
          .map(({ node, start, size, type, uuid, name }) => ({
            number: Number(/\d+$/.exec(node)?.[0]),
            start,
            size,
            type: type.toLowerCase(),
            uuid,
            name,
          }))
          .filter(({ number }) => number < 256),
      );
    });
  }
});

test('attributes have all of their 64 bits', () => {
  // As the script set them, and as blkid tells them.
  assert.equal(findPartition(readKnown('gpt-names'), 1)?.attributes, (1n << 60n) | (1n << 2n));
});

test('a damaged primary GPT: the backup is used and a warning says so', () => {
  for (const name of recovered) {
    const table = readKnown(name);
    assert.deepEqual(table.partitions, readKnown('gpt-names').partitions);
    assert.match(table.warnings.join('\n'), /primary is damaged and the backup is used/);
  }
});

test('a damaged backup GPT, or one in another place, is a warning', () => {
  for (const name of ['gpt-backup-header', 'gpt-backup-entries']) {
    assert.match(readKnown(name).warnings.join('\n'), /backup is damaged/);
    assert.deepEqual(readKnown(name).partitions, readKnown('gpt-names').partitions);
  }
  assert.match(readKnown('gpt-grown').warnings.join('\n'), /not at the end of the disk/);
  assert.deepEqual(readKnown('gpt-names').warnings, []);
});

test('two damaged GPTs are a CorruptError that tells of both', () => {
  for (const name of beyondUse) {
    assert.deepEqual(factsOf(name).devices, []);
    assert.throws(() => read(name), { name: 'CorruptError', message: /both copies are damaged.*sector 1\b/ });
  }
});

test('partitions past the end of the disk are cut off or left out, with warnings', () => {
  assert.match(readKnown('mbr-past-extended').warnings.join('\n'), /partition 3 starts at .* left out/);
  assert.match(readKnown('mbr-past-logical').warnings.join('\n'), /of which the disk has only/);
});

test('a chain of extended boot records that loops ends, with a warning', () => {
  // Linux goes round until it has 255 partitions.
  const bytes = readImage('mbr-logical');
  bytes.writeUInt32LE(0, 8192 * 512 + 446 + 16 + 8);
  const table = readPartitionTable(new MemoryDisk(bytes), 512);
  assert.match(table?.warnings.join('\n') ?? '', /comes back to sector 8192/);
  assert.deepEqual(
    table?.partitions.map(({ number }) => number),
    [1, 2, 3, 5],
  );
});

test('overlapping partitions are kept, with a warning', () => {
  assert.match(readKnown('mbr-overlap').warnings.join('\n'), /partitions 1 and 2 overlap/);
});

test('a sector size that is neither 512 nor 4096 is refused', () => {
  for (const size of [0, -1, 2048, 513, Number.NaN])
    assert.throws(
      () => readPartitionTable(new MemoryDisk(new Uint8Array(4096)), size),
      (error: unknown) => error instanceof GuestfsError && error.code === 'EINVAL',
    );
});

/** Reads a table from any bytes: it works or is a CorruptError, and what it gives lies on the disk. */
function readAnything(bytes: Uint8Array, sectorSize: number): void {
  const disk = new MemoryDisk(bytes);
  let table: PartitionTable | undefined;
  try {
    table = readPartitionTable(disk, sectorSize);
  } catch (error) {
    assert.ok(error instanceof CorruptError, `${error}`);
    return;
  }
  for (const partition of table?.partitions ?? []) {
    assert.ok(partition.sizeInBytes > 0 && partition.startInBytes >= 0);
    assert.ok(partition.startInBytes + partition.sizeInBytes <= disk.size);
    assert.ok(partition.number >= 1 && partition.number <= 255);
    if (table) partitionEntryFacts(table, partition);
  }
}

const small = ['mbr-logical', 'mbr-many', 'mbr-4k', 'gpt-names', 'gpt-4k', 'gpt-entries', 'gpt-hybrid'];

test('truncated anywhere near a structure: a table or a CorruptError', () => {
  for (const name of small) {
    const bytes = readImage(name);
    for (const at of [0, 1, 445, 446, 511, 512, 513, 603, 604, 1023, 1024, 1100, 4096, 8192, 17407, 17408])
      readAnything(bytes.subarray(0, at), factsOf(name).sectorSize);
  }
});

test('each byte of an entry or header at 0 and 255: a table or a CorruptError', () => {
  for (const name of small) {
    const sectorSize = factsOf(name).sectorSize;
    const bytes = Buffer.from(readImage(name));
    const places = [
      ...Array.from({ length: 66 }, (_, index) => 446 + index),
      ...Array.from({ length: 92 }, (_, index) => sectorSize + index),
      ...Array.from({ length: 92 }, (_, index) => bytes.length - sectorSize + index),
      ...Array.from({ length: 56 }, (_, index) => 2 * sectorSize + index),
    ];
    for (const place of places) {
      const kept = bytes[place] ?? 0;
      for (const value of [0, 0xff]) {
        bytes[place] = value;
        readAnything(bytes, sectorSize);
      }
      bytes[place] = kept;
    }
  }
});

test('seeded mutations of real tables: a table or a CorruptError', () => {
  const random = new Random(0x2545f491);
  const images = small.map((name) => ({ name, bytes: Buffer.from(readImage(name)) }));
  const until = Date.now() + 1000;
  for (let round = 0; round < 20000 && Date.now() < until; round++) {
    const image = images[round % images.length];
    assert.ok(image);
    const undo: [number, number][] = [];
    const extended = image.name === 'mbr-logical' ? 8192 * 512 : 100 * 512;
    for (let count = 1 + random.below(4); count > 0; count--) {
      const place =
        [
          446 + random.below(66),
          512 + random.below(92),
          extended + 446 + random.below(66),
          random.below(40000),
        ][random.below(4)] ?? 0;
      undo.push([place, image.bytes[place] ?? 0]);
      image.bytes[place] = random.below(256);
    }
    readAnything(image.bytes, factsOf(image.name).sectorSize);
    for (const [place, value] of undo.reverse()) image.bytes[place] = value;
  }
});

/** A GPT built in memory, with right checksums, so that bad fields are reached behind them. */
test('GPT fields at their limits behind right checksums: a CorruptError, never anything else', async () => {
  const { crc32 } = await import('../../src/base/index.js');
  const template = readImage('gpt-names');
  const fields: readonly [offset: number, size: 4 | 8][] = [
    [12, 4],
    [24, 8],
    [32, 8],
    [40, 8],
    [48, 8],
    [72, 8],
    [80, 4],
    [84, 4],
  ];
  for (const [offset, size] of fields) {
    for (const value of [
      0n,
      1n,
      33n,
      127n,
      0x7fffffffn,
      0xffffffffn,
      0x1fffffffffffffn,
      0xffffffffffffffffn,
    ]) {
      const bytes = Buffer.from(template);
      bytes.fill(0, bytes.length - 512);
      if (size === 4) bytes.writeUInt32LE(Number(value & 0xffffffffn), 512 + offset);
      else bytes.writeBigUInt64LE(value, 512 + offset);
      bytes.writeUInt32LE(0, 512 + 16);
      const headerSize = Math.min(bytes.readUInt32LE(512 + 12), 512);
      bytes.writeUInt32LE(crc32(bytes.subarray(512, 512 + headerSize)), 512 + 16);
      readAnything(bytes, 512);
    }
  }
  // Entries: first and last sector.
  for (const offset of [32, 40]) {
    for (const value of [0n, 1n, 24575n, 0xffffffffn, 0x20000000000000n, 0xffffffffffffffffn]) {
      const bytes = Buffer.from(template);
      bytes.writeBigUInt64LE(value, 1024 + offset);
      bytes.writeUInt32LE(crc32(bytes.subarray(1024, 1024 + 128 * 128)), 512 + 88);
      bytes.writeUInt32LE(0, 512 + 16);
      bytes.writeUInt32LE(crc32(bytes.subarray(512, 512 + 92)), 512 + 16);
      readAnything(bytes, 512);
    }
  }
});
