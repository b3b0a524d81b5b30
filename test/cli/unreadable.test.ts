/** What cannot be read is told and has an exit status; what can be read beside it is still shown. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readFixtureBuffer } from '../support/fixtures.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { guestfs, names, sample, scratch } from './command.js';

function image(name: string, bytes: Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, bytes);
  return path;
}

const sector = 512;

/** A disk with an MBR, whose partitions hold these bytes and have these types. */
function partitioned(...partitions: readonly (readonly [type: number, contents: Buffer])[]): Buffer {
  const mbr = Buffer.alloc(1024 * 1024);
  mbr.writeUInt16LE(0xaa55, 510);
  const parts: Buffer[] = [mbr];
  let start = mbr.length / sector;
  for (const [index, [type, contents]] of partitions.entries()) {
    mbr.writeUInt8(type, 446 + index * 16 + 4);
    mbr.writeUInt32LE(start, 446 + index * 16 + 8);
    mbr.writeUInt32LE(contents.length / sector, 446 + index * 16 + 12);
    parts.push(contents);
    start += contents.length / sector;
  }
  return Buffer.concat(parts);
}

function encrypted(): Buffer {
  const bytes = Buffer.alloc(4 * 1024 * 1024);
  bytes.write('LUKS\xba\xbe', 0, 'latin1');
  bytes.writeUInt16BE(1, 6);
  bytes.write('00112233-4455-6677-8899-aabbccddeeff', 168);
  return bytes;
}

const cut = image('cut.qcow2', readFileSync(sample).subarray(0, 70_000));
const luks = image('luks.img', partitioned([0x83, encrypted()]));
/** What can be read is no system, and the system cannot be read. */
const hiddenRoot = image('root.img', partitioned([0x83, readFileSync(names)], [0x83, encrypted()]));

const lines = (text: string, pattern: RegExp): number =>
  text.split('\n').filter((line) => pattern.test(line)).length;

interface InspectJson {
  readonly operatingSystems: readonly unknown[];
  readonly unreadable: readonly { device: string; type: string | null; code: string }[];
}

