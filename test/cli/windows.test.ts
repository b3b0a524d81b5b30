/** The command on a Windows whose programs are compressed by WOF, which no other reader of guests opens. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { restoreUpcase } from '../fs/ntfs/suite.js';
import { readFixture } from '../support/fixtures.js';
import { guestfs, scratch } from './command.js';

const image = join(scratch, 'windows.img');
writeFileSync(image, restoreUpcase(readFixture('windows/ntfs.img.gz'), 'windows-disk'));

test('inspect --json of a Windows on NTFS has what it has of a Linux', async () => {
  const { status, out, err } = await guestfs('inspect', '--json', image);
  assert.deepEqual([status, err], [0, '']);
  const { operatingSystems, filesystems, unreadable } = JSON.parse(out) as {
    operatingSystems: (Record<string, unknown> & { packages: { name: string; version: string }[] })[];
    filesystems: { device: string; type: string; label: string | null }[];
    unreadable: unknown[];
  };
  assert.equal(operatingSystems.length, 1);
  const [{ packages, ...system } = { packages: [] }] = operatingSystems;
  assert.deepEqual(system, {
    root: '/dev/sda2',
    type: 'windows',
    distro: 'windows',
    productName: 'Windows 10 Pro',
    productVariant: 'Client',
    majorVersion: 10,
    minorVersion: 0,
    arch: 'x86_64',
    hostname: 'DESKTOP-ELEVEN',
    osinfo: 'win11',
    packageFormat: null,
    packageManagement: null,
    filesystems: ['/dev/sda2'],
    mountpoints: { '/': '/dev/sda2' },
    packagesProblem: null,
  });
  assert.deepEqual(
    packages.map(({ name, version }) => [name, version]),
    [
      ['7-Zip', '23.01'],
      ['AVG', ''],
      ['Sophos', '2.20.11'],
      ['{90160000-008C-0000-1000-0000000FF1CE}', '16.0.4266.1001'],
    ],
  );
  assert.deepEqual(
    filesystems.map(({ device, type, label }) => [device, type, label]),
    [
      ['/dev/sda1', 'unknown', null],
      ['/dev/sda2', 'ntfs', 'Windows'],
      ['/dev/sda3', 'unknown', null],
    ],
  );
  assert.deepEqual(unreadable, []);
});
