import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptError, GuestfsError } from '../../src/base/index.js';
import { findIcon, Inspection } from '../../src/inspect/index.js';
import { MountTable } from '../../src/vfs/index.js';
import { readFixtureJson } from '../support/fixtures.js';
import { directory, link, MemoryFileSystem, type MemoryFiles } from '../support/memory-fs.js';
import { elf, systems, uuidOf } from './distributions.js';
import { guestOf, hostOf, inspectOne } from './host.js';

interface Answer {
  readonly mountpoints: Readonly<Record<string, string>>;
  readonly [getter: string]: unknown;
}

const recorded = readFixtureJson('inspect/libguestfs-answers.json') as {
  readonly version: string;
  readonly roots: readonly string[];
  readonly guests: Readonly<Record<string, Answer>>;
};

const host = hostOf(systems);
const inspection = Inspection.run(host);

test('the roots are those that libguestfs finds', () => {
  assert.deepEqual(inspection.roots, recorded.roots);
  assert.equal(host.opened, 0);
});

/** What later versions of libguestfs say instead: libosinfo has these names. */
const laterOsinfo = new Map([['sles15sp5', 'sle15sp5']]);

for (const [root, answer] of Object.entries(recorded.guests)) {
  const name = systems[Number(root.slice('/dev/sda'.length)) - 1]?.name ?? root;
  test(`${name}: every answer is libguestfs's`, () => {
    const guest = inspection.guest(root);
    const ours = Object.fromEntries(
      Object.keys(answer).map((getter) => [getter, guest[getter as keyof typeof guest]]),
    );
    const osinfo = laterOsinfo.get(String(answer.osinfo)) ?? answer.osinfo;
    assert.deepEqual({ ...ours, mountpoints: Object.fromEntries(guest.mountpoints) }, { ...answer, osinfo });
    assert.deepEqual([...guest.mountpoints.keys()], Object.keys(answer.mountpoints));
  });
}

test('the build of a system is told', () => {
  assert.equal(inspection.guest('/dev/sda6').buildId, 'f39-1');
  assert.equal(inspection.guest('/dev/sda1').buildId, 'unknown');
});

const os = (files: MemoryFiles): MemoryFiles => ({ 'bin/sh': elf(62), 'etc/fstab': '', ...files });

test('OpenBSD is told from FreeBSD', () => {
  const guest = guestOf(
    os({
      bsd: '',
      'etc/motd': 'OpenBSD 7.4 (GENERIC.MP) #1397\n',
      'etc/myname': 'puffy.example\n',
      'etc/fstab': '0123456789abcdef.a / ffs rw\n0123456789abcdef.d /tmp ffs rw\n',
    }),
  );
  assert.deepEqual(
    [guest.type, guest.distro, guest.majorVersion, guest.minorVersion, guest.hostname, guest.osinfo],
    ['openbsd', 'openbsd', 7, 4, 'puffy.example', 'openbsd7.4'],
  );
  assert.deepEqual(
    [...guest.mountpoints],
    [
      ['/tmp', '/dev/sda7'],
      ['/', '/dev/sda1'],
    ],
  );
});

test('a BSD root that shows up twice is counted once', () => {
  const freebsd = os({ 'etc/freebsd-update.conf': '', 'etc/motd': 'FreeBSD 13.2\n' });
  const same = { name: 'bsd', files: freebsd };
  const other = { name: 'data', files: { x: '' } };
  assert.deepEqual(Inspection.run(hostOf([same, other, other, other, same])).roots, ['/dev/sda5']);
  assert.deepEqual(Inspection.run(hostOf([other, same])).roots, ['/dev/sda2']);
});

test('Mandriva is known by its lsb-release', () => {
  const guest = guestOf(
    os({
      'etc/lsb-release':
        'LSB_VERSION=x\nDISTRIB_ID=MandrivaLinux\nDISTRIB_RELEASE=2010.1\nDISTRIB_DESCRIPTION="Mandriva Linux 2010.1"\n',
    }),
  );
  assert.deepEqual(
    [guest.distro, guest.packageFormat, guest.packageManagement],
    ['mandriva', 'rpm', 'urpmi'],
  );
});

