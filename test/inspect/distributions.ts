/**
 * Small systems with the files that inspection goes by, in the shape that each distribution gives them. The same
 * table makes the disk on which libguestfs's own answers were recorded (scripts/fixtures/inspect.mjs), so partition
 * numbers, UUIDs and labels follow from it: the first system is on partition 1, and so on.
 */
import { directory, link, type MemoryFiles } from '../support/memory-fs.js';

export interface System {
  readonly name: string;
  readonly files: MemoryFiles;
}

/** The beginning of an ELF program: enough for whoever looks at its header. */
export function elf(machine: number, bits: 32 | 64 = 64, little = true, kind = 2): Uint8Array {
  const bytes = new Uint8Array(bits === 64 ? 64 : 52);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, little ? 1 : 2, 1]);
  view.setUint16(16, kind, little);
  view.setUint16(18, machine, little);
  view.setUint32(20, 1, little);
  view.setUint16(bits === 64 ? 52 : 40, bytes.length, little);
  return bytes;
}

/** The beginning of a Windows program. */
export function pe(machine: number, magic: number): Uint8Array {
  const bytes = new Uint8Array(512);
  const view = new DataView(bytes.buffer);
  bytes.set([0x4d, 0x5a]);
  view.setUint32(0x3c, 0x80, true);
  view.setUint32(0x80, 0x4550, true);
  view.setUint16(0x84, machine, true);
  view.setUint16(0x94, magic === 0x20b ? 240 : 224, true);
  view.setUint16(0x96, 0x22, true);
  view.setUint16(0x98, magic, true);
  view.setUint16(0x98 + 68, 3, true);
  return bytes;
}

/** The UUID of the filesystem on a partition. */
export function uuidOf(partition: number): string {
  return `00000000-0000-4000-8000-${String(partition).padStart(12, '0')}`;
}

/** The label of the filesystem on a partition. */
export function labelOf(partition: number): string {
  return `part-${partition}`;
}

/** The UUID of the swap space on the partition after all the systems. */
export const swapUuid = '00000000-0000-4000-8000-0000000005a9';

const x86 = elf(62);
const release = (fields: Record<string, string>): string =>
  Object.entries(fields)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');

/** A system with its own /bin, and an empty fstab. */
function classic(name: string, files: MemoryFiles): System {
  return { name, files: { 'bin/sh': x86, 'etc/fstab': '# empty\n', ...files } };
}

/** A system whose /bin is a link into /usr. */
function merged(name: string, files: MemoryFiles): System {
  return { name, files: { 'usr/bin/bash': x86, bin: link('usr/bin'), 'etc/fstab': '# empty\n', ...files } };
}

