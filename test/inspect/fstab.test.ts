import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../src/disk/index.js';
import { Inspection } from '../../src/inspect/index.js';
import { link, type MemoryFiles, special } from '../support/memory-fs.js';
import { elf, type System } from './distributions.js';
import { guestOf, hostOf } from './host.js';

const root = (fstab: MemoryFiles[string], more: MemoryFiles = {}): MemoryFiles => ({
  'bin/sh': elf(62),
  'etc/hosts': '',
  'etc/fstab': fstab,
  ...more,
});

/** Where one line's filesystem is said to be, on a disk of five partitions; undefined where the line is left out. */
function resolved(line: string, more: MemoryFiles = {}): string | undefined {
  const systems: System[] = [{ name: 'root', files: root(`${line}\n`, more) }];
  for (let i = 0; i < 4; i++) systems.push({ name: 'data', files: { x: '' } });
  const host = hostOf(systems);
  host.devices.setVolumes([
    {
      name: '/dev/V-G/LV',
      mapperName: '/dev/mapper/V--G-LV',
      open: () => new MemoryDisk(new Uint8Array(512)),
    },
  ]);
  host.arrays = () => [{ device: '/dev/md127', uuid: 'aabbccdd:eeff0011:22334455:66778899' }];
  const { mountpoints } = Inspection.run(host).guest('/dev/sda1');
  return mountpoints.get('/x');
}

const lines: Readonly<Record<string, string | undefined>> = {
  'UUID=00000000-0000-4000-8000-000000000002 /x ext4': '/dev/sda2',
  'UUID="00000000-0000-4000-8000-000000000002" /x ext4': '/dev/sda2',
  'LABEL=part-3 /x ext4': '/dev/sda3',
  'PARTUUID=pu-4 /x ext4': '/dev/sda4',
  'PARTLABEL="pl\\0405" /x ext4': '/dev/sda5',
  '/dev/disk/by-uuid/00000000-0000-4000-8000-000000000002 /x ext4': '/dev/sda2',
  '/dev/disk/by-label/part\\x2d3 /x ext4': '/dev/sda3',
  '/dev/disk/by-uuid/none /x ext4': '/dev/disk/by-uuid/none',
  '/dev/disk/by-id/scsi-1-part2 /x ext4': '/dev/sda2',
  '/dev/disk/by-id/scsi-1-part9 /x ext4': '/dev/disk/by-id/scsi-1-part9',
  '/dev/hda2 /x ext4': '/dev/sda2',
  '/dev/xvda3 /x ext4': '/dev/sda3',
  '/dev/vda /x ext4': '/dev/vda',
  '/dev/sdb1 /x ext4': '/dev/sdb1',
  '/dev/sda02 /x ext4': '/dev/sda02',
  '/dev/mapper/V--G-LV /x ext4': '/dev/V-G/LV',
  '/dev/mapper/No-LV /x ext4': '/dev/mapper/No-LV',
  '/dev/disk/by-id/dm-uuid-LVM-vvllll /x ext4': '/dev/V-G/LV',
  '/dev/disk/by-id/dm-uuid-LVM-other /x ext4': '/dev/disk/by-id/dm-uuid-LVM-other',
  '/dev/disk/by-id/dm-name-V--G-LV /x ext4': '/dev/V-G/LV',
  '/dev/V-G/LV /x ext4': '/dev/V-G/LV',
  '/dev/cciss/c0d0p2 /x ext4': '/dev/sda2',
  '/dev/mmcblk0p3 /x ext4': '/dev/sda3',
  '/dev/nvme0n1p4 /x ext4': '/dev/sda4',
  '/dev/nvme0n1p9 /x ext4': '/dev/nvme0n1p9',
  '/dev/nvme0n1 /x ext4': '/dev/nvme0n1',
  '/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part5 /x ext4': '/dev/sda5',
  '/dev/sda2 /x btrfs subvol=/@home,compress=zstd 0 0': 'btrfsvol:/dev/sda2/@home',
  '/dev/sda2 /x btrfs subvol=root': 'btrfsvol:/dev/sda2/root',
  '/dev/sda2 /x btrfs subvolid=5': '/dev/sda2',
  '/dev/sda2 /x ext4 subvol=x': '/dev/sda2',
  '   /dev/sda2 \t /x// \text4': '/dev/sda2',
  '/dev/sda2 //x ext4 # comment': '/dev/sda2',
  '#/dev/sda2 /x ext4': undefined,
  '/dev/sda2 /x': undefined,
  'tmpfs /x tmpfs': undefined,
  'host:/y /x nfs': undefined,
  '/home/y /x none bind': undefined,
  '/dev/cdrom /x iso9660': undefined,
  '/dev/fd0 /x auto': undefined,
  'UUID=gone /x ext4': undefined,
};

for (const [line, device] of Object.entries(lines)) {
  test(`${line} is ${device ?? 'left out'}`, () => assert.equal(resolved(line), device));
}