test('the packages of a distribution that is not known are those of what it is like, then of its database', () => {
  const packaging = (release: string, files: MemoryFiles = {}) => {
    const { distro, packageFormat, packageManagement } = guestOf(os({ 'etc/os-release': release, ...files }));
    return [distro, packageFormat, packageManagement];
  };
  const neon = 'ID=neon\nID_LIKE="ubuntu debian"\nPRETTY_NAME="KDE neon"\nVERSION_ID="22.04"\n';
  assert.deepEqual(packaging(neon), ['unknown', 'deb', 'apt']);
  const like = (ids: string) => `ID=foo\nID_LIKE="${ids}"\nPRETTY_NAME=Foo\nVERSION_ID=1\n`;
  assert.deepEqual(packaging(like('bar rhel fedora'), { 'usr/bin/yum': '' }), ['unknown', 'rpm', 'yum']);
  assert.deepEqual(packaging(like('opensuse-leap'), { 'usr/bin/zypper': '' }), ['unknown', 'rpm', 'zypper']);
  const foo = 'ID=foo\nPRETTY_NAME=Foo\nVERSION_ID=1\n';
  assert.deepEqual(packaging(foo), ['unknown', 'unknown', 'unknown']);
  assert.deepEqual(packaging(foo, { 'var/lib/dpkg/status': '' }), ['unknown', 'deb', 'apt']);
  assert.deepEqual(packaging(foo, { 'usr/lib/sysimage/rpm/rpmdb.sqlite': '' }), [
    'unknown',
    'rpm',
    'unknown',
  ]);
  assert.deepEqual(packaging(foo, { 'lib/apk/db/installed': '' }), ['unknown', 'apk', 'apk']);
  assert.deepEqual(packaging(foo, { 'var/lib/pacman/local': directory() }), ['unknown', 'pacman', 'pacman']);
  assert.deepEqual(packaging(foo, { 'var/db/xbps': directory() }), ['unknown', 'xbps', 'xbps']);
});

test('the os-release of the vendor holds where there is none in /etc', () => {
  const release = (id: string) => `ID=${id}\nPRETTY_NAME="A ${id}"\nVERSION_ID="38"\n`;
  const vendor = { 'usr/lib/os-release': release('fedora') };
  assert.deepEqual(
    [guestOf(os(vendor)).distro, guestOf(os(vendor)).productName, guestOf(os(vendor)).majorVersion],
    ['fedora', 'A fedora', 38],
  );
  assert.equal(guestOf(os({ ...vendor, 'etc/os-release': release('ubuntu') })).distro, 'ubuntu');
  assert.equal(guestOf(os({ ...vendor, 'etc/os-release': release('neon') })).distro, 'unknown');
});

test('a bare lsb-release settles nothing', () => {
  const guest = guestOf(
    os({
      'etc/lsb-release': 'LSB_VERSION="1.3"\n',
      'etc/redhat-release': 'Red Hat Enterprise Linux ES release 3 (Taroon Update 9)\n',
    }),
  );
  assert.deepEqual(
    [guest.distro, guest.majorVersion, guest.minorVersion, guest.packageManagement],
    ['rhel', 3, 9, 'up2date'],
  );
});

test('quotes and escapes of os-release are taken off', () => {
  const guest = guestOf(
    os({ 'etc/os-release': `ID='ubuntu'\nVERSION_ID=24.10\nPRETTY_NAME="a \\"b\\" \\$c \\\\ \\d"\n` }),
  );
  assert.equal(guest.productName, 'a "b" $c \\ \\d');
  assert.equal(guest.osinfo, 'ubuntu24.10');
});

