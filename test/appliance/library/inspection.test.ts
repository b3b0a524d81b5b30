import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Structs } from '../../../src/api/index.js';
import { GuestfsError } from '../../../src/base/index.js';
import { FakeDaemon, run, writes } from './fake-daemon.js';

type Files = Readonly<Record<string, string | Uint8Array>>;

/** A daemon with a guest whose files are these. */
function guest(
  type: string,
  packageFormat: string,
  files: Files,
  more: Readonly<Record<string, unknown>> = {},
) {
  const has = (path: string) => Object.hasOwn(files, path);
  return new FakeDaemon({
    inspect_get_type: type,
    inspect_get_distro: packageFormat === 'deb' ? 'debian' : 'unknown',
    inspect_get_package_format: packageFormat,
    inspect_get_major_version: 12,
    inspect_get_windows_systemroot: '/Windows',
    inspect_get_minor_version: 5,
    is_file: has,
    is_dir: (path: string) => Object.keys(files).some((file) => file.startsWith(`${path}/`)),
    case_sensitive_path: (path: string) => path.toUpperCase(),
    download: async (path: string, sink: NodeJS.WritableStream) => {
      if (!has(path)) throw new GuestfsError('ENOENT', `${path}: no such file or directory`);
      await writes(files[path] ?? '')(sink);
    },
    ls0: async (directory: string, sink: NodeJS.WritableStream) => {
      const names = Object.keys(files)
        .filter((path) => path.startsWith(`${directory}/`))
        .map((path) => path.slice(directory.length + 1).split('/')[0]);
      await writes([...new Set(names)].map((name) => `${name}\0`).join(''))(sink);
    },
    ...more,
  });
}

async function applications(daemon: FakeDaemon): Promise<string[]> {
  const found = (await run(daemon, 'inspect_list_applications2', ['/dev/sda1'])) as Structs['application2'][];
  return found.map(
    (one) => `${one.app2Name} ${one.app2Epoch}:${one.app2Version}-${one.app2Release} ${one.app2Arch}`,
  );
}

const paragraph = (name: string, version: string, state = 'installed') =>
  `Package: ${name}\nStatus: install ok ${state}\nArchitecture: all\nVersion: ${version}\n\n`;

test('packages of dpkg come from its status file, sorted by name', async () => {
  const status =
    paragraph('zsh', '5.9-4') + paragraph('bash', '1:5.2.15-2+b2') + paragraph('gone', '1', 'config-files');
  const daemon = guest('linux', 'deb', { '/var/lib/dpkg/status': status });
  assert.deepEqual(await applications(daemon), ['bash 1:5.2.15-2+b2 all', 'zsh 0:5.9-4 all']);
  const older = (await run(daemon, 'inspect_list_applications', ['/dev/sda1'])) as Structs['application'][];
  assert.deepEqual(
    older.map(({ appName, appEpoch }) => [appName, appEpoch]),
    [
      ['bash', 1],
      ['zsh', 0],
    ],
  );
});

test('an image without dpkg itself has a file for each package', async () => {
  const files = {
    '/var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n',
    '/var/lib/dpkg/status.d/tzdata.md5sums': 'Package: never\nVersion: 1\n',
  };
  assert.deepEqual(await applications(guest('linux', 'deb', files)), ['tzdata 0:2024a-0 all']);
});

test('no database is an error, as is a package format that cannot be listed; DOS has no packages', async () => {
  await assert.rejects(applications(guest('linux', 'deb', {})), {
    code: 'ENOENT',
  });
  await assert.rejects(applications(guest('linux', 'apk', {})), { code: 'ENOENT' });
  await assert.rejects(applications(guest('linux', 'xbps', {})), {
    code: 'ENOTSUP',
  });
  assert.deepEqual(await applications(guest('dos', 'unknown', {})), []);
});

test('packages of apk and pacman come from their databases', async () => {
  const apk = 'C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\nT:the libc\n\nP:busybox\nV:1.36.1-r5\nA:x86_64\n\n';
  assert.deepEqual(await applications(guest('linux', 'apk', { '/usr/lib/apk/db/installed': apk })), [
    'busybox 0:1.36.1-5 x86_64',
    'musl 0:1.2.4-2 x86_64',
  ]);
  const local = '/var/lib/pacman/local';
  const files = {
    [`${local}/ALPM_DB_VERSION`]: '9\n',
    [`${local}/bash-5.2-1/desc`]: '%NAME%\nbash\n\n%VERSION%\n1:5.2-1\n\n%ARCH%\nx86_64\n\n%DESC%\na shell\n',
    [`${local}/empty-1-1/other`]: '',
  };
  assert.deepEqual(await applications(guest('linux', 'pacman', files)), ['bash 1:5.2-1 x86_64']);
});

test('packages of rpm come from the daemon', async () => {
  const rpm = ['zlib', 'acl'].map((app2Name) => ({
    app2Name,
    app2Epoch: 0,
    app2Version: '1',
    app2Release: '2',
    app2Arch: 'x',
  }));
  const daemon = guest('linux', 'rpm', {}, { internal_list_rpm_applications: rpm });
  assert.deepEqual(await applications(daemon), ['acl 0:1-2 x', 'zlib 0:1-2 x']);
});

