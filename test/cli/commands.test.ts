/** Every command, run as a process on a real guest and on an image of awkward names. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { type Finished, finished, guestfs, names, sample, scratch, start } from './command.js';

/** Checks that a command succeeded without a word on standard error; gives its standard output. */
function quietly({ status, out, err }: Finished): string {
  assert.equal(err, '');
  assert.equal(status, 0);
  return out;
}

/** The parsed output of a command that prints JSON of a known shape. */
const json = async <Shape>(...args: string[]): Promise<Shape> =>
  JSON.parse(quietly(await guestfs(...args))) as Shape;

interface FilesystemJson {
  device: string;
  type: string;
  label: string | null;
  uuid: string;
  sizeInBytes: number;
  usedInBytes: number;
  availableInBytes: number;
}

interface InspectJson {
  image: string;
  operatingSystems: (Record<string, unknown> & {
    packages: { name: string; version: string; arch: string }[];
  })[];
  filesystems: FilesystemJson[];
}

interface InfoJson {
  chain: { virtualSizeInBytes: number; sizeInBytes: number }[];
  drives: { partitions: { type: string }[] }[];
}

interface RecordJson {
  path: string;
  type: string;
  mode: string;
  target?: string;
}

interface Checked {
  name: string;
  status: string;
  remedy?: string;
}

interface DoctorJson {
  works: boolean;
  backends: { backend: string; works: boolean }[];
  common: Checked[];
  embedded: {
    checks: Checked[];
    imageFormats: { reads: string[]; doesNotRead: string[] };
    filesystems: { reads: string[] };
  };
  direct: { checks: Checked[] };
}