test('the getters of Windows are errors for others, and tell what the files tell', () => {
  const linux = inspection.guest('/dev/sda1');
  for (const getter of [
    'windowsSystemroot',
    'windowsSoftwareHive',
    'windowsSystemHive',
    'windowsCurrentControlSet',
  ] as const) {
    assert.throws(() => linux[getter], { code: 'EINVAL', message: /^not a Windows guest, or / });
  }
  const files = {
    'boot.ini':
      '[boot loader]\r\ntimeout=30\r\n[operating systems]\r\nmulti(0)disk(0)rdisk(0)partition(1)\\MYWIN="XP"\r\n',
    'MyWin/system32/config/SOFTWARE': '',
    'MyWin/system32/cmd.exe': elf(3, 32),
  };
  const guest = guestOf(files);
  assert.equal(guest.windowsSystemroot, '/MyWin');
  assert.equal(guest.windowsSoftwareHive, '/MyWin/system32/config/SOFTWARE');
  assert.throws(() => guest.windowsSystemHive, { code: 'EINVAL' });
  assert.deepEqual([...guest.driveMappings], []);
});

test('questions about what is no root are errors', () => {
  assert.throws(() => inspection.guest('/dev/sdz'), { code: 'EINVAL', message: /root device not found/ });
  assert.throws(() => Inspection.none.guest('/dev/sda1'), { code: 'EINVAL', message: /no inspection data/ });
  assert.deepEqual(Inspection.none.roots, []);
});

test('two CoreOS roots cannot be told apart', () => {
  const coreos = { 'etc/coreos/update.conf': '', root: directory(), home: directory(), usr: directory() };
  const system = { name: 'coreos', files: coreos };
  assert.throws(() => Inspection.run(hostOf([system, system])), { code: 'EINVAL' });
});

test('a filesystem that is damaged does not hide the others', () => {
  const pair = hostOf([
    { name: 'a', files: os({}) },
    { name: 'b', files: os({}) },
  ]);
  const { open } = pair;
  pair.open = (candidate) => {
    if (candidate.mountable !== '/dev/sda1') return open(candidate);
    const opened = open(candidate);
    opened.fileSystem.stat = () => {
      throw new CorruptError('inode', 'is damaged');
    };
    return opened;
  };
  const { roots, overlooked } = Inspection.run(pair);
  assert.deepEqual(roots, ['/dev/sda2']);
  assert.equal(pair.opened, 0);
  assert.deepEqual(
    overlooked.map(({ mountable, type, error }) => [mountable, type, error.message]),
    [['/dev/sda1', 'ext4', 'inode: is damaged']],
  );
});

test('an inspection that is cancelled stops', () => {
  const pair = hostOf([{ name: 'a', files: os({}) }]);
  pair.open = () => {
    throw new GuestfsError('ECANCELED', 'canceled');
  };
  assert.throws(() => Inspection.run(pair), { code: 'ECANCELED' });
});

test('the host name of sysconfig is read as a shell reads it', () => {
  const nameOf = (text: string): string =>
    guestOf(os({ 'etc/redhat-release': 'CentOS release 6.9 (Final)\n', 'etc/sysconfig/network': text }))
      .hostname;
  for (const [text, name] of [
    ['NETWORKING=yes\nHOSTNAME=plain.example\n', 'plain.example'],
    ['HOSTNAME="quoted.example" # a comment\n', 'quoted.example'],
    ["HOSTNAME='single.example'\n", 'single.example'],
    ['HOSTNAME=comment.example\t# a comment\n', 'comment.example'],
    ['export HOSTNAME=exported.example\n', 'exported.example'],
    ['  HOSTNAME=indented.example  \n', 'indented.example'],
    ['HOSTNAME=semicolon.example; X=1\n', 'semicolon.example'],
    ['HOSTNAME=hash#tag\n', 'hash#tag'],
    ['HOSTNAME=first\nHOSTNAME=second\n', 'second'],
    ['#HOSTNAME=commented\n', 'unknown'],
    ['HOSTNAME=\n', 'unknown'],
    ['export HOSTNAME\n', 'unknown'],
  ])
    assert.equal(nameOf(text ?? ''), name, text);
});

