/** Names of drives for a daemon that was started before them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withRealNames } from '../../src/appliance/drives/device-names.js';
import { wireAction } from '../../src/appliance/wire/procedures.js';

const sent = (name: string, ...args: unknown[]): readonly unknown[] => {
  const action = wireAction(name);
  assert.ok(action !== undefined);
  return withRealNames(action, args, true);
};

test('drives under the names of other drivers are SCSI disks to the daemon', () => {
  for (const [given, real] of [
    ['/dev/vda', '/dev/sda'],
    ['/dev/hdb', '/dev/sdb'],
    ['/dev/vdad12', '/dev/sdad12'],
    ['/dev/sdc3', '/dev/sdc3'],
    ['/dev/VG/vda', '/dev/VG/vda'],
    ['/dev/vda/LV', '/dev/sda/LV'],
    ['/dev/vdabcd', '/dev/vdabcd'],
    ['/dev/mapper/vda', '/dev/mapper/vda'],
    ['/dev/hd', '/dev/hd'],
  ])
    assert.deepEqual(sent('blockdev_getsize64', given), [real]);
});

test('a mountable may have a subvolume, and lists hold many', () => {
  assert.deepEqual(sent('mount', 'btrfsvol:/dev/vda2/home/vda', '/'), ['btrfsvol:/dev/sda2/home/vda', '/']);
  assert.deepEqual(sent('internal_parse_mountable', '/dev/vda'), ['/dev/sda']);
  assert.deepEqual(sent('vgcreate', 'VG', ['/dev/vda1', '/dev/sdb']), ['VG', ['/dev/sda1', '/dev/sdb']]);
});

test('what is no device keeps its name', () => {
  assert.deepEqual(sent('mkdir', '/dev/vda'), ['/dev/vda']);
  assert.deepEqual(sent('part_add', '/dev/vdb', 'primary', 1, 2), ['/dev/sdb', 'primary', 1, 2]);
});

test('a drive by its place in the machine of libguestfs is the drive at that place here', () => {
  for (const [given, real] of [
    ['/dev/disk/by-path/pci-0000:00:03.0-scsi-0:0:1:0-part2', '/dev/sdb2'],
    ['/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_hd26', '/dev/sdaa'],
    ['/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_label', '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_label'],
    ['/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:1:0', '/dev/disk/by-path/pci-0000:00:10.0-scsi-0:0:1:0'],
  ]) {
    assert.deepEqual(sent('blockdev_getsize64', given), [real]);
    const action = wireAction('blockdev_getsize64');
    assert.ok(action !== undefined);
    assert.deepEqual(withRealNames(action, [given], false), [real]);
  }
});
