import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Disk, MemoryDisk } from '../../src/disk/index.js';
import { DeviceTable } from '../../src/vfs/index.js';

const open = (): Disk => new MemoryDisk(new Uint8Array(1024));

/** What the owner of the table knows of what is on the devices. */
const known: Readonly<Record<string, string>> = {
  'uuid abcd': '/dev/sda1',
  'label a b': '/dev/VG/LV',
  'label caf\u00e9/\udce9$': '/dev/sda5',
  'partuuid deadbeef-05': '/dev/sda5',
  'partlabel EFI System': '/dev/sda1',
  'dmUuid LVM-vvllll': '/dev/VG/LV',
  'pvUuid aaaaaa-bbbb': '/dev/sdb2',
  'dmMinor 1': '/dev/V-G/L-V',
};

function table(): DeviceTable {
  const devices = new DeviceTable(
    (property, value) => known[`${property} ${value}`],
    (name) => (name === '/dev/VG/off' ? 'it is off' : undefined),
  );
  const sda = devices.addDrive({ open });
  const sdb = devices.addDrive({ open, label: 'data', sectorSize: 4096, readonly: true });
  devices.setPartitions(sda, [
    { number: 1, open },
    { number: 5, open },
  ]);
  devices.setPartitions(sdb, [{ number: 2, open }]);
  devices.setVolumes([
    { name: '/dev/VG/LV', mapperName: '/dev/mapper/VG-LV', open },
    { name: '/dev/V-G/L-V', mapperName: '/dev/mapper/V--G-L--V', open },
  ]);
  return devices;
}

test('every name of a device leads to it', () => {
  const devices = table();
  const names: Readonly<Record<string, string>> = {
    '/dev/sda': '/dev/sda',
    '/dev/hda': '/dev/sda',
    '/dev/vda5': '/dev/sda5',
    '/dev/xvdb2': '/dev/sdb2',
    '/dev/disk/guestfs/data': '/dev/sdb',
    '/dev/disk/guestfs/data2': '/dev/sdb2',
    '/dev/disk/by-uuid/abcd': '/dev/sda1',
    '/dev/disk/by-label/a\\x20b': '/dev/VG/LV',
    '/dev/mapper/VG-LV': '/dev/VG/LV',
    '/dev/mapper/V--G-L--V': '/dev/V-G/L-V',
    '/dev/dm-1': '/dev/V-G/L-V',
    '/dev/disk/by-label/caf\u00e9\\x2f\\xe9\\x24': '/dev/sda5',
    '/dev/disk/by-partuuid/deadbeef-05': '/dev/sda5',
    '/dev/disk/by-partlabel/EFI\\x20System': '/dev/sda1',
    '/dev/disk/by-id/dm-uuid-LVM-vvllll': '/dev/VG/LV',
    '/dev/disk/by-id/dm-name-V--G-L--V': '/dev/V-G/L-V',
    '/dev/disk/by-id/lvm-pv-uuid-aaaaaa-bbbb': '/dev/sdb2',
    '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_hd0-part5': '/dev/sda5',
    '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_data-part2': '/dev/sdb2',
    '/dev/disk/by-path/pci-0000:00:03.0-scsi-0:0:1:0': '/dev/sdb',
    '/dev/disk/by-path/pci-0000:00:03.0-scsi-0:0:1:0-part2': '/dev/sdb2',
    '/dev//sda': '/dev/sda',
    '/dev/./disk//by-uuid/abcd': '/dev/sda1',
    '/dev/disk/by-id/../by-uuid/abcd': '/dev/sda1',
    '/dev//VG/./LV': '/dev/VG/LV',
  };
  for (const [name, real] of Object.entries(names)) assert.equal(devices.resolve(name).name, real);
});