test('links in circles, devices and directories in the place of files are borne', () => {
  const names = [
    'os-release',
    'lsb-release',
    'debian_version',
    'redhat-release',
    'SuSE-release',
    'hostname',
    'HOSTNAME',
    'br-version',
  ];
  const circles = Object.fromEntries(names.map((name) => [`etc/${name}`, link(name)]));
  assert.equal(guestOf(os({ ...circles, 'bin/sh': link('sh') })).distro, 'unknown');
  const directories = Object.fromEntries(names.map((name) => [`etc/${name}`, directory()]));
  assert.equal(guestOf(os(directories)).hostname, 'unknown');
  assert.deepEqual(inspectOne({ etc: link('etc'), bin: link('bin') }).roots, []);
});

test('release files of any bytes give an answer in little time', () => {
  const values = [
    '',
    '\n',
    '\0\0\0\0',
    '='.repeat(1000),
    'ID=\nPRETTY_NAME=\nVERSION_ID=\n',
    'ID="debian\nVERSION_ID=99999999999999999999.1\nPRETTY_NAME=x\n',
    `ID=fedora\nPRETTY_NAME=x\nVERSION_ID=${'9'.repeat(1_000_000)}\n`,
    'Red Hat release 1 '.repeat(100_000),
    '\ud800'.repeat(1000),
    'x'.repeat(3_000_000),
  ];
  for (const file of [
    'os-release',
    'lsb-release',
    'redhat-release',
    'SuSE-release',
    'debian_version',
    'hostname',
  ]) {
    for (const value of values) {
      const guest = guestOf(os({ [`etc/${file}`]: value }));
      assert.ok(guest.majorVersion >= 0 && guest.majorVersion < 2 ** 31);
      assert.equal(guest.type, 'linux');
    }
  }
});

/** A PNG's signature and header. */
function png(width: number, height: number, size = 64): Uint8Array {
  const bytes = new Uint8Array(size);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  new DataView(bytes.buffer).setUint32(16, width);
  new DataView(bytes.buffer).setUint32(20, height);
  return bytes;
}

test('an icon is a PNG of reasonable size; the favicon comes first', () => {
  const icon = (files: MemoryFiles, options = {}) => {
    const table = new MountTable();
    table.mount(new MemoryFileSystem(files), { source: 'x', mountpoint: '/' });
    return findIcon(
      table.tree,
      { type: 'linux', distro: 'debian', majorVersion: 12, minorVersion: 0 },
      options,
    ).length;
  };
  const logo = 'usr/share/pixmaps/debian-logo.png';
  assert.equal(icon({ [logo]: png(48, 48, 100) }), 100);
  assert.equal(icon({ [logo]: png(48, 48, 100), 'etc/favicon.png': png(16, 16, 70) }), 70);
  assert.equal(
    icon({ [logo]: png(48, 48, 100), 'etc/favicon.png': png(16, 16, 70) }, { favicon: false }),
    100,
  );
  assert.equal(icon({ 'etc/favicon.png': png(16, 16, 70) }, { highQuality: true }), 0);
  for (const bytes of [
    png(8, 8),
    png(2000, 2000),
    png(48, 48, 3000),
    new Uint8Array(10),
    Buffer.from('GIF89a'),
  ]) {
    assert.equal(icon({ [logo]: bytes }), 0);
  }
  assert.equal(icon({}), 0);
});

/** Each mountable with the files that are seen when it is mounted. */
function inspectBtrfs(
  volumes: Readonly<Record<string, MemoryFiles>>,
  warnings: string[] = [],
): readonly string[] {
  const host = {
    ...hostOf([{ name: 'none', files: {} }]),
    warn: (message: string) => warnings.push(message),
  };
  return Inspection.run({
    ...host,
    *candidates() {
      for (const mountable of Object.keys(volumes)) yield { mountable, type: 'btrfs' };
    },
    open: ({ mountable }) => ({
      fileSystem: new MemoryFileSystem(volumes[mountable] ?? {}, { type: 'btrfs' }),
      release() {},
    }),
  }).roots;
}

