/**
 * Guests as they are delivered: Rocky on XFS, with LVM and without, Fedora in subvolumes of btrfs, Windows on NTFS, each
 * in every form of image. No option says which form it is, and what is in it is the same in all.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Guestfs } from '../../../src/guestfs/index.js';
import { restoreUpcase } from '../../fs/ntfs/suite.js';
import { directHandle, needsAppliance } from '../../support/appliance.js';
import { readFixture } from '../../support/fixtures.js';
import { scratchDirectory } from '../../support/scratch.js';
import { sha256 } from '../../support/tell.js';
import { needs, toolEnvironment } from '../../support/tools.js';

const mebibyte = 2 ** 20;
const scratch = scratchDirectory();
// mkfs.xfs makes filesystems below 300 MB for its own tests alone, which it knows by these.
const env = { ...toolEnvironment, TEST_DIR: '1', TEST_DEV: '1', QA_CHECK_FS: '1' };
const run = (tool: string, ...words: readonly string[]): Buffer =>
  execFileSync(tool, words, { env, cwd: scratch, maxBuffer: 2 ** 28, stdio: ['ignore', 'pipe', 'pipe'] });

const embeddedHandle = (): Guestfs => new Guestfs({ environment: false, backend: 'embedded', stderr: null });

const rocky = new Map<string, string | Uint8Array>([
  ['etc/os-release', 'NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4"\n'],
  ['etc/redhat-release', 'Rocky Linux release 9.4 (Blue Onyx)\n'],
  ['etc/hostname', 'rocky.example\n'],
  ['usr/bin/dnf', '#!/usr/bin/python3\n'],
  ['var/lib/rpm/rpmdb.sqlite', readFixture('rpm/whole.sqlite.gz')],
]);

/** The lines of mkfs.xfs's protofile for what is below a directory. */
function protofile(files: ReadonlyMap<string, string | Uint8Array>, below: string, margin: string): string[] {
  const lines: string[] = [];
  const directories = new Set<string>();
  for (const [path, contents] of files) {
    if (!path.startsWith(below)) continue;
    const [name = '', more] = path.slice(below.length).split('/');
    if (more === undefined) {
      const source = join(scratch, `of-${path.replaceAll('/', '-')}`);
      writeFileSync(source, contents);
      lines.push(`${margin}${name} ---640 5 6 ${source}`);
    } else if (!directories.has(name)) {
      directories.add(name);
      lines.push(
        `${margin}${name} d--755 0 0`,
        ...protofile(files, `${below}${name}/`, `${margin} `),
        `${margin}$`,
      );
    }
  }
  return lines;
}

/** A filesystem with Rocky, whose fstab says that it is on `root`. */
function makeXfs(name: string, root: string): string {
  const files = new Map([...rocky, ['etc/fstab', `${root} / xfs defaults 0 0\n`]]);
  const proto = join(scratch, `${name}.proto`);
  const lines = [
    '/',
    '0 0',
    'd--755 0 0',
    ...protofile(files, '', ''),
    'bin l--777 0 0 usr/bin',
    'root d--700 0 0',
    '$',
  ];
  writeFileSync(proto, `${[...lines, '$'].join('\n')}\n`);
  const image = join(scratch, name);
  writeFileSync(image, '');
  truncateSync(image, 32 * mebibyte);
  run('mkfs.xfs', '-q', '-f', '-p', proto, image);
  return image;
}

/** Rocky's usual disk: its boot partition, and a group of volumes. */
async function makeLvm(image: string): Promise<void> {
  const contents = makeXfs('volume.img', '/dev/mapper/rl-root');
  writeFileSync(image, '');
  truncateSync(image, 40 * mebibyte);
  await using g = embeddedHandle();
  g.addDrive(image, { format: 'raw' });
  await g.launch();
  await g.partInit('/dev/sda', 'gpt');
  await g.partAdd('/dev/sda', 'p', 2048, 4095);
  await g.partAdd('/dev/sda', 'p', 4096, -64);
  await g.pvcreate('/dev/sda2');
  await g.vgcreate('rl', ['/dev/sda2']);
  await g.lvcreate('root', 'rl', 32);
  await g.upload(contents, '/dev/rl/root');
}