export const systems: readonly System[] = [
  merged('debian 12', {
    'etc/os-release': link('../usr/lib/os-release'),
    'usr/lib/os-release': release({
      PRETTY_NAME: '"Debian GNU/Linux 12 (bookworm)"',
      NAME: '"Debian GNU/Linux"',
      VERSION_ID: '"12"',
      ID: 'debian',
    }),
    'etc/debian_version': '12.4\n',
    'etc/hostname': '# a comment\n\nbookworm\nsecond\n',
    'etc/fstab': [
      '# <file system> <mount point> <type> <options> <dump> <pass>',
      `UUID=${uuidOf(1)} / ext4 errors=remount-ro 0 1`,
      `LABEL="${labelOf(2)}" /srv//data/ ext4 defaults 0 2`,
      '/dev/sda3\t/opt\text4\tdefaults\t0\t0',
      '/dev/vda4 /var ext4 defaults',
      '/dev/xvdb1 /missing ext4 defaults 0 0',
      '/dev/hda999 /absent ext4 defaults 0 0',
      '/dev/disk/by-id/ata-QEMU_HARDDISK_QM00001-part5 /by-id ext4 defaults 0 0',
      '/dev/mapper/VG-LV /lv ext4 defaults 0 0',
      '/dev/VG/LV2 /lv2 ext4 defaults 0 0',
      '/dev/md0 /raid ext4 defaults 0 0',
      'UUID=ffffffff-ffff-ffff-ffff-ffffffffffff /gone ext4 defaults 0 0',
      `UUID=${swapUuid} none swap sw 0 0`,
      'tmpfs /tmp tmpfs defaults 0 0',
      'proc /proc proc defaults 0 0',
      '/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0',
      '/dev/fd0 /floppy auto user,noauto 0 0',
      '/home/x /srv/x none bind 0 0',
      'server:/export /nfs nfs defaults 0 0',
      '/dev/root /again ext4 defaults 0 0',
      '',
    ].join('\n'),
  }),
  merged('debian testing', {
    'etc/os-release': release({ PRETTY_NAME: '"Debian GNU/Linux trixie/sid"', ID: 'debian' }),
    'etc/debian_version': 'trixie/sid\n',
  }),
  merged('ubuntu 22.04', {
    'etc/os-release': release({
      PRETTY_NAME: '"Ubuntu 22.04.3 LTS"',
      VERSION_ID: '"22.04"',
      ID: 'ubuntu',
      ID_LIKE: 'debian',
    }),
    'etc/debian_version': 'bookworm/sid\n',
    'etc/hostname': 'jammy\n',
  }),
  classic('ubuntu 10.04, by lsb-release', {
    'bin/sh': elf(3, 32),
    'etc/lsb-release': release({
      DISTRIB_ID: 'Ubuntu',
      DISTRIB_RELEASE: '10.04',
      DISTRIB_CODENAME: 'lucid',
      DISTRIB_DESCRIPTION: '"Ubuntu 10.04.1 LTS"',
    }),
    'etc/debian_version': 'squeeze/sid\n',
  }),
  merged('linux mint', {
    'etc/os-release': release({ NAME: '"Linux Mint"', ID: 'linuxmint', PRETTY_NAME: '"Linux Mint 21"' }),
    'etc/lsb-release': release({
      DISTRIB_ID: 'LinuxMint',
      DISTRIB_RELEASE: '21.2',
      DISTRIB_DESCRIPTION: '"Linux Mint 21.2 Victoria"',
    }),
  }),
  merged('fedora 39', {
    'usr/bin/dnf': x86,
    'etc/os-release': release({
      ID: 'fedora',
      VERSION_ID: '39',
      PRETTY_NAME: '"Fedora Linux 39 (Server Edition)"',
      BUILD_ID: 'f39-1',
    }),
    'etc/redhat-release': 'Fedora release 39 (Thirty Nine)\n',
  }),
  merged('fedora 20, by redhat-release', {
    'etc/redhat-release': 'Fedora release 20 (Heisenbug)\n',
    'etc/sysconfig/network': 'NETWORKING=yes\nHOSTNAME=heisenbug.example\n',
  }),
  merged('rhel 9.2', {
    'usr/bin/bash': elf(183),
    'etc/os-release': release({
      ID: '"rhel"',
      VERSION_ID: '"9.2"',
      PRETTY_NAME: '"Red Hat Enterprise Linux 9.2 (Plow)"',
    }),
    'etc/redhat-release': 'Red Hat Enterprise Linux release 9.2 (Plow)\n',
  }),
  classic('rhel 4 update 8', {
    'etc/redhat-release': 'Red Hat Enterprise Linux AS release 4 (Nahant Update 8)\n',
  }),
  merged('centos 7', {
    'etc/os-release': release({ ID: '"centos"', VERSION_ID: '"7"', PRETTY_NAME: '"CentOS Linux 7 (Core)"' }),
    'etc/centos-release': 'CentOS Linux release 7.9.2009 (Core)\n',
    'etc/redhat-release': link('centos-release'),
  }),
  merged('centos stream 9', {
    'etc/os-release': release({ ID: '"centos"', VERSION_ID: '"9"', PRETTY_NAME: '"CentOS Stream 9"' }),
    'etc/centos-release': 'CentOS Stream release 9\n',
  }),
  merged('rocky 9', {
    'etc/os-release': release({ ID: '"rocky"', VERSION_ID: '"9.3"', PRETTY_NAME: '"Rocky Linux 9.3"' }),
  }),
  merged('rocky 8, by its own file', {
    'etc/rocky-release': 'Rocky Linux release 8.9 (Green Obsidian)\n',
    'etc/redhat-release': 'Rocky Linux release 8.9 (Green Obsidian)\n',
  }),
  merged('almalinux 9', {
    'etc/os-release': release({ ID: '"almalinux"', VERSION_ID: '"9.3"', PRETTY_NAME: '"AlmaLinux 9.3"' }),
    'etc/redhat-release': 'AlmaLinux release 9.3 (Shamrock Pampas Cat)\n',
  }),
  merged('oracle linux 8', {
    'etc/os-release': release({ ID: '"ol"', VERSION_ID: '"8.9"', PRETTY_NAME: '"Oracle Linux Server 8.9"' }),
    'etc/oracle-release': 'Oracle Linux Server release 8.9\n',
    'etc/redhat-release': 'Red Hat Enterprise Linux release 8.9 (Ootpa)\n',
  }),
  classic('scientific linux 6', {
    'etc/redhat-release': 'Scientific Linux release 6.10 (Carbon)\n',
  }),
  merged('amazon linux 2', {
    'etc/os-release': release({ ID: '"amzn"', VERSION_ID: '"2"', PRETTY_NAME: '"Amazon Linux 2"' }),
    'etc/system-release': 'Amazon Linux release 2 (Karoo)\n',
  }),
  merged('opensuse leap 15.5', {
    'etc/os-release': release({
      ID: '"opensuse-leap"',
      VERSION_ID: '"15.5"',
      PRETTY_NAME: '"openSUSE Leap 15.5"',
    }),
  }),
  merged('opensuse tumbleweed', {
    'etc/os-release': release({
      ID: '"opensuse-tumbleweed"',
      VERSION_ID: '"20240101"',
      PRETTY_NAME: '"openSUSE Tumbleweed"',
    }),
  }),
  merged('sles 15 sp5', {
    'usr/bin/bash': elf(22, 64, false),
    'etc/os-release': release({
      ID: '"sles"',
      VERSION_ID: '"15.5"',
      PRETTY_NAME: '"SUSE Linux Enterprise Server 15 SP5"',
    }),
  }),
  classic('sles 11, by SuSE-release', {
    'bin/sh': elf(21, 64, false),
    'etc/SuSE-release': 'SUSE Linux Enterprise Server 11 (ppc64)\nVERSION = 11\nPATCHLEVEL = 4\n',
    'etc/HOSTNAME': 'sles.example.com\n',
  }),
  classic('opensuse 11.4, by SuSE-release', {
    'etc/SuSE-release': 'openSUSE 11.4 (x86_64)\nVERSION = 11.4\nCODENAME = Celadon\n',
  }),
  merged('arch', {
    'etc/os-release': release({ PRETTY_NAME: '"Arch Linux"', ID: 'arch', BUILD_ID: 'rolling' }),
    'etc/arch-release': '',
  }),
  merged('gentoo', {
    'usr/bin/bash': elf(243),
    'etc/os-release': release({ ID: 'gentoo', PRETTY_NAME: '"Gentoo Linux"' }),
    'etc/gentoo-release': 'Gentoo Base System release 2.14\n',
  }),
  classic('alpine', {
    'bin/sh': link('busybox'),
    'bin/busybox': elf(62, 64, true, 3),
    'etc/os-release': release({ ID: 'alpine', VERSION_ID: '3.19.0', PRETTY_NAME: '"Alpine Linux v3.19"' }),
    'etc/alpine-release': '3.19.0\n',
  }),
  merged('void', { 'etc/os-release': release({ ID: '"void"', PRETTY_NAME: '"Void Linux"' }) }),
  classic('slackware', {
    'etc/os-release': release({
      ID: 'slackware',
      VERSION_ID: '15.0',
      PRETTY_NAME: '"Slackware 15.0 x86_64"',
    }),
    'etc/slackware-version': 'Slackware 15.0\n',
  }),
  merged('kali', {
    'etc/os-release': release({
      PRETTY_NAME: '"Kali GNU/Linux Rolling"',
      VERSION_ID: '"2023.4"',
      ID: 'kali',
    }),
    'etc/debian_version': 'kali-rolling\n',
  }),
  merged('mageia 9', {
    'etc/os-release': release({ ID: 'mageia', VERSION_ID: '9', PRETTY_NAME: '"Mageia 9"' }),
  }),
  merged('openmandriva', {
    'etc/os-release': release({
      ID: '"openmandriva"',
      VERSION_ID: '"5.0"',
      PRETTY_NAME: '"OpenMandriva Lx 5.0"',
    }),
  }),
  merged('alt linux', {
    'etc/os-release': release({ ID: 'altlinux', VERSION_ID: '10.1', PRETTY_NAME: '"ALT Workstation 10.1"' }),
  }),
  classic('cirros', {
    'etc/br-version': '2015.05\n',
    'etc/cirros/version': '0.6.2\n',
    'usr/share/cirros/logo': 'logo\n',
  }),
  classic('buildroot', { 'bin/sh': elf(40, 32), 'etc/br-version': '2023.11-git\n' }),
  classic('pardus', { 'etc/pardus-release': 'Pardus 2011.2\n' }),
  classic('frugalware', { 'etc/frugalware-release': 'Frugalware 2.1 (Derowd)\n' }),
  classic('pld', { 'bin/sh': elf(20, 32, false), 'etc/pld-release': '3.0 PLD Linux (Th)\n' }),
  classic('meego', { 'etc/meego-release': 'MeeGo release 1.2 (MeeGo)\n' }),
  classic('ttylinux', { 'etc/ttylinux-target': 'ttylinux 16.1\n' }),
  merged('kylin', {
    'etc/os-release': release({ ID: 'kylin', VERSION_ID: '"V10"', PRETTY_NAME: '"Kylin V10 SP1"' }),
  }),
  merged('neokylin', {
    'etc/os-release': release({ ID: 'neokylin', VERSION_ID: '"V7Update6"', PRETTY_NAME: '"NeoKylin 7.6"' }),
  }),
  classic('a system that tells nothing', { 'etc/hosts': '127.0.0.1 localhost\n' }),
  {
    name: 'a root without /usr',
    files: {
      bin: link('usr/bin'),
      usr: directory(),
      'etc/fstab': `UUID=${uuidOf(42)} / ext4 defaults 0 1\nUUID=${uuidOf(43)} /usr ext4 ro 0 1\n`,
      'etc/os-release': link('/usr/lib/os-release'),
      'etc/hostname': 'split\n',
    },
  },
  {
    name: 'its /usr',
    files: {
      'bin/bash': elf(62),
      local: directory(),
      share: directory(),
      src: directory(),
      'lib/os-release': release({ ID: 'fedora', VERSION_ID: '40', PRETTY_NAME: '"Fedora Linux 40"' }),
    },
  },
  {
    name: 'hurd',
    files: {
      'hurd/console': '',
      'hurd/hello': '',
      'hurd/null': '',
      'bin/sh': elf(3, 32),
      'etc/fstab': '/dev/hd0s1 / ext2 defaults 0 1\n',
      'etc/debian_version': '7.0\n',
      'etc/hostname': 'herd\n',
    },
  },
  {
    name: 'free dos',
    files: { 'FDOS/FREEDOS.BSS': '', 'COMMAND.COM': '' },
  },
  {
    name: 'ms-dos',
    files: { 'Dos/Command.Com': '', 'AUTOEXEC.BAT': 'PROMPT $P$G\r\n' },
  },
  {
    name: 'freebsd 8',
    files: {
      'etc/freebsd-update.conf': '',
      'etc/fstab': `/dev/ada0s1a / ufs rw 1 1
/dev/ada0s1d /usr ufs rw 2 2
/dev/vtbd0p3 /var ufs rw 2 2
/dev/ada0s1b none swap sw 0 0
/dev/cd0 /cdrom cd9660 ro,noauto 0 0
`,
      'etc/motd': 'FreeBSD 8.2-RELEASE (GENERIC) #0: Thu Feb 17 02:41:51 UTC 2011\n\nWelcome\n',
      'etc/rc.conf': '# comment\nkeymap="uk.iso"\nhostname="beastie.example"\n',
      'bin/sh': elf(3, 32),
    },
  },
  {
    name: 'netbsd 5',
    files: {
      netbsd: '',
      'etc/release': 'NetBSD 5.1\nBuild settings:\n',
      'etc/fstab': '/dev/sd0a / ffs rw 1 1\n/dev/sd0e /usr ffs rw 1 2\n/dev/ld1f /home ffs rw 1 2\n',
      'etc/rc.conf': 'hostname=flag\n',
      'bin/sh': elf(43, 64, false),
    },
  },
  {
    name: 'minix',
    files: {
      'service/vm': '',
      'etc/version': '3.2.1\n',
      'etc/fstab': '/dev/c0d0p0s0 / mfs rw 0 1\n',
      'etc/hostname.file': 'raccoon\n',
      'bin/sh': elf(3, 32),
    },
  },
  {
    name: 'coreos',
    files: {
      'etc/coreos/update.conf': 'GROUP=stable\n',
      'etc/hostname': 'core-1\n',
      root: directory(),
      home: directory(),
      usr: directory(),
    },
  },
  {
    name: 'its older /usr',
    files: {
      'bin/bash': elf(62),
      local: directory(),
      'share/coreos': directory(),
      'lib/os-release': release({ ID: 'coreos', VERSION_ID: '647.0.0', PRETTY_NAME: '"CoreOS 647.0.0"' }),
    },
  },
  {
    name: 'its newer /usr',
    files: {
      'bin/bash': elf(183),
      local: directory(),
      'share/coreos/lsb-release': release({
        DISTRIB_ID: 'CoreOS',
        DISTRIB_RELEASE: '1800.7.0',
        DISTRIB_DESCRIPTION: '"CoreOS 1800.7.0"',
      }),
    },
  },
  {
    name: 'windows',
    files: {
      'WinNT/System32/config/SAM': '',
      'WinNT/System32/Cmd.exe': pe(0x14c, 0x10b),
      'System Volume Information/x': '',
      'Program Files/x': '',
    },
  },
  {
    name: 'a boot filesystem',
    files: { 'grub2/grub.cfg': '', 'etc/fstab': '', 'bin/sh': x86 },
  },
  { name: 'a /var', files: { log: directory(), run: directory(), spool: directory() } },
  { name: 'files of somebody', files: { 'photos/cat.jpg': 'meow' } },
];