test('snapshots of the root of a btrfs filesystem are no further systems', () => {
  const sles = (version: string): MemoryFiles =>
    os({
      'etc/os-release': `ID="sles"\nVERSION_ID="${version}"\nPRETTY_NAME="SUSE Linux Enterprise Server ${version}"\n`,
    });
  const snapshot = (number: number): string => `btrfsvol:/dev/sda1/@/.snapshots/${number}/snapshot`;
  const now = { '/dev/sda1': sles('15.6') };
  const warnings: string[] = [];
  const all = { ...now, [snapshot(1)]: sles('15.6'), [snapshot(27)]: sles('15.6') };
  assert.deepEqual(inspectBtrfs(all, warnings), ['/dev/sda1']);
  assert.deepEqual(warnings, ['/dev/sda1: 2 snapshots of this system are left out: what boots is here']);
  // What was another release is a system of its own, as is what lies on another disk.
  assert.deepEqual(inspectBtrfs({ ...now, [snapshot(1)]: sles('15.5') }), ['/dev/sda1', snapshot(1)]);
  const elsewhere = 'btrfsvol:/dev/sda12/@/.snapshots/1/snapshot';
  assert.deepEqual(inspectBtrfs({ ...now, [elsewhere]: sles('15.6') }), ['/dev/sda1', elsewhere]);
  // Without a subvolume nothing boots here, as on Fedora: its root is a subvolume.
  const fedora = os({ 'etc/os-release': 'ID=fedora\nVERSION_ID=41\nPRETTY_NAME="Fedora Linux 41"\n' });
  assert.deepEqual(
    inspectBtrfs({ '/dev/sda1': { 'root/x': '', 'home/x': '' }, 'btrfsvol:/dev/sda1/root': fedora }),
    ['btrfsvol:/dev/sda1/root'],
  );
});

test("where the root is a subvolume, snapper's snapshots inside of it or beside it are no further systems", () => {
  const fedora = os({ 'etc/os-release': 'ID=fedora\nVERSION_ID=41\nPRETTY_NAME="Fedora Linux 41"\n' });
  const at = (...places: readonly string[]): Record<string, MemoryFiles> =>
    Object.fromEntries(places.map((place) => [`btrfsvol:/dev/sda1/${place}`, fedora]));
  const warnings: string[] = [];
  assert.deepEqual(
    inspectBtrfs(at('root', 'root/.snapshots/1/snapshot', 'root/.snapshots/20/snapshot'), warnings),
    ['btrfsvol:/dev/sda1/root'],
  );
  assert.deepEqual(inspectBtrfs(at('@snapshots/3/snapshot', '@'), warnings), ['btrfsvol:/dev/sda1/@']);
  assert.deepEqual(warnings, [
    'btrfsvol:/dev/sda1/root: 2 snapshots of this system are left out: what boots is here',
    'btrfsvol:/dev/sda1/@: a snapshot of this system is left out: what boots is here',
  ]);
  // What is named otherwise may be a system that boots, as may one that is not of that filesystem.
  const others = ['root/.snapshots/1/other', 'root/.snapshots/1/snapshot/more', 'rooted'];
  assert.equal(inspectBtrfs(at('root', ...others)).length, 4);
  const elsewhere = 'btrfsvol:/dev/sda12/root/.snapshots/1/snapshot';
  assert.equal(inspectBtrfs({ ...at('root'), [elsewhere]: fedora }).length, 2);
});

