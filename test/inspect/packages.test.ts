import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Application, listApplications } from '../../src/inspect/index.js';
import { MountTable } from '../../src/vfs/index.js';
import { readFixture, readFixtureJson } from '../support/fixtures.js';
import { link, MemoryFileSystem, type MemoryFiles } from '../support/memory-fs.js';

type Format = Parameters<typeof listApplications>[1]['packageFormat'];

function list(
  files: MemoryFiles,
  packageFormat: Format,
  type = 'linux',
  distro = 'unknown',
  onDamage: Parameters<typeof listApplications>[2] = assert.fail,
) {
  const table = new MountTable();
  table.mount(new MemoryFileSystem(files), { source: 'x', mountpoint: '/' });
  return listApplications(table.tree, { type, distro, packageFormat }, onDamage);
}

const none = { epoch: 0, release: '', arch: '', url: '', sourcePackage: '', summary: '', description: '' };
const status = (text: string): MemoryFiles => ({ 'var/lib/dpkg/status': text });

test('dpkg packages have every field that dpkg tells', () => {
  const [first, second] = list(
    status(
      [
        'Package: zlib1g',
        'Status: install ok installed',
        'Priority: required',
        'Architecture: amd64',
        'Source: zlib (1.2.13)',
        'Version: 1:1.2.13.dfsg-1-2',
        'Depends: libc6 (>= 2.14)',
        'Conffiles:',
        ' /etc/x 0123',
        'Description: compression library - runtime',
        ' zlib is a library',
        ' .',
        '  - with a list',
        'Homepage: http://zlib.net/',
        ' not of the description',
        '',
        'Package: adduser',
        'Status: hold ok installed',
        'Version: 3.134',
        'Architecture: all',
        '',
        '',
      ].join('\n'),
    ),
    'deb',
  );
  assert.deepEqual(first, { ...none, name: 'adduser', version: '3.134', arch: 'all' });
  assert.deepEqual(second, {
    name: 'zlib1g',
    epoch: 1,
    version: '1.2.13.dfsg',
    release: '1-2',
    arch: 'amd64',
    url: 'http://zlib.net/',
    sourcePackage: 'zlib',
    summary: 'compression library - runtime',
    description: 'zlib is a library\n.\n - with a list',
  } satisfies Application);
});

test('only what is installed is listed', () => {
  const states = [
    'install ok installed',
    'deinstall ok config-files',
    'unknown ok not-installed',
    'install ok half-installed',
    'installed',
  ];
  const text = states.map((state, i) => `Package: p${i}\nStatus: ${state}\nVersion: 1\n`).join('\n');
  assert.deepEqual(
    list(status(text), 'deb').map(({ name }) => name),
    ['p0'],
  );
  assert.deepEqual(list(status('Package: x\nVersion: 1\n'), 'deb'), []);
});

test('packages are in byte-wise order, the same name in the order of the file', () => {
  const names = ['b', 'libc6', 'a', 'B', 'libc6', 'é'];
  const text = names
    .map((name, i) => `Package: ${name}\nStatus: install ok installed\nVersion: ${i}\n`)
    .join('\n');
  assert.deepEqual(
    list(status(text), 'deb').map(({ name, version }) => `${name} ${version}`),
    ['B 3', 'a 2', 'b 0', 'libc6 1', 'libc6 4', 'é 5'],
  );
});

test('images without dpkg have a file for each package', () => {
  const found = list(
    {
      'var/lib/dpkg/status.d/base-files': 'Package: base-files\nVersion: 12.4\nArchitecture: amd64\n',
      'var/lib/dpkg/status.d/base-files.md5sums': 'Package: not-this\nVersion: 1\n',
      'var/lib/dpkg/status.d/tzdata': 'Package: tzdata\nVersion: 2024a-0+deb12u1\n\n',
    },
    'deb',
  );
  assert.deepEqual(
    found.map(({ name, release }) => [name, release]),
    [
      ['base-files', ''],
      ['tzdata', '0+deb12u1'],
    ],
  );
});

test('a database that is missing is an error', () => {
  for (const format of ['deb', 'apk', 'pacman', 'rpm'] as const)
    assert.throws(() => list({}, format), { code: 'ENOENT' });
});

test('a status file of any bytes gives packages or nothing, in little time', () => {
  const long = 'x'.repeat(3 * 1024 * 1024);
  const odd = [
    '',
    '\n\n\n\n',
    '\0\0\0',
    'Package',
    'Package:\nStatus:\nVersion:\n\n',
    ' continuation of nothing\n',
    'Package: a\nStatus: install ok installed\nVersion: :-:-\n\n',
    'Package: a\nStatus: install ok installed\nVersion: 99999999999999999999:1\n\n',
    `Package: ${long}\n${long}\nStatus: install ok installed\nVersion: 1\n`,
    long,
    'Package: a\r\nStatus: install ok installed\r\nVersion: 1\r\n\r\n',
  ];
  for (const text of odd) assert.ok(Array.isArray(list(status(text), 'deb')));
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 2654435761) >>> 24);
  assert.deepEqual(list({ 'var/lib/dpkg/status': bytes }, 'deb'), []);
});