describe('what cannot be read', { concurrency: 4 }, () => {
  for (const command of ['inspect', 'info', 'filesystems', 'df', 'ls'])
    test(`${command} of an image that was cut off is 6, with one warning`, async () => {
      const { status, out, err } = await guestfs(command, cut);
      assert.equal(status, 6, err);
      assert.equal(lines(err, /^guestfs: warning: /), 1, err);
      assert.match(err, /\/dev\/sda/);
      assert.doesNotMatch(out, /no partition table|unknown/);
    });

  test('one device of a btrfs filesystem of several is incomplete, not damaged', async () => {
    const one = image('one-of-three.qcow2', readFixtureBuffer('btrfs/raid5-3.1.qcow2.gz'));
    const { status, out, err } = await guestfs('inspect', one);
    assert.equal(status, 4, err);
    assert.match(out, /^Not read {2}\/dev\/sda \(btrfs, incomplete\)$/m);
    assert.match(err, /is one of the 3 devices of a btrfs filesystem, of which only \/dev\/sda are here/);
  });

  test('of an image that was cut off, JSON has what is known and what is not', async () => {
    const [inspected, described] = await Promise.all([
      guestfs('inspect', '--json', cut),
      guestfs('info', '--json', cut),
    ]);
    const { operatingSystems, unreadable } = JSON.parse(inspected.out) as InspectJson;
    assert.deepEqual(operatingSystems, []);
    assert.deepEqual(
      unreadable.map(({ device, type, code }) => [device, type, code]),
      [['/dev/sda', null, 'EIO']],
    );
    const info = JSON.parse(described.out) as {
      chain: { format: string }[];
      unreadable: { device: string }[];
    };
    assert.equal(info.chain[0]?.format, 'qcow2');
    assert.equal(info.unreadable[0]?.device, '/dev/sda');
    assert.deepEqual([inspected.status, described.status], [6, 6]);
  });

  test('a system that is hidden in what is not supported is 5, and no other filesystem is offered for it', async () => {
    const [inspected, listed] = await Promise.all([
      guestfs('inspect', '--json', hiddenRoot),
      guestfs('cat', `${hiddenRoot}:/etc/hostname`),
    ]);
    assert.equal(inspected.status, 5, inspected.err);
    assert.deepEqual(
      (JSON.parse(inspected.out) as InspectJson).unreadable.map(({ device, type, code }) => [
        device,
        type,
        code,
      ]),
      [['/dev/sda2', 'crypto_LUKS', 'ENOTSUP']],
    );
    assert.equal(listed.status, 5, listed.err);
    assert.match(listed.err, /^guestfs: cat: .*\/dev\/sda2 \(crypto_LUKS\) cannot be read/);
    assert.match(listed.err, /\nhint: --backend direct/);
    assert.doesNotMatch(listed.err, /-m /);
  });

  test('a system beside what is not supported is shown, with what was left out', async () => {
    const [text, json] = await Promise.all([
      guestfs('inspect', '-a', luks, sample),
      guestfs('inspect', '--json', '-a', luks, sample),
    ]);
    assert.deepEqual([text.status, json.status], [0, 0], text.err);
    assert.match(text.out, /^Debian .* on \/dev\/sda2$/m);
    assert.match(text.out, /^Not read +\/dev\/sdb1 \(crypto_LUKS, not supported\)$/m);
    assert.equal(lines(text.err, /sdb/), 1, text.err);
    const found = JSON.parse(json.out) as InspectJson;
    assert.equal(found.operatingSystems.length, 1);
    assert.deepEqual(
      found.unreadable.map(({ device }) => device),
      ['/dev/sdb1'],
    );
  });

  test('a system beside what is damaged is shown, and the status is 6', async () => {
    const { status, out, err } = await guestfs('inspect', '-a', cut, sample);
    assert.equal(status, 6, err);
    assert.match(out, /^Debian .* on \/dev\/sda2$/m);
    assert.match(out, /^Not read +\/dev\/sdb \(damaged\)$/m);
  });

  test('how full what is not supported is, nobody knows, which is 5', async () => {
    const only = image('only.img', partitioned([0x83, romfs()]));
    const { status, err } = await guestfs('df', only);
    assert.equal(status, 5, err);
    assert.match(err, /\/dev\/sda1 cannot be mounted: /);
  });

  test('a disc whose partitions hold nothing is read as a whole, and that is said once it is', async () => {
    const disc = readFixtureBuffer('scenarios/disc.iso.gz');
    disc.fill(0, 446, 510);
    disc.writeUInt8(0xcd, 446 + 4);
    disc.writeUInt32LE(1, 446 + 8);
    disc.writeUInt32LE(disc.length / sector - 1, 446 + 12);
    disc.writeUInt16LE(0xaa55, 510);
    const path = image('rescue.iso', disc);
    const [listed, inspected, described] = await Promise.all([
      guestfs('ls', path),
      guestfs('inspect', path),
      guestfs('info', path),
    ]);
    assert.equal(listed.status, 0, listed.err);
    assert.notEqual(listed.out, '');
    assert.match(listed.err, /\/dev\/sda \(iso9660, the whole disk: .*\) is mounted as \//);
    assert.match(inspected.out, /^ {2}\/dev\/sda +iso9660 /m);
    assert.match(
      inspected.err,
      /\/dev\/sda: its partitions hold nothing that is known, but the whole disk is iso9660/,
    );
    assert.match(described.out, /^\/dev\/sda: .*, msdos, iso9660/m);
  });

  test('what could not be mounted is not said to be', async () => {
    const damaged = Buffer.from(readFileSync(names));
    damaged.fill(0xff, 2048, 64 * 1024);
    const { status, err } = await guestfs('ls', image('damaged.img', damaged));
    assert.equal(status, 6, err);
    assert.doesNotMatch(err, /is mounted/);
  });

  test('in JSON there is null for what there is not', async () => {
    const [info, filesystems] = await Promise.all([
      guestfs('info', '--json', hiddenRoot),
      guestfs('filesystems', '--json', hiddenRoot),
    ]);
    const { drives, chain } = JSON.parse(info.out) as {
      drives: { content: unknown; label: unknown; partitions: { label: unknown; name: unknown }[] }[];
      chain: { path: string; backingFile: unknown }[];
    };
    assert.deepEqual([drives[0]?.content, drives[0]?.label], [null, null]);
    assert.deepEqual(
      drives[0]?.partitions.map(({ label, name }) => [label, name]),
      [
        ['awkward', null],
        [null, null],
      ],
    );
    assert.deepEqual([chain[0]?.path, chain[0]?.backingFile], [hiddenRoot, null]);
    const [first] = JSON.parse(filesystems.out) as { problem: unknown }[];
    assert.equal(first?.problem, null);
    assert.doesNotMatch(info.out + filesystems.out, /: ""/);
  });

  test(
    'a list of packages that is damaged is told from one that is empty, and is 6',
    needs('mke2fs', 'debugfs'),
    async () => {
      const root = join(scratch, 'packaged');
      for (const directory of ['etc', 'bin', 'var/lib/dpkg'])
        mkdirSync(join(root, directory), { recursive: true });
      writeFileSync(join(root, 'etc/hosts'), '');
      writeFileSync(join(root, 'etc/os-release'), 'ID=debian\nVERSION_ID=12.1\nPRETTY_NAME=Debian\n');
      writeFileSync(
        join(root, 'var/lib/dpkg/status'),
        'Package: a\nStatus: install ok installed\nVersion: 1\n',
      );
      const path = image('packaged.img', Buffer.alloc(4 * 1024 * 1024));
      for (const [tool, ...args] of [
        ['mke2fs', '-q', '-F', '-t', 'ext4', '-d', root, path],
        ['debugfs', '-w', '-R', 'set_inode_field /var/lib/dpkg/status i_block[0] 0x1234', path],
      ] as const) {
        const { status, stderr } = spawnSync(tool, args, { env: toolEnvironment });
        assert.equal(status, 0, String(stderr));
      }
      const { status, out, err } = await guestfs('inspect', '--json', path);
      assert.equal(status, 6, err);
      const { operatingSystems } = JSON.parse(out) as {
        operatingSystems: { distro: string; packages: unknown; packagesProblem: string }[];
      };
      assert.deepEqual([operatingSystems[0]?.distro, operatingSystems[0]?.packages], ['debian', null]);
      assert.match(operatingSystems[0]?.packagesProblem ?? '', /extent root/);
    },
  );

  test('the root that was found is mounted, whatever the guest calls it', needs('mke2fs'), async () => {
    const root = join(scratch, 'system');
    for (const directory of ['etc', 'bin']) mkdirSync(join(root, directory), { recursive: true });
    writeFileSync(join(root, 'etc/fstab'), '/dev/mmcblk0p1 / ext4 defaults 0 1\n');
    writeFileSync(join(root, 'etc/hostname'), 'pi\n');
    const path = image('pi.img', Buffer.alloc(4 * 1024 * 1024));
    const made = spawnSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', root, path], { env: toolEnvironment });
    assert.equal(made.status, 0, String(made.stderr));
    const { status, out, err } = await guestfs('cat', `${path}:/etc/hostname`);
    assert.deepEqual([status, out], [0, 'pi\n'], err);
  });
});

/** The beginning of a romfs. */
function romfs(): Buffer {
  const bytes = Buffer.alloc(1024 * 1024);
  bytes.write('-rom1fs-', 0);
  return bytes;
}