test('distributions of the last years are told as their release files say', () => {
  const told = (files: MemoryFiles): unknown[] => {
    const { distro, majorVersion, minorVersion, osinfo, packageFormat, packageManagement } = guestOf(
      os(files),
    );
    return [distro, majorVersion, minorVersion, osinfo, packageFormat, packageManagement];
  };
  const release = (id: string, version: string, like = ''): string =>
    `NAME=x\nID="${id}"\nVERSION_ID="${version}"\nID_LIKE="${like}"\nPRETTY_NAME="${id} ${version}"\n`;
  const rpm = { 'usr/lib/sysimage/rpm/rpmdb.sqlite': '', 'usr/bin/dnf': '' };
  const cases: readonly (readonly [MemoryFiles, readonly unknown[]])[] = [
    [
      { 'etc/os-release': release('ubuntu', '24.04', 'debian') },
      ['ubuntu', 24, 4, 'ubuntu24.04', 'deb', 'apt'],
    ],
    [
      { 'etc/os-release': release('debian', '13'), 'etc/debian_version': '13.1\n' },
      ['debian', 13, 1, 'debian13', 'deb', 'apt'],
    ],
    [{ 'etc/os-release': release('fedora', '42'), ...rpm }, ['fedora', 42, 0, 'fedora42', 'rpm', 'dnf']],
    [
      { 'etc/os-release': release('rhel', '10.0', 'centos fedora') },
      ['rhel', 10, 0, 'rhel10.0', 'rpm', 'dnf'],
    ],
    [
      {
        'etc/os-release': release('centos', '10', 'rhel fedora'),
        'etc/centos-release': 'CentOS Stream release 10\n',
      },
      ['centos', 10, 0, 'centos10', 'rpm', 'dnf'],
    ],
    [
      {
        'etc/os-release': release('almalinux', '9.4', 'rhel centos fedora'),
        'etc/redhat-release': 'AlmaLinux release 9.4\n',
      },
      ['redhat-based', 9, 4, 'redhat-based9.4', 'rpm', 'dnf'],
    ],
    [{ 'etc/os-release': release('sles', '16.0', 'suse') }, ['sles', 16, 0, 'sle16', 'rpm', 'zypper']],
    [
      { 'etc/os-release': release('opensuse-leap', '16.0', 'suse') },
      ['opensuse', 16, 0, 'opensuse16.0', 'rpm', 'zypper'],
    ],
    [{ 'etc/os-release': release('kylin', 'V10') }, ['kylin', 10, 0, 'kylin10.0', 'deb', 'apt']],
    [{ 'etc/os-release': release('neokylin', 'V7Update6') }, ['neokylin', 7, 6, 'neokylin7.6', 'rpm', 'dnf']],
    // Those that libguestfs has no name for have at least their packages.
    [
      { 'etc/os-release': release('amzn', '2023', 'fedora'), ...rpm },
      ['unknown', 2023, 0, 'unknown', 'rpm', 'dnf'],
    ],
    [
      { 'etc/os-release': release('openEuler', '24.03'), ...rpm },
      ['unknown', 24, 3, 'unknown', 'rpm', 'dnf'],
    ],
    [{ 'etc/os-release': release('azurelinux', '3.0'), ...rpm }, ['unknown', 3, 0, 'unknown', 'rpm', 'dnf']],
  ];
  for (const [files, expected] of cases) assert.deepEqual(told(files), expected);
});

test('a /usr apart is found by the names that newer Ubuntu has in its fstab', () => {
  const root: MemoryFiles = {
    bin: link('usr/bin'),
    'etc/os-release': link('../usr/lib/os-release'),
    'etc/hostname': 'split\n',
    'etc/hosts': '',
    'etc/fstab':
      `/dev/disk/by-uuid/${uuidOf(1)} / ext4 defaults 0 1\n` +
      `/dev/disk/by-uuid/${uuidOf(2)} /usr ext4 defaults 0 1\n`,
    'var/lib/dpkg/status': '',
  };
  const usr: MemoryFiles = {
    'bin/bash': elf(62),
    'lib/os-release': 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.1 LTS"\n',
    local: directory(),
    share: directory(),
    src: directory(),
  };
  const inspection = Inspection.run(
    hostOf([
      { name: 'root', files: root },
      { name: 'usr', files: usr },
    ]),
  );
  assert.deepEqual(inspection.roots, ['/dev/sda1']);
  const { distro, productName, arch, hostname, packageFormat, osinfo, mountpoints } =
    inspection.guest('/dev/sda1');
  assert.deepEqual(
    [distro, productName, arch, hostname, packageFormat, osinfo],
    ['ubuntu', 'Ubuntu 24.04.1 LTS', 'x86_64', 'split', 'deb', 'ubuntu24.04'],
  );
  assert.deepEqual([...mountpoints.keys()].sort(), ['/', '/usr']);
});