test('programs of Windows are the uninstallable ones of both registries', async () => {
  const names: Record<number, string> = { 10: '{1}', 11: 'hidden', 20: 'Old32' };
  const values: Record<number, Record<string, string>> = {
    10: {
      DisplayName: 'Editor',
      DisplayVersion: '1.2',
      Publisher: 'Ed',
      InstallLocation: 'C:\\Ed',
      URLInfoAbout: 'u',
      Comments: 'c',
    },
    11: { DisplayVersion: '3' },
    20: { DisplayName: 'Old' },
  };
  const texts: string[] = [''];
  let open = 0;
  const daemon = guest(
    'windows',
    'unknown',
    {},
    {
      inspect_get_windows_software_hive: '/W/software',
      hivex_open: () => void open++,
      hivex_close: () => void open--,
      hivex_root: 1,
      hivex_node_get_child: (node: number, name: string) => (name === 'WOW6432node' ? 2 : node),
      hivex_node_children: (node: number) =>
        (node === 1 ? [10, 11] : [20]).map((hivexNodeH) => ({ hivexNodeH })),
      hivex_node_name: (node: number) => names[node],
      hivex_node_get_value: (node: number, key: string) => {
        const text = values[node]?.[key];
        return text === undefined ? 0 : texts.push(text) - 1;
      },
      hivex_value_string: (value: number) => texts[value],
    },
  );
  const found = (await run(daemon, 'inspect_list_applications2', ['/dev/sda1'])) as Structs['application2'][];
  assert.equal(open, 0);
  assert.deepEqual(
    found.map((one) => [
      one.app2Name,
      one.app2DisplayName,
      one.app2Version,
      one.app2Publisher,
      one.app2InstallPath,
    ]),
    [
      ['Old32', 'Old', '', '', ''],
      ['{1}', 'Editor', '1.2', 'Ed', 'C:\\Ed'],
    ],
  );
  assert.deepEqual([found[1]?.app2Url, found[1]?.app2Description], ['u', 'c']);
});

function png(width: number, height: number, length = 64): Buffer {
  const bytes = Buffer.alloc(length);
  Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]).copy(bytes);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  return bytes;
}

test('an icon is a reasonable picture: the favicon first, unless it is not wanted', async () => {
  const favicon = png(16, 16);
  const logo = png(48, 48);
  const debian = '/usr/share/pixmaps/debian-logo.png';
  const icon = (files: Files, options = {}) =>
    run(guest('linux', 'deb', files), 'inspect_get_icon', ['/dev/sda1'], options);
  assert.deepEqual(await icon({ '/etc/favicon.png': favicon, [debian]: logo }), favicon);
  assert.deepEqual(await icon({ '/etc/favicon.png': favicon, [debian]: logo }, { favicon: false }), logo);
  assert.deepEqual(await icon({ '/etc/favicon.png': favicon, [debian]: logo }, { highquality: true }), logo);
  const none = new Uint8Array();
  assert.deepEqual(await icon({}), none);
  assert.deepEqual(await icon({ [debian]: png(8, 8) }), none);
  assert.deepEqual(await icon({ [debian]: png(48, 48, 4096) }), none);
  assert.deepEqual(await icon({ [debian]: 'text' }), none);
  assert.deepEqual(await icon({ '/etc/favicon.png': png(1024, 1024, 5 * 1024 * 1024) }), none);
});

test('a favicon of Windows is found however it is spelled', async () => {
  const daemon = guest('windows', 'unknown', { '/ETC/FAVICON.PNG': png(32, 32) });
  assert.equal(((await run(daemon, 'inspect_get_icon', ['/dev/sda1'])) as Uint8Array).length, 64);
});

test('the identifier for libosinfo is made of what inspection tells', async () => {
  const osinfo = (type: string, distro: string, major: number, minor: number, more = {}) =>
    run(
      new FakeDaemon({
        inspect_get_type: type,
        inspect_get_distro: distro,
        inspect_get_major_version: major,
        inspect_get_minor_version: minor,
        ...more,
      }),
      'inspect_get_osinfo',
      ['/dev/sda1'],
    );
  const windows = (version: string, product: string, variant: string, build?: string) => {
    const [major = 0, minor = 0] = version.split('.').map(Number);
    return osinfo('windows', 'windows', major, minor, {
      inspect_get_product_name: product,
      inspect_get_product_variant: variant,
      ...(build === undefined ? {} : { inspect_get_build_id: build }),
    });
  };
  assert.equal(await osinfo('linux', 'debian', 12, 0), 'debian12');
  assert.equal(await osinfo('linux', 'ubuntu', 22, 4), 'ubuntu22.04');
  assert.equal(await osinfo('linux', 'unknown', 3, 1), 'unknown');
  assert.equal(await osinfo('freebsd', 'freebsd', 13, 2), 'freebsd13.2');
  assert.equal(await windows('5.1', 'Microsoft Windows XP', 'unknown'), 'winxp');
  assert.equal(await windows('5.2', 'Windows Server 2003 R2', 'Server'), 'win2k3r2');
  assert.equal(await windows('6.1', 'Windows 7', 'Client'), 'win7');
  assert.equal(await windows('6.3', 'Windows Server 2012 R2', 'Server Standard'), 'win2k12r2');
  assert.equal(await windows('10.0', 'Windows Server 2022', 'Server', '20348'), 'win2k22');
  assert.equal(await windows('10.0', 'Windows Server 2016', 'Server', '14393'), 'win2k16');
  assert.equal(await windows('10.0', 'Windows 10 Pro', 'Client', '22631'), 'win11');
  assert.equal(await windows('10.0', 'Windows 10 Pro', 'Client', '19045'), 'win10');
  assert.equal(await windows('10.0', 'Windows 10 Pro', 'Client'), 'win10');
  assert.equal(await windows('4.0', 'Windows NT', 'Client'), 'unknown');
});
