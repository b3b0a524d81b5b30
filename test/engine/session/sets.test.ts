/** Filesystems on several disks. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boxed, kindsWith, type Scanned, scanOf, setKind } from './layers.js';

const diskOf = (header: string): Uint8Array => boxed(new Uint8Array(4096), header);

function contents({ devices, fileSystems }: Scanned, name: string): string {
  const { fileSystem, release } = fileSystems.open(devices.resolve(name));
  const inode = fileSystem.lookup(fileSystem.root, 'disks');
  assert.ok(inode !== undefined);
  const bytes = new Uint8Array(1);
  fileSystem.data(inode).read(bytes, 0);
  release();
  return Buffer.from(bytes).toString();
}

test('a filesystem is opened with all disks of its set, and with no others', () => {
  const disks = ['SETa3', 'SETb1', 'SETa3', 'SETa3', 'SETc2', 'XXX'].map(diskOf);
  const scanned = scanOf(disks, kindsWith(setKind));
  for (const name of ['/dev/sda', '/dev/sdc', '/dev/sdd']) assert.equal(contents(scanned, name), '3');
  assert.equal(contents(scanned, '/dev/sdb'), '1');
});

test('it is one filesystem, from whichever of its disks it is opened, and all of them are in use', () => {
  const { devices, fileSystems } = scanOf(['SETa2', 'SETa2'].map(diskOf), kindsWith(setKind));
  const [first, second] = devices.drives;
  assert.ok(first && second);
  const one = fileSystems.open(first);
  const other = fileSystems.open(second);
  assert.equal(one.fileSystem, other.fileSystem);
  one.release();
  assert.ok(fileSystems.isOpen(first) && fileSystems.isOpen(second));
  other.release();
  assert.ok(!fileSystems.isOpen(first) && !fileSystems.isOpen(second));
});

test('where a disk is missing the error counts them and names those that are here', () => {
  const scanned = scanOf(['SETc3', 'SETc3'].map(diskOf), kindsWith(setKind));
  assert.throws(() => contents(scanned, '/dev/sdb'), {
    code: 'ENODEV',
    message:
      '/dev/sdb: is one of the 3 devices of a set filesystem, of which only /dev/sda, /dev/sdb are here',
  });
});