test('the filesystem on which the system was found is its root, unless fstab names another that is here', () => {
  const mounted = (fstab: string) => Object.fromEntries(guestOf(root(fstab)).mountpoints);
  for (const spec of [
    '/dev/mmcblk0p1',
    '/dev/mmcblk0p2',
    '/dev/nvme0n1p1',
    '/dev/sdb1',
    '/dev/sda9',
    '/dev/mapper/gone',
    '/dev/disk/by-path/pci-0000:03:00.0-scsi-0:0:0:0-part1',
    'UUID=deadbeef-0000-4000-8000-000000000000',
  ])
    assert.deepEqual(
      mounted(`${spec} / ext4\n/dev/sda2 /home ext4\n`),
      { '/': '/dev/sda1', '/home': '/dev/sda2' },
      spec,
    );
  assert.deepEqual(mounted('/dev/sda2 /home ext4\n'), { '/': '/dev/sda1', '/home': '/dev/sda2' });
  assert.deepEqual(mounted('/dev/gone / btrfs subvol=@\n'), { '/': '/dev/sda1' });
  assert.deepEqual(mounted('/dev/sda2 / ext4\n'), { '/': '/dev/sda2' });
});

test('which disk of the guest is here is certain, or its partitions keep their names', () => {
  const home = (fstab: string, drives = 1) => {
    const host = hostOf([
      { name: 'root', files: root(fstab) },
      { name: 'data', files: { x: '' } },
    ]);
    for (let more = 1; more < drives; more++)
      host.devices.addDrive({ open: () => new MemoryDisk(new Uint8Array(512)) });
    return Inspection.run(host).guest('/dev/sda1').mountpoints.get('/home');
  };
  const line = '/dev/mmcblk1p2 /home ext4\n';
  assert.equal(home(line), '/dev/sda2');
  assert.equal(home(line, 2), '/dev/mmcblk1p2');
  assert.equal(home(`/dev/mmcblk1p1 / ext4\n${line}`), '/dev/sda2');
  // The number of the partition says that the disk is another one.
  assert.equal(home(`/dev/mmcblk1p2 / ext4\n${line}`), '/dev/mmcblk1p2');
  assert.equal(home(`/dev/mmcblk0p1 / ext4\n${line}`), '/dev/mmcblk1p2');
  assert.equal(
    home(`UUID=00000000-0000-4000-8000-000000000001 / ext4\n/dev/mmcblk0p1 /boot ext4\n${line}`),
    '/dev/mmcblk1p2',
  );
});

test('MD arrays are found again by their UUID', () => {
  const conf =
    '# comment\nDEVICE partitions\nARRAY /dev/md0 level=raid1\n  UUID=AABBCCDD:eeff0011:22334455:66778899\n';
  assert.equal(resolved('/dev/md0 /x ext4', { 'etc/mdadm/mdadm.conf': conf }), '/dev/md127');
  assert.equal(resolved('/dev/md1 /x ext4', { 'etc/mdadm/mdadm.conf': conf }), '/dev/md1');
  assert.equal(
    resolved('/dev/md0 /x ext4', { 'etc/mdadm.conf': 'ARRAY /dev/md0 UUID=nonsense\n' }),
    '/dev/md0',
  );
});

test('mount points may hold blanks, and pseudo filesystems are left out', () => {
  const guest = guestOf(
    root(
      [
        '/dev/sda1 /my\\040disk ext4',
        '/dev/sda1 /tab\\011 ext4',
        '/dev/sda1 /proc ext4',
        '/dev/sda1 /sys/fs ext4',
        '/dev/sda1 /dev/shm ext4',
        '/dev/sda1 /media/stick ext4',
        '/dev/sda1 /media ext4',
        '/dev/sda1 none swap',
        '/dev/root / ext4',
      ].join('\n'),
    ),
  );
  assert.deepEqual([...guest.mountpoints.keys()], ['/', '/media', '/tab\t', '/my disk']);
  assert.deepEqual(guest.filesystems.length, 5);
});

test('without an fstab that names something, the root is mounted on the root', () => {
  for (const fstab of [
    '',
    '# nothing\n',
    '\0\0\0',
    'garbage',
    special('fifo'),
    link('fstab'),
    'x'.repeat(200_000),
  ]) {
    const guest = guestOf(root(fstab));
    assert.deepEqual([...guest.mountpoints], [['/', '/dev/sda1']]);
    assert.deepEqual(guest.filesystems, ['/dev/sda1']);
  }
});

test('lines of any length and bytes are borne', () => {
  const long = 'y'.repeat(20_000);
  const text = `${long}\n${long} ${long} ${long} ${long}\n/dev/${long} /x ext4\nUUID=${long} /x ext4\n\0\n/dev/sda1 / ext4\n`;
  assert.equal(guestOf(root(text)).mountpoints.get('/'), '/dev/sda1');
});