test('lines that lie across the pieces of a large file are whole', () => {
  const blocks = Array.from(
    { length: 20_000 },
    (_, i) =>
      `Package: package-${String(i).padStart(6, '0')}\nStatus: install ok installed\nVersion: ${i}\nDescription: ${'é'.repeat(i % 97)}\n ${'long '.repeat(i % 13)}\n`,
  );
  const found = list(status(blocks.join('\n')), 'deb');
  assert.equal(found.length, 20_000);
  for (const [i, application] of found.entries()) {
    assert.equal(application.name, `package-${String(i).padStart(6, '0')}`);
    assert.equal(application.version, String(i));
    assert.equal(application.summary, 'é'.repeat(i % 97));
    assert.equal(application.description, 'long '.repeat(i % 13));
  }
});

test('apk packages have version, release, architecture, address and description', () => {
  const found = list(
    {
      'lib/apk/db/installed': [
        'C:Q1abc=',
        'P:musl',
        'V:1.2.4_git20230717-r4',
        'A:x86_64',
        'S:383459',
        'T:the musl c library (libc) implementation',
        'U:https://musl.libc.org/',
        'o:musl',
        'F:lib',
        'R:ld-musl-x86_64.so.1',
        '',
        'P:half',
        '',
        'P:last',
        'V:3',
      ].join('\n'),
    },
    'apk',
  );
  assert.deepEqual(found, [
    { ...none, name: 'last', version: '3' },
    {
      ...none,
      name: 'musl',
      version: '1.2.4_git20230717',
      release: '4',
      arch: 'x86_64',
      url: 'https://musl.libc.org/',
      description: 'the musl c library (libc) implementation',
    },
  ]);
});

test('pacman packages are read from their directories; incomplete ones are left out', () => {
  const desc =
    '%NAME%\nbash\n\n%VERSION%\n1:5.2.026-2\n\n%DESC%\nThe GNU shell\n\n%ARCH%\nx86_64\n\n%URL%\nhttps://gnu.org\n';
  const found = list(
    {
      'var/lib/pacman/local/ALPM_DB_VERSION': '9\n',
      'var/lib/pacman/local/bash-5.2.026-2/desc': desc,
      'var/lib/pacman/local/broken-1/desc': '%NAME%\nbroken\n',
      'var/lib/pacman/local/norelease-1/desc': desc.replace('-2', '').replace('bash', 'norelease'),
      'var/lib/pacman/local/empty-1/files': '',
    },
    'pacman',
  );
  assert.deepEqual(found, [
    {
      ...none,
      name: 'bash',
      epoch: 1,
      version: '5.2.026',
      release: '2',
      arch: 'x86_64',
      url: 'https://gnu.org',
      description: 'The GNU shell',
    },
  ]);
});

test('the packages of rpm are found through links, its log beside the file itself', () => {
  const where = {
    'usr/lib/sysimage/rpm/rpmdb.sqlite': readFixture('rpm/logged.sqlite.gz'),
    'usr/lib/sysimage/rpm/rpmdb.sqlite-wal': readFixture('rpm/logged.sqlite-wal.gz'),
    'var/lib/rpm': link('../../usr/lib/sysimage/rpm'),
  };
  const told = readFixtureJson<Record<string, { name: string }[]>>('rpm/truth.json.gz').logged ?? [];
  assert.deepEqual(
    list(where, 'rpm').map(({ name }) => name),
    told.map(({ name }) => name).sort(),
  );
});

test('packages of rpm with one name are the last one first, as libguestfs has them', () => {
  const found = list({ 'var/lib/rpm/rpmdb.sqlite': readFixture('rpm/whole.sqlite.gz') }, 'rpm');
  const told =
    readFixtureJson<Record<string, { name: string; version: string }[]>>('rpm/truth.json.gz').whole ?? [];
  const twice = (from: readonly { name: string; version: string }[]): string[] =>
    from.filter(({ name }) => name === 'part-18').map(({ version }) => version);
  assert.ok(found.length > 390);
  assert.equal(twice(told).length, 2);
  assert.deepEqual(twice(found), twice(told).reverse());
});

test('a damaged package of rpm is left out with its number, and a damaged database is an error', () => {
  const path = 'var/lib/rpm/Packages.db';
  const whole = readFixture('rpm/packages.ndb.gz');
  const count = list({ [path]: whole }, 'rpm').length;
  const damaged = whole.slice();
  const at = 2 * 4096;
  damaged[at] = 0;
  const told: string[] = [];
  const left = list({ [path]: damaged }, 'rpm', 'linux', 'sles', (error, where) =>
    told.push(`${where}: ${error.message}`),
  );
  assert.equal(left.length, count - 1);
  assert.equal(told.length, 1);
  assert.match(
    told[0] ?? '',
    /^\/var\/lib\/rpm\/Packages\.db: package \d+: ndb database: has a damaged package/,
  );
  for (const bytes of [new Uint8Array(0), new Uint8Array(100_000), whole.subarray(0, 5000)])
    assert.throws(() => list({ [path]: bytes }, 'rpm'), {
      name: 'CorruptError',
      message: /^\/var\/lib\/rpm\/Packages\.db: /,
    });
});

test('what cannot be listed says so, and only a system without packages has none', () => {
  assert.throws(() => list({}, 'unknown', 'windows'), { code: 'ENOTSUP' });
  assert.throws(() => list({}, 'ebuild'), { code: 'ENOTSUP', message: /the format ebuild/ });
  assert.throws(() => list({}, 'unknown'), { code: 'ENOTSUP', message: /without a package database/ });
  assert.throws(() => list({}, 'unknown', 'netbsd'), { code: 'ENOTSUP', message: /packages of netbsd/ });
  assert.deepEqual(list({}, 'unknown', 'linux', 'buildroot'), []);
  assert.deepEqual(list({}, 'unknown', 'dos'), []);
});
