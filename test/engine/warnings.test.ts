import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { crc32 } from '../../src/base/index.js';
import { Warnings } from '../../src/engine/session/warnings.js';
import { Guestfs } from '../../src/guestfs/index.js';
import { scratchPath } from './support.js';

function recorded(): { readonly warnings: Warnings; readonly told: string[] } {
  const told: string[] = [];
  return { warnings: new Warnings((message) => told.push(message)), told };
}

test('a text is told once a session, until the devices change', () => {
  const { warnings, told } = recorded();
  for (let call = 0; call < 3; call++) {
    for (let times = 0; times < 5; times++) warnings.warn('/dev/sda: is odd');
    warnings.settle();
  }
  assert.deepEqual(told, ['/dev/sda: is odd']);
  warnings.forget();
  warnings.warn('/dev/sda: is odd');
  assert.equal(told.length, 2);
});

test('of many of one kind a call tells the first eight, and then how many more there were', () => {
  const { warnings, told } = recorded();
  const damaged = (inode: number): string =>
    `/dev/sda${inode % 7}: ext4 inode ${inode}: "a \\"${'b'.repeat(inode % 5)}\\"" has a bad checksum (0x${inode.toString(16)})`;
  for (let inode = 1; inode <= 5000; inode++) warnings.warn(damaged(inode));
  warnings.warn('/dev/sda: its journal is damaged');
  warnings.settle();
  assert.deepEqual(told, [
    ...Array.from({ length: 8 }, (_, index) => damaged(index + 1)),
    '/dev/sda: its journal is damaged',
    `4,992 more like this: ${damaged(1)}`,
  ]);
  // The same again has been told.
  for (let inode = 1; inode <= 5000; inode++) warnings.warn(damaged(inode));
  warnings.settle();
  assert.equal(told.length, 10);
});

test('a ninth of a kind is told in full, as a count would be no shorter', () => {
  const { warnings, told } = recorded();
  for (let inode = 1; inode <= 9; inode++) warnings.warn(`inode ${inode}`);
  warnings.settle();
  assert.deepEqual(
    told,
    Array.from({ length: 9 }, (_, index) => `inode ${index + 1}`),
  );
});

test('messages of a named kind are one kind, whatever their texts', () => {
  const { warnings, told } = recorded();
  for (const letter of 'abcdefghijklmnopqrstuvwxyz') warnings.warn(`${letter}: left out`, 'left out');
  warnings.settle();
  assert.equal(told.length, 9);
  assert.equal(told.at(-1), '18 more like this: a: left out');
});

test('half a million warnings cost little, also where each seems to be of a kind of its own', () => {
  for (const named of [true, false]) {
    const { warnings, told } = recorded();
    const began = process.cpuUsage().user;
    for (let index = 0; index < 500_000; index++) {
      const letters = index.toString(26).replace(/[0-9]/g, (digit) => 'qrstuvwxyz'.charAt(Number(digit)));
      warnings.warn(`${letters} is odd "${'\\"'.repeat(100)}`, named ? 'odd' : undefined);
    }
    warnings.settle();
    assert.ok(process.cpuUsage().user - began < 5_000_000, `${process.cpuUsage().user - began} µs`);
    assert.equal(told.length, named ? 9 : 65);
    assert.match(
      told.at(-1) ?? '',
      named ? /^499,992 more like this: / : /^499,936 more warnings of other kinds$/,
    );
  }
});

test('what is remembered and told has a bound, whatever a disk makes of names', () => {
  const { warnings, told } = recorded();
  for (let call = 0; call < 30; call++) {
    for (let index = 0; index < 8; index++) warnings.warn(`${'x'.repeat(1_000_000)} ${call}`.slice(index));
    warnings.settle();
  }
  assert.ok(told.every(({ length }) => length <= 10_001));
});

/** A disk of 1 MiB with a GPT of which all partitions lie past its end. */
function tableOfNothing(entries: number): Buffer {
  const disk = Buffer.alloc(1 << 20);
  disk.set([0x00, 0x00, 0x02, 0x00, 0xee, 0xff, 0xff, 0xff, 0x01, 0, 0, 0, 0xff, 0x07, 0, 0], 446);
  disk.writeUInt16LE(0xaa55, 510);
  for (let index = 0; index < entries; index++) {
    const at = 1024 + index * 128;
    disk.fill(0x11, at, at + 32);
    disk.writeBigUInt64LE(BigInt(10_000 + index), at + 32);
    disk.writeBigUInt64LE(BigInt(10_000 + index), at + 40);
  }
  const header = disk.subarray(512, 512 + 92);
  header.write('EFI PART');
  header.writeUInt32LE(0x10000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(1n, 24);
  header.writeBigUInt64LE(2047n, 32);
  header.writeBigUInt64LE(34n, 40);
  header.writeBigUInt64LE(2014n, 48);
  header.writeBigUInt64LE(2n, 72);
  header.writeUInt32LE(entries, 80);
  header.writeUInt32LE(128, 84);
  header.writeUInt32LE(crc32(disk.subarray(1024, 1024 + entries * 128)), 88);
  header.writeUInt32LE(crc32(header), 16);
  return disk;
}

test('a launch on a disk that is odd a hundred times over warns a few times, and again only when it is read again', async () => {
  const path = scratchPath('gpt.img');
  writeFileSync(path, tableOfNothing(128));
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  const warnings: string[] = [];
  g.on('warning', (message) => warnings.push(message));
  g.addDrive(path, { readonly: true, format: 'raw' });
  await g.launch();
  const left = warnings.filter((message) => message.includes('left out'));
  assert.equal(left.length, 9, warnings.join('\n'));
  assert.match(left.at(-1) ?? '', /^\/dev\/sda: 120 more entries are left out$/);
  await g.listFilesystems();
  assert.equal(warnings.filter((message) => message.includes('left out')).length, 9);
  await g.blockdevRereadpt('/dev/sda');
  assert.equal(warnings.filter((message) => message.includes('left out')).length, 18);
});