const guests = ['xfs', 'lvm', 'btrfs', 'windows'] as const;
const raw = (guest: (typeof guests)[number]): string => join(scratch, `${guest}.raw`);
const tools = needs('mkfs.xfs', 'qemu-img', 'tar', 'xz', 'zstd');

before(async () => {
  if (tools.skip !== undefined) return;
  makeXfs('xfs.raw', '/dev/sda');
  await makeLvm(raw('lvm'));
  writeFileSync(raw('btrfs'), readFixture('btrfs/guest.img.gz'));
  writeFileSync(raw('windows'), restoreUpcase(readFixture('windows/ntfs.img.gz'), 'windows-disk'));
});

interface Told {
  readonly root: string;
  readonly info: unknown;
  /** The sha256 of an archive of all that is mounted where the guest mounts it. */
  readonly archive: string;
}

/** What is in an image, of which nothing but its name is told. */
async function tellGuests(g: Guestfs): Promise<Told[]> {
  const told: Told[] = [];
  for (const root of await g.inspectOs()) {
    const mountpoints = await g.inspectGetMountpoints(root);
    for (const [path, mountable] of [...mountpoints].sort()) await g.mountRo(mountable, path);
    const archive = join(scratch, 'archive.tar');
    await g.tarOut('/', archive);
    const info = await g.osInfo(root);
    told.push({ root, info, archive: sha256(readFileSync(archive)) });
    await g.umountAll();
  }
  return told;
}

async function tell(image: string): Promise<Told[]> {
  await using g = embeddedHandle();
  g.addDrive(image, { readonly: true });
  await g.launch();
  const told = await tellGuests(g);
  assert.deepEqual(await g.unreadable(), []);
  return told;
}

/** Makes an image of another form of a raw one. */
type Maker = (from: string, to: string) => void;
const by =
  (format: string, ...options: readonly string[]): Maker =>
  (from, to) =>
    void run('qemu-img', 'convert', '-f', 'raw', '-O', format, ...options, from, to);
const packed =
  (tool: string): Maker =>
  (from, to) =>
    writeFileSync(to, run(tool, '-1', '-c', from));

const ovf = (disk: string, sizeInBytes: number): string =>
  '<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">' +
  `<References><File ovf:href="${disk}" ovf:id="file1"/></References><DiskSection>` +
  `<Disk ovf:capacity="${sizeInBytes}" ovf:diskId="disk1" ovf:fileRef="file1"/></DiskSection></Envelope>`;

function makeAppliance(from: string, to: string): void {
  const directory = join(scratch, `${basename(to)}-files`);
  mkdirSync(directory);
  by('vmdk', '-o', 'subformat=streamOptimized')(from, join(directory, 'disk.vmdk'));
  writeFileSync(join(directory, 'guest.ovf'), ovf('disk.vmdk', readFileSync(from).length));
  run('tar', '--format=ustar', '-C', directory, '-cf', to, 'guest.ovf', 'disk.vmdk');
}

/** As Google's images are. */
function makeArchive(from: string, to: string): void {
  const directory = join(scratch, `${basename(to)}-files`);
  mkdirSync(directory);
  writeFileSync(join(directory, 'disk.raw'), readFileSync(from));
  const tar = run('tar', '--format=oldgnu', '-S', '-C', directory, '-cf', '-', 'disk.raw');
  writeFileSync(to, gzipSync(tar, { level: 1 }));
}

