/** Names and numbers of block devices. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  canonicalDriveName,
  deviceNumbers,
  driveIndex,
  driveName,
  makeDeviceNumber,
  mapperName,
  numberOfDevice,
  partitionName,
  volumeName,
} from '../../src/formats/index.js';

test('the names of drives and their indexes', () => {
  for (const [index, name] of [
    [0, '/dev/sda'],
    [25, '/dev/sdz'],
    [26, '/dev/sdaa'],
    [51, '/dev/sdaz'],
    [52, '/dev/sdba'],
    [254, '/dev/sdiu'],
    [701, '/dev/sdzz'],
    [702, '/dev/sdaaa'],
  ] as const) {
    assert.equal(driveName(index), name);
    assert.equal(driveIndex(name), index);
  }
  for (let index = 0; index < 1000; index++) assert.equal(driveIndex(driveName(index)), index);
  assert.equal(driveIndex('/dev/vdb'), 1);
  for (const name of ['/dev/sda1', 'sda', '/dev/sd', '/dev/sdabcd', '/dev/nbd0', '/dev/md0'])
    assert.equal(driveIndex(name), undefined, name);
  assert.equal(partitionName('/dev/sdb', 12), '/dev/sdb12');
  assert.equal(partitionName('/dev/md0', 1), '/dev/md0p1');
});

test('a disk of another driver has one name; what is no such disk keeps its own', () => {
  for (const [name, canonical] of [
    ['/dev/vdaaa', '/dev/sdaaa'],
    ['/dev/hdz9', '/dev/sdz9'],
    ['/dev/xvda1', '/dev/sda1'],
    ['/dev/ubdb', '/dev/sdb'],
    ['/dev/sda1', '/dev/sda1'],
    ['/dev/nbd0', '/dev/nbd0'],
    ['/dev/md127', '/dev/md127'],
    ['/dev/VG/vda', '/dev/VG/vda'],
    ['/dev/vda/x', '/dev/vda/x'],
    ['anything', 'anything'],
  ] as const)
    assert.equal(canonicalDriveName(name), canonical);
  assert.equal(canonicalDriveName('/dev/xvda', ['hd', 'vd']), '/dev/xvda');
  assert.equal(canonicalDriveName('/dev/vda', ['hd', 'vd']), '/dev/sda');
});

test('hyphens within the parts of a mapper name are doubled', () => {
  assert.equal(mapperName('V-G', 'L-V'), '/dev/mapper/V--G-L--V');
  assert.equal(volumeName('V-G', 'L-V'), '/dev/V-G/L-V');
});

test('device numbers are those of the kernel', () => {
  assert.equal(numberOfDevice('/dev/sda'), 8 * 256);
  assert.equal(numberOfDevice('/dev/sdb3'), 8 * 256 + 19);
  assert.equal(numberOfDevice('/dev/sdp15'), 8 * 256 + 255);
  assert.equal(numberOfDevice('/dev/sdq'), 65 * 256);
  assert.equal(numberOfDevice('/dev/sddx1'), 71 * 256 + 15 * 16 + 1);
  assert.equal(numberOfDevice('/dev/sddy'), 128 * 256);
  assert.equal(numberOfDevice('/dev/sda16'), undefined);
  assert.equal(numberOfDevice('/dev/VG/LV'), undefined);
});

test('a device number is taken apart as it was made', () => {
  for (const [major, minor] of [
    [8, 0],
    [253, 3],
    [259, 0x12345],
    [0xfff, 0xfffff],
  ] as const)
    assert.deepEqual(deviceNumbers(makeDeviceNumber(major, minor)), { major, minor });
});