describe('commands', { concurrency: 4 }, () => {
  test('inspect tells what the guest is, and a bare image is inspected', async () => {
    const [named, bare] = await Promise.all([guestfs('inspect', sample), guestfs(sample)]);
    const out = quietly(named);
    assert.equal(bare.out, out);
    assert.match(out, /^Debian .* on \/dev\/sda2\n/);
    assert.match(out, /^ {2}Architecture +x86_64$/m);
    assert.match(out, /^ {2}Packages +\d+ deb \(apt\)$/m);
    assert.match(out, /^ {2}Mount points +\/ +\/dev\/sda2\n +\/boot\/efi +\/dev\/sda1$/m);
    assert.match(out, /^ {2}\/dev\/sda1 +vfat .* ESP$/m);
    for (const line of out.split('\n')) assert.ok(line.length <= 80, line);
  });

  test('inspect --json tells everything, packages too', async () => {
    const { operatingSystems, filesystems, image } = await json<InspectJson>('inspect', '--json', sample);
    assert.equal(image, sample);
    assert.equal(operatingSystems.length, 1);
    const [system] = operatingSystems;
    assert.ok(system);
    assert.deepEqual(
      [system.root, system.type, system.distro, system.majorVersion, system.arch, system.packageFormat],
      ['/dev/sda2', 'linux', 'debian', 12, 'x86_64', 'deb'],
    );
    assert.deepEqual(system.mountpoints, { '/': '/dev/sda2', '/boot/efi': '/dev/sda1' });
    const base = system.packages.find(({ name }) => name === 'base-files');
    assert.ok(base !== undefined && base.version.length > 0 && base.arch.length > 0);
    assert.deepEqual(
      filesystems.map(({ device, type }) => [device, type]),
      [
        ['/dev/sda1', 'vfat'],
        ['/dev/sda2', 'ext4'],
      ],
    );
    for (const { sizeInBytes, usedInBytes, availableInBytes } of filesystems)
      assert.ok(usedInBytes > 0 && usedInBytes + availableInBytes <= sizeInBytes);
  });

  test('inspect --packages lists them', async () => {
    assert.match(quietly(await guestfs('inspect', '-p', sample)), /^ {2}base-files +12[^ ]* +amd64$/m);
  });

  test('inspect of a disk of data says that there is no system, and shows its filesystems', async () => {
    const out = quietly(await guestfs('inspect', names));
    assert.match(
      out,
      /^No operating system was found\.\n\nFilesystems\n.*DEVICE.*\n {2}\/dev\/sda +ext4 .*awkward/,
    );
  });

  test('filesystems shows sizes to people and bytes to programs', async () => {
    const [human, bytes, parsed] = await Promise.all([
      guestfs('filesystems', sample),
      guestfs('filesystems', '-b', sample),
      json<FilesystemJson[]>('filesystems', '--json', sample),
    ]);
    for (const row of human.out.split('\n')) assert.ok(row.length <= 80, row);
    assert.match(quietly(human), /^DEVICE +TYPE +SIZE +USED +FREE +LABEL +UUID\n\/dev\/sda1 +vfat +15M /);
    const [, root] = parsed;
    assert.ok(root);
    assert.match(
      quietly(bytes),
      new RegExp(`^/dev/sda2 +ext4 +${root.sizeInBytes} +${root.usedInBytes} `, 'm'),
    );
    assert.equal(root.label, 'root');
    assert.match(root.uuid, /^[0-9a-f-]{36}$/);
  });

  test('df shows all filesystems, or those mounted', async () => {
    const [all, mounted, inodes, parsed] = await Promise.all([
      guestfs('df', sample),
      guestfs('df', '-i', sample),
      guestfs('df', '--inodes', sample),
      json<{ device: string; mountpoint: string }[]>('df', '-m', 'sda2', '--json', sample),
    ]);
    assert.match(quietly(all), /^FILESYSTEM +SIZE +USED +AVAIL +USE%\n\/dev\/sda1 /);
    assert.match(quietly(mounted), /MOUNTED ON\n\/dev\/sda2 .* \/\n\/dev\/sda1 .* \/boot\/efi\n$/);
    assert.match(quietly(inodes), /^FILESYSTEM +INODES +USED +FREE +USE%\n/);
    assert.deepEqual(
      parsed.map(({ device, mountpoint }) => [device, mountpoint]),
      [['/dev/sda2', '/']],
    );
  });

  test('info describes the image and its partitions', async () => {
    const [out, parsed] = await Promise.all([
      guestfs('info', sample),
      json<InfoJson>('info', '--json', sample),
    ]);
    assert.match(quietly(out), /^ {2}Format +qcow2\n {2}Virtual size +512M \(536870912 bytes\)$/m);
    assert.match(out.out, /^\/dev\/sda: 512M, gpt\n {2}PARTITION +START +SIZE +TYPE +NAME +CONTENT\n/m);
    assert.match(out.out, /^ {2}\/dev\/sda1 +1\.0M +15M +EFI System +.*vfat 'ESP'$/m);
    assert.equal(parsed.chain[0]?.virtualSizeInBytes, 536870912);
    assert.equal(parsed.chain[0]?.sizeInBytes, statSync(sample).size);
    assert.deepEqual(parsed.drives[0]?.partitions.map(({ type }) => type).slice(0, 1), [
      'C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
    ]);
  });

  test('ls lists names as they are, whatever is in them', async () => {
    const { stdout, status } = await guestfs('ls', '-q', `${names}:/odd`);
    assert.equal(status, 0);
    const expected = Buffer.concat([
      Buffer.from('a b\nback\\slash\nbell\x07\x1b[31mred\nbytes'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('\nnew\nline\nturn\u202egpj.exe\n漢字\n'),
    ]);
    assert.deepEqual(stdout, expected);
  });

  test('ls -l shows modes, owners, devices, times and targets', async () => {
    const out = quietly(await guestfs('ls', '-lq', `${names}:/plain`));
    assert.deepEqual(out.split('\n'), [
      'lrwxrwxrwx 1 0 0    7 2024-05-01 12:34 dangling -> nowhere',
      'lrwxrwxrwx 1 0 0    7 2024-05-01 12:34 link -> one.txt',
      'crw-r--r-- 1 0 0  1,3 2024-05-01 12:34 null',
      '-rwsr-xr-x 1 0 0    4 2024-05-01 12:34 one.txt',
      'drwxr-xr-x 2 0 0 1024 2024-05-01 12:34 sub',
      '-rw-r--r-- 1 7 8   14 2024-05-01 12:34 two.TXT',
      '',
    ]);
  });

  test('ls names owners as the guest does, or not', async () => {
    const [named, numeric] = await Promise.all([
      guestfs('ls', '-ld', `${sample}:/etc/shadow`),
      guestfs('ls', '-ldn', `${sample}:/etc/shadow`),
    ]);
    assert.match(quietly(named), /^-rw-r----- 1 root shadow +\d+ .* \/etc\/shadow\n$/);
    assert.match(quietly(numeric), /^-rw-r----- 1 0 42 /);
  });

  test('ls follows a link on the command line, shows files themselves, and titles several directories', async () => {
    const [link, dangling, several] = await Promise.all([
      guestfs('ls', '-q', `${names}:/to-plain`),
      guestfs('ls', '-q', `${names}:/plain/dangling`),
      guestfs('ls', '-q', `${names}:/plain/sub`, '/plain/one.txt', '/locked'),
    ]);
    assert.equal(quietly(link), 'dangling\nlink\nnull\none.txt\nsub\ntwo.TXT\n');
    assert.equal(quietly(dangling), '/plain/dangling\n');
    assert.equal(quietly(several), '/plain/one.txt\n\n/plain/sub:\nthree.txt\n\n/locked:\ninside\n');
  });

  test('ls --json and stat --json give the same records, with all nanoseconds', async () => {
    const [listed, statted] = await Promise.all([
      guestfs('ls', '-q', '--json', `${names}:/plain`),
      guestfs('stat', '-q', '--json', `${names}:/plain/null`, '/plain/link'),
    ]);
    assert.match(quietly(listed), /"mtime":1714566896\.123456789,/);
    const records = JSON.parse(listed.out) as RecordJson[];
    const byPath = new Map(records.map((record) => [record.path, record]));
    for (const record of JSON.parse(quietly(statted)) as RecordJson[])
      assert.deepEqual(record, byPath.get(record.path));
    assert.deepEqual(byPath.get('/plain/null'), {
      ...byPath.get('/plain/null'),
      type: 'character',
      major: 1,
      minor: 3,
    });
    assert.equal(byPath.get('/plain/link')?.target, 'one.txt');
    assert.equal(byPath.get('/plain/one.txt')?.mode, '4755');
  });

  test('stat has the layout of GNU stat, in UTC', async () => {
    const [own, followed] = await Promise.all([
      guestfs('stat', '-q', `${names}:/plain/link`),
      guestfs('stat', '-qL', `${names}:/plain/link`),
    ]);
    assert.match(
      quietly(own),
      /^ {2}File: \/plain\/link -> one\.txt\n {2}Size: 7 +Blocks: 0 +IO Block: 1024 +symbolic link\nDevice: 8,0 +Inode: \d+ +Links: 1\nAccess: \(0777\/lrwxrwxrwx\) {2}Uid: \( {4}0\/ +0\) {3}Gid: \( {4}0\/ +0\)\nAccess: 2024-05-01 12:34:56\.123456789 \+0000\n/,
    );
    assert.match(quietly(followed), /^ {2}File: \/plain\/link\n {2}Size: 4 .* regular file\n/);
  });

  test('cat writes files one after the other', async () => {
    const [both, release, viaLink] = await Promise.all([
      guestfs('cat', '-q', names, '/plain/one.txt', '/plain/two.TXT'),
      guestfs('cat', `${sample}:/etc/os-release`),
      guestfs('cat', '-m', '/dev/sda2', sample, '/etc/os-release'),
    ]);
    assert.equal(quietly(both), 'one\ntwo, and more\n');
    assert.match(quietly(release), /^PRETTY_NAME="Debian GNU\/Linux/);
    assert.equal(viaLink.out, release.out);
  });

  test('find lists everything below, and what tests are met by', async () => {
    const [all, byName, types, none] = await Promise.all([
      guestfs('find', '-q', `${names}:/plain`),
      guestfs('find', '-q', `${names}:/`, '--iname', '*.txt', '--type', 'f'),
      guestfs('find', '-q', names, '--type', 'd,c', '--maxdepth', '2'),
      guestfs('find', '-q', `${names}:/plain`, '--maxdepth', '0'),
    ]);
    assert.deepEqual(quietly(all).trimEnd().split('\n').sort(), [
      '/plain',
      '/plain/dangling',
      '/plain/link',
      '/plain/null',
      '/plain/one.txt',
      '/plain/sub',
      '/plain/sub/three.txt',
      '/plain/two.TXT',
    ]);
    assert.deepEqual(quietly(byName).trimEnd().split('\n').sort(), [
      '/plain/one.txt',
      '/plain/sub/three.txt',
      '/plain/two.TXT',
    ]);
    assert.deepEqual(quietly(types).trimEnd().split('\n').sort(), [
      '/',
      '/locked',
      '/lost+found',
      '/odd',
      '/plain',
      '/plain/null',
      '/plain/sub',
    ]);
    assert.equal(quietly(none), '/plain\n');
  });

  test('find ends paths with NUL, or makes each a line of JSON that holds the same as stat', async () => {
    const [nul, lines, statted] = await Promise.all([
      guestfs('find', '-q0', `${names}:/odd`),
      guestfs('find', '-q', '--json', `${names}:/plain`),
      json<RecordJson[]>('stat', '-q', '--json', `${names}:/plain/null`),
    ]);
    assert.equal(nul.stdout.filter((byte) => byte === 0).length, 8);
    assert.ok(nul.stdout.includes(Buffer.from('/odd/new\nline\0')));
    const records = quietly(lines)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RecordJson);
    assert.equal(records.length, 8);
    assert.deepEqual(
      records.find(({ path }) => path === '/plain/null'),
      statted[0],
    );
  });

  test('find -l has the columns of ls -l', async () => {
    const out = quietly(await guestfs('find', '-ql', `${names}:/plain`, '--name', 'two*'));
    assert.match(out, /^-rw-r--r-- {2}1 7 +8 +14 2024-05-01 12:34 \/plain\/two\.TXT\n$/);
  });

  test('cp copies files: to a name, into a directory, to standard output', async () => {
    const into = join(scratch, 'cp');
    mkdirSync(into);
    const [named, several, out] = await Promise.all([
      guestfs('cp', '-q', `${names}:/plain/one.txt`, join(into, 'uno')),
      guestfs('cp', '-qp', `${names}:/plain/two.TXT`, '/plain/link', into),
      guestfs('cp', '-q', `${names}:/plain/one.txt`, '-'),
    ]);
    quietly(named);
    quietly(several);
    assert.equal(quietly(out), 'one\n');
    assert.deepEqual(readdirSync(into).sort(), ['link', 'two.TXT', 'uno']);
    assert.equal(readFileSync(join(into, 'uno'), 'utf8'), 'one\n');
    // No set-id bit comes out, and a link is followed where nothing said -r.
    assert.equal(statSync(join(into, 'uno')).mode & 0o7000, 0);
    assert.ok(lstatSync(join(into, 'link')).isFile());
    assert.equal(Math.floor(statSync(join(into, 'two.TXT')).mtimeMs), 1714566896123);
  });

  test('cp -r makes a directory, fills one that is there, and keeps holes', async () => {
    const tree = join(scratch, 'tree');
    quietly(await guestfs('cp', '-qr', `${names}:/plain/sub`, '/plain/link', scratch));
    assert.equal(readFileSync(join(scratch, 'sub/three.txt'), 'utf8'), 'three\n');
    assert.equal(readlinkSync(join(scratch, 'link')), 'one.txt');
    const [fresh, again] = [
      await guestfs('cp', '-qr', `${names}:/`, tree),
      await guestfs('cp', '-qr', `${names}:/plain`, tree),
    ];
    for (const { status, err } of [fresh, again]) {
      assert.equal(status, 0, err);
      // A device file is told of, not made.
      assert.doesNotMatch(err, /guestfs: cp:/);
    }
    assert.deepEqual(readdirSync(tree).sort(), ['big', 'locked', 'lost+found', 'odd', 'plain', 'to-plain']);
    assert.equal(readFileSync(join(tree, 'locked/inside'), 'utf8'), 'secret\n');
    assert.equal(statSync(join(tree, 'locked')).mode & 0o777, 0o555);
    chmodSync(join(tree, 'locked'), 0o755); // so that whoever is not root can remove it
    const big = statSync(join(tree, 'big'));
    assert.equal(big.size, 8 * 1024 ** 3);
    assert.ok(big.blocks < 1024);
    assert.deepEqual(
      readdirSync(scratch).filter((name) => name.startsWith('.')),
      [],
    );
  });

  test('cp replaces a file and keeps its permissions', async () => {
    const file = join(scratch, 'replaced');
    quietly(await guestfs('cp', '-q', `${names}:/plain/one.txt`, file));
    const before = statSync(file).mode;
    quietly(await guestfs('cp', '-q', `${names}:/plain/two.TXT`, file));
    assert.equal(readFileSync(file, 'utf8'), 'two, and more\n');
    assert.equal(statSync(file).mode, before);
  });

  test('tar-out packs a directory, plain or compressed', async () => {
    const file = join(scratch, 'plain.tar.gz');
    const [plain, packed] = await Promise.all([
      guestfs('tar-out', '-q', `${names}:/plain`, '-', '--exclude', 'null'),
      guestfs('tar-out', '-q', names, '/plain', file, '--exclude', 'null'),
    ]);
    assert.equal(plain.status, 0, plain.err);
    quietly(packed);
    assert.ok(plain.stdout.includes('./sub/three.txt\0'));
    assert.ok(!plain.stdout.includes('./null\0'));
    assert.equal(plain.stdout.length % 512, 0);
    assert.deepEqual(gunzipSync(readFileSync(file)), plain.stdout);
  });

  test('hexdump shows files and devices, whole or in part', async () => {
    const [file, part, sector] = await Promise.all([
      guestfs('hexdump', '-q', `${names}:/plain/two.TXT`),
      guestfs('hexdump', '-q', '-s', '5', '-n', '0x3', `${names}:/plain/two.TXT`),
      guestfs('hexdump', '-d', 'sda', '-s', '0x1fe', '-n', '2', sample),
    ]);
    assert.equal(
      quietly(file),
      '00000000  74 77 6f 2c 20 61 6e 64  20 6d 6f 72 65 0a        |two, and more.|\n0000000e\n',
    );
    assert.match(quietly(part), /^00000005 {2}61 6e 64 .*\|and\|\n00000008\n$/);
    assert.match(quietly(sector), /^000001fe {2}55 aa /);
  });

  test('call runs any action, several at once, with results as text or JSON', async () => {
    const [list, several, parsed, version] = await Promise.all([
      guestfs('call', sample, 'part-list', '/dev/sda'),
      guestfs(
        'call',
        '-i',
        sample,
        'is-dir',
        '/etc',
        ':',
        'checksum',
        'md5',
        '/etc/debian_version',
        ':',
        'part_get_parttype',
        '/dev/sda',
      ),
      json<unknown[]>(
        'call',
        '--json',
        names,
        '--',
        'mount-ro',
        '/dev/sda',
        '/',
        ':',
        'read-file',
        '/plain/one.txt',
        ':',
        'mountpoints',
      ),
      guestfs('call', 'version'),
    ]);
    assert.match(quietly(list), /^\[0\]\n {2}part_num: 1\n {2}part_start: 1048576\n/);
    assert.match(quietly(several), /^true\n[0-9a-f]{32}\ngpt\n$/);
    assert.deepEqual(parsed, [null, Buffer.from('one\n').toString('base64'), { '/dev/sda': '/' }]);
    assert.match(quietly(version), /^major: \d+\nminor: \d+\n/);
  });

  test('call writes files to standard output where the action writes one', async () => {
    assert.equal(quietly(await guestfs('call', '-qi', names, 'download', '/plain/one.txt', '-')), 'one\n');
  });

  test('call copies several files out at once', async () => {
    const to = join(scratch, 'several');
    mkdirSync(to);
    quietly(await guestfs('call', '-qi', names, 'copy-out', '/plain/one.txt', '/plain', to));
    assert.deepEqual(readdirSync(to).sort(), ['one.txt', 'plain']);
  });

  test('call takes all drives by -a, as guestfish does, and actions that come before a launch', async () => {
    const [one, two, self] = await Promise.all([
      guestfs('call', '-a', names, 'list-devices'),
      guestfs('call', '-a', names, '-a', sample, 'list-devices', ':', 'vfs-type', '/dev/sda'),
      guestfs(
        'call',
        'set-memsize',
        '512',
        ':',
        'get-memsize',
        ':',
        'add-drive-ro',
        names,
        ':',
        'launch',
        ':',
        'list-devices',
      ),
    ]);
    assert.equal(quietly(one), '/dev/sda\n');
    assert.equal(quietly(two), '/dev/sda\n/dev/sdb\next4\n');
    assert.equal(quietly(self), '512\n/dev/sda\n');
  });

  test('actions lists what there is, and finds by a word', async () => {
    const [all, some, parsed] = await Promise.all([
      guestfs('actions'),
      guestfs('actions', 'part_get'),
      json<{ name: string; needsAppliance: boolean }[]>('actions', '--json', 'inspect-os'),
    ]);
    assert.ok(quietly(all).split('\n').length > 550);
    assert.match(quietly(some), /^ {3}part-get-parttype +tell /m);
    assert.deepEqual([parsed[0]?.name, parsed[0]?.needsAppliance], ['inspect-os', false]);
  });

  test('actions and help say what only the appliance does', async () => {
    const [list, reading, writing] = await Promise.all([
      guestfs('actions', 'ntfs'),
      guestfs('help', 'part-list'),
      guestfs('help', 'ntfsfix'),
    ]);
    assert.match(quietly(list), /^\*\+ ntfsfix +[\s\S]*\n\+ changes what is on disks, which takes --rw\n$/m);
    assert.match(quietly(writing), /\nNeeds the appliance, which guestfs call --rw boots\.\n$/);
    assert.doesNotMatch(quietly(reading), /appliance/);
  });

  test('doctor launches the engine, and gives a verdict for each backend', async () => {
    const [out, parsed] = await Promise.all([guestfs('doctor'), json<DoctorJson>('doctor', '--json')]);
    for (const row of out.out.split('\n')) assert.ok(row.length <= 80, row);
    assert.match(quietly(out), /^ {2}embedded engine +ok +launched in \d+ ms$/m);
    assert.match(out.out, /^ {2}image formats +reads .*raw/m);
    assert.match(out.out, /^ {2}direct +(?:works|DOES NOT WORK): /m);
    assert.equal(parsed.works, true);
    assert.deepEqual(
      parsed.backends.map(({ backend }) => backend),
      ['embedded', 'direct', 'auto'],
    );
    for (const { name, status } of [...parsed.common, ...parsed.embedded.checks])
      assert.equal(status, 'ok', name);
    const { imageFormats, filesystems } = parsed.embedded;
    assert.ok(imageFormats.reads.includes('qcow2') && imageFormats.doesNotRead.includes('luks'));
    assert.ok(filesystems.reads.includes('ext4'));
    const wanting = parsed.direct.checks.filter(({ status }) => status === 'missing' || status === 'failed');
    assert.equal(parsed.backends[1]?.works, wanting.length === 0);
    // What is wrong comes with what to do about it, or lies in another thing that does.
    for (const { name, remedy } of wanting) assert.ok(remedy !== undefined || name === 'guestfsd', name);
  });

  test('doctor fails only where no backend works', async () => {
    const withoutQemu = finished(start(['doctor'], { env: { LIBGUESTFS_HV: join(scratch, 'no-qemu') } }));
    // There is never any room on this one.
    const withoutRoom = finished(start(['doctor', '--json'], { env: { LIBGUESTFS_TMPDIR: '/proc' } }));
    const one = await withoutQemu;
    assert.equal(one.status, 0, one.err);
    assert.match(one.out, /^ {2}direct +DOES NOT WORK: see .*qemu/m);
    assert.match(one.out, /^ {2}qemu +MISSING .*\n(?: {28}.*\n)* {28}hint: .*qemu-system-x86/m);
    const none = await withoutRoom;
    assert.equal(none.status, 1);
    assert.match(none.err, /^guestfs: doctor: no backend works here/);
    assert.equal((JSON.parse(none.out) as DoctorJson).works, false);
  });

  test('an image is never changed', async () => {
    const before = readFileSync(names);
    const { status } = await guestfs('call', '-q', names, 'mount', '/dev/sda', '/', ':', 'ls', '/');
    assert.equal(status, 0);
    assert.deepEqual(readFileSync(names), before);
    assert.ok(existsSync(names));
  });
});