const forms: readonly (readonly [ending: string, make: Maker])[] = [
  ['qcow2', by('qcow2')],
  ['zlib.qcow2', by('qcow2', '-c')],
  ['zstd.qcow2', by('qcow2', '-c', '-o', 'compression_type=zstd')],
  ['v2.qcow2', by('qcow2', '-o', 'compat=0.10')],
  ['qcow', by('qcow')],
  ['qed', by('qed')],
  ['hds', by('parallels')],
  ['sparse.vmdk', by('vmdk', '-o', 'subformat=monolithicSparse')],
  ['flat.vmdk', by('vmdk', '-o', 'subformat=monolithicFlat')],
  ['split.vmdk', by('vmdk', '-o', 'subformat=twoGbMaxExtentSparse')],
  ['split-flat.vmdk', by('vmdk', '-o', 'subformat=twoGbMaxExtentFlat')],
  ['stream.vmdk', by('vmdk', '-o', 'subformat=streamOptimized')],
  ['dynamic.vhd', by('vpc', '-o', 'force_size=on')],
  ['fixed.vhd', by('vpc', '-o', 'subformat=fixed,force_size=on')],
  ['dynamic.vhdx', by('vhdx')],
  ['fixed.vhdx', by('vhdx', '-o', 'subformat=fixed')],
  ['vdi', by('vdi')],
  ['static.vdi', by('vdi', '-o', 'static=on')],
  ['raw.gz', (from, to) => writeFileSync(to, gzipSync(readFileSync(from), { level: 1 }))],
  ['raw.xz', packed('xz')],
  ['raw.zst', packed('zstd')],
  ['ova', makeAppliance],
  ['tar.gz', makeArchive],
];

for (const guest of guests)
  test(`${guest}: the guest is the same in each form of image`, tools, async () => {
    const told = await tell(raw(guest));
    assert.notEqual(told.length, 0);
    for (const [ending, make] of forms) {
      const image = join(scratch, `${guest}.${ending}`);
      make(raw(guest), image);
      assert.deepEqual(await tell(image), told, ending);
    }
  });

test('what is told of the guests is what went into them, and their packages are listed', tools, async () => {
  for (const guest of ['xfs', 'lvm'] as const) {
    await using g = embeddedHandle();
    g.addDrive(raw(guest), { readonly: true });
    await g.launch();
    const root = guest === 'lvm' ? '/dev/rl/root' : '/dev/sda';
    assert.deepEqual(await g.inspectOs(), [root]);
    const { distro, hostname, packageFormat } = await g.osInfo(root);
    assert.deepEqual([distro, hostname, packageFormat], ['rocky', 'rocky.example', 'rpm']);
    await g.mountRo(root, '/');
    assert.equal((await g.inspectListApplications2(root)).length, 398);
  }
});

/** What is in all of the guests' files, and of which kind they are. */
async function tellFiles(g: Guestfs): Promise<string[]> {
  const [archive, sums] = [join(scratch, 'all.tar'), join(scratch, 'all.sha256')];
  const told: string[] = [];
  for (const root of ['/dev/sda', '/dev/rl/root', 'btrfsvol:/dev/sdc/root']) {
    await g.mountRo(root, '/');
    await g.tarOut('/', archive);
    await g.checksumsOut('sha256', '/', sums);
    await g.umountAll();
    const listed = run('tar', '--numeric-owner', '--full-time', '-tvf', archive);
    told.push(root, ...`${listed}${readFileSync(sums)}`.split('\n').sort());
  }
  return told;
}

test('on XFS, LVM and btrfs the guests are those that the appliance sees', {
  ...tools,
  ...needsAppliance(),
}, async () => {
  const answers: unknown[] = [];
  for (const handle of [embeddedHandle(), directHandle()]) {
    await using g = handle;
    for (const guest of ['xfs', 'lvm', 'btrfs'] as const)
      g.addDrive(raw(guest), { readonly: true, format: 'raw' });
    await g.launch();
    const told = await tellGuests(g);
    // Archives have their entries in an order of their own.
    answers.push([told.map(({ archive: _, ...guest }) => guest), await tellFiles(g)]);
  }
  const [ours, theirs] = answers;
  assert.deepEqual(ours, theirs);
});