test('other names are ENOENT', () => {
  const devices = table();
  for (const name of [
    '/dev/sdz',
    '/dev/sda2',
    '/dev/hdc',
    '/dev/disk/guestfs/data3',
    '/dev/disk/guestfs/',
    '/dev/disk/by-uuid/ffff',
    '/dev/disk/by-id/x',
    '/dev/disk/by-id/dm-uuid-',
    '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_hd0-part2',
    '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_hd9',
    '/dev/disk/by-path/pci-0000:00:04.0-scsi-0:0:1:0',
    '/dev/disk/by-diskseq/1',
    '/dev/block/8:0',
    '/dev/../sda',
    '/dev/disk/constructor/x',
    '/dev/disk/',
    '/dev/mapper/VG-No',
    '/dev/dm-2',
    '/dev/VG',
    '/dev/',
  ]) {
    assert.throws(() => devices.resolve(name), { code: 'ENOENT', message: `${name}: no such device` });
    assert.equal(devices.find(name), undefined);
  }
  assert.throws(() => devices.resolve('/dev/sda/'), { code: 'ENOTDIR' });
  assert.throws(() => devices.resolve('/dev/VG/off'), { message: '/dev/VG/off: no such device: it is off' });
  assert.throws(() => devices.resolve('sda'), { code: 'ENOENT', message: 'sda: expecting a device name' });
});

test('devices are listed in order, and labels with their partitions', () => {
  const devices = table();
  assert.deepEqual(
    devices.drives.map(({ name }) => name),
    ['/dev/sda', '/dev/sdb'],
  );
  assert.deepEqual(
    devices.partitions().map(({ name, sectorSize }) => [name, sectorSize]),
    [
      ['/dev/sda1', 512],
      ['/dev/sda5', 512],
      ['/dev/sdb2', 4096],
    ],
  );
  assert.deepEqual(
    [...devices.labels],
    [
      ['data', '/dev/sdb'],
      ['data2', '/dev/sdb2'],
    ],
  );
  assert.throws(() => devices.addDrive({ open, label: 'data' }), { code: 'EEXIST' });
});

test('a partition is read-only when its drive is', () => {
  const devices = table();
  const partition = devices.resolve('/dev/sda1');
  assert.equal(partition.readonly, false);
  devices.resolve('/dev/sda').setReadonly(true);
  assert.equal(partition.readonly, true);
  devices.resolve('/dev/sda').setReadonly(false);
  partition.setReadonly(true);
  assert.equal(partition.readonly, true);
  assert.equal(devices.resolve('/dev/sdb2').readonly, true);
});

test('disks are opened once, when wanted, and closed with their device', () => {
  const devices = new DeviceTable();
  const calls: string[] = [];
  const drive = devices.addDrive({
    open: () => {
      calls.push('open');
      const disk = open();
      disk.close = () => calls.push('close');
      return disk;
    },
  });
  assert.deepEqual(calls, []);
  assert.equal(drive.disk, drive.disk);
  devices.setPartitions(drive, [{ number: 1, open }]);
  devices.setPartitions(drive, [{ number: 2, open }]);
  assert.equal(devices.find('/dev/sda1'), undefined);
  assert.equal(devices.resolve('/dev/sda2').disk.size, 1024);
  devices.close();
  assert.deepEqual(calls, ['open', 'close']);
  assert.equal(devices.find('/dev/sda'), undefined);
});

test('mountables are devices, or subvolumes of them', () => {
  const devices = table();
  const parse = (text: string) => {
    const { device, subvolume } = devices.parseMountable(text);
    return [device.name, subvolume];
  };
  assert.deepEqual(parse('/dev/vda1'), ['/dev/sda1', undefined]);
  assert.deepEqual(parse('btrfsvol:/dev/sda1/root'), ['/dev/sda1', 'root']);
  assert.deepEqual(parse('btrfsvol:/dev/VG/LV/a/b'), ['/dev/VG/LV', 'a/b']);
  assert.throws(() => parse('btrfsvol:/dev/sdq/root'), { code: 'ENOENT' });
  assert.throws(() => parse('btrfsvol:sda/root'), { code: 'EINVAL' });
  assert.throws(() => parse('btrfsvol:/dev/sda1/'), { code: 'EINVAL' });
  assert.throws(() => parse('btrfsvol:/dev/sda1'), { code: 'ENOENT' });
});
