/** How the command fails: a status for each kind, a message that names the thing, a hint where something can be done. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readFixtureBuffer } from '../support/fixtures.js';
import { fails, guestfs, names, sample, scratch } from './command.js';

/** An image of so many bytes of something. */
function image(name: string, bytes: Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, bytes);
  return path;
}

/** The first bytes of a LUKS image, which is a format that is only recognised. */
const luksMark = Buffer.from('LUKS\xba\xbe\0\x01', 'latin1');

describe('failures', { concurrency: 4 }, () => {
  test('a missing file inside is 4, with its name as it was given', () =>
    fails(
      4,
      ['cat', `${sample}:/etc/nope`],
      /^guestfs: cat: \/etc\/nope: no such file or directory$/,
      /guestfs ls .*:\/etc'/,
    ));

  test('a name that is nearly right is suggested', () =>
    fails(4, ['cat', `${sample}:/etc/hostnam`], /no such file/, /did you mean \/etc\/hostname\?$/));

  test('a missing directory on the way is named', () =>
    fails(
      4,
      ['ls', '-q', `${names}:/qqqqqq/x/y`],
      /^guestfs: ls: \/qqqqqq\/x\/y: no such/,
      /there is no \/qqqqqq$/,
    ));

  test('a link that leads nowhere is told from a missing file', () =>
    fails(4, ['cat', '-q', `${names}:/plain/dangling`], /no such file/, /leads nowhere/));

  test('a missing device is 4, with those that are there', () =>
    fails(
      4,
      ['ls', '-m', '/dev/sda9', sample],
      /\/dev\/sda9/,
      /there are \/dev\/sda1 \(vfat\), \/dev\/sda2 \(ext4\)$/,
    ));

  test('a missing image is 3', () =>
    fails(
      3,
      ['ls', join(scratch, 'nothing.img')],
      /^guestfs: ls: .*nothing\.img: no such file or directory$/,
    ));

  test('a missing image is 3 also where its header is read first', () =>
    fails(3, ['info', join(scratch, 'nothing.img')], /nothing\.img: no such file/));

  test('a directory is no image, which is 3', () =>
    fails(3, ['ls', scratch], /guestfs: ls: .*/, /not a directory/));

  test('a format that is only recognised is 5', () =>
    fails(
      5,
      ['ls', image('disk.luks', Buffer.concat([luksMark, Buffer.alloc(1016)]))],
      /^guestfs: ls: \S+\/disk\.luks: luks image: not supported/,
      /guestfs doctor/,
    ));

  test('of a format that is only recognised, info tells what its header says', async () => {
    const header = Buffer.alloc(1024 * 1024 + 4096 * 512);
    luksMark.copy(header);
    header.writeUInt32BE(4096, 104); // sectors before the contents
    const path = image('known.luks', header);
    const [text, json] = await Promise.all([guestfs('info', path), guestfs('info', '--json', path)]);
    assert.match(text.out, /^ {2}Format +luks\n {2}Virtual size +1\.0M \(1048576 bytes\)$/m);
    assert.match(text.err, /known\.luks: luks image: not supported/);
    assert.equal(text.status, 5);
    const { chain } = JSON.parse(json.out) as { chain: { format: string; virtualSizeInBytes: number }[] };
    assert.deepEqual([chain[0]?.format, chain[0]?.virtualSizeInBytes], ['luks', 1048576]);
    assert.equal(json.status, 5);
  });

  test('an action that the backend does not have is 5, by its name', () =>
    fails(
      5,
      ['call', '-i', sample, 'ntfsfix', '/dev/sda1'],
      /^guestfs: call: ntfsfix: .*not supported/,
      /give --backend direct/,
    ));

  test('copying into an image without --rw is 2', () =>
    fails(2, ['cp', 'README.md', `${sample}:/root/`], /this changes the image$/, /add --rw/));

  test('a backend that this version does not have is 5', () =>
    fails(5, ['ls', sample], /libvirt backend is not part of this version/, /doctor/, {
      LIBGUESTFS_BACKEND: 'libvirt',
    }));

  test('a backing file elsewhere is refused, which is 3, and what the image says is still told', async () => {
    const directory = join(scratch, 'backed');
    mkdirSync(directory);
    const fixture = (name: string): Buffer => readFixtureBuffer(`qcow2/${name}.gz`);
    const overlay = image('backed/over.qcow2', fixture('over-raw.qcow2'));
    image('base.raw', fixture('base.raw'));
    symlinkSync('../base.raw', join(directory, 'base.raw'));
    const [refused, trusted] = await Promise.all([
      guestfs('info', overlay),
      guestfs('info', '--json', '--trust', overlay),
    ]);
    assert.equal(refused.status, 3, refused.err);
    assert.match(refused.out, /^ {2}Backing file +base\.raw \(raw\)$/m);
    assert.match(refused.err, /^guestfs: info: .*refused.*\nhint: .*--trust\n$/);
    assert.equal(trusted.status, 0, trusted.err);
    const { chain } = JSON.parse(trusted.out) as { chain: { format: string }[] };
    assert.deepEqual(
      chain.map(({ format }) => format),
      ['qcow2', 'raw'],
    );
  });

  test('a damaged image is 6', () => {
    const bytes = readFileSync(sample).subarray(0, 4096);
    const damaged = Buffer.from(bytes);
    damaged.writeUInt32BE(60, 20); // cluster_bits, of which the format allows 9 to 21
    return fails(6, ['info', image('damaged.qcow2', damaged)], /^guestfs: info: qcow2/, /qemu-img check/);
  });

  test('a file of several kinds of wrong words is 2', async () => {
    await Promise.all([
      fails(2, [], /a command is missing/, /--help/),
      fails(2, ['cta', sample], /there is no command 'cta'/, /did you mean 'cat'\?/),
      fails(2, ['part-list'], /'part-list' is an action/, /guestfs call IMAGE part-list/),
      fails(2, ['zzzzzzzzzzzz'], /no command 'zzzzzzzzzzzz', nor a file/, /--help/),
      fails(2, ['--json', 'inspect'], /no option --json in front/, /after the command/),
      fails(2, ['ls', '-a', sample], /an image is missing: -a adds/, /always listed/),
      fails(2, ['ls', '--jsn', sample], /no option --jsn/, /did you mean --json\?/),
      fails(2, ['cat', sample], /a path inside the image is missing/, /guestfs cat .*:\/path/),
      fails(
        2,
        ['cat', `${sample}:etc/passwd`],
        /must begin with a slash/,
        /write .*debian\.qcow2:\/etc\/passwd$/,
      ),
      fails(2, [`${sample}:/etc`], /what shall be done/, /guestfs ls/),
      fails(2, ['find', '--json', '-l', sample], /--json and --long exclude/),
      fails(2, ['find', sample, '--type', 'x'], /'x' is no type/, /f, d, l/),
      fails(2, ['call', sample, 'part-lst'], /no action 'part-lst'/, /did you mean 'part-list'\?/),
      fails(2, ['call', sample, 'part-list'], /part-list: needs 1 argument/),
      fails(2, ['ls', '-m', 'sda2', '-i', sample], /exclude each other/, /-m/),
      fails(2, ['ls', '--backend', 'nope', sample], /no backend 'nope'/, /embedded/),
      fails(2, ['help', 'parttlist'], /neither a command nor an action/, /did you mean 'part-list'/),
    ]);
  });

  test('a directory is not read as a file, nor copied without -r', async () => {
    await Promise.all([
      fails(1, ['cat', `${sample}:/etc`], /^guestfs: cat: \/etc: is a directory$/, /guestfs ls/),
      fails(1, ['cp', `${sample}:/etc`, scratch], /^guestfs: cp: \/etc: is a directory$/, /-r/),
    ]);
  });

  test('a device file is not copied, which is 5', () =>
    fails(
      5,
      ['cp', '-q', `${names}:/plain/null`, scratch],
      /\/plain\/null: a character file is not copied/,
      /tar-out/,
    ));

  test('a destination that cannot be is told before anything is copied', async () => {
    await Promise.all([
      fails(
        1,
        ['cp', `${sample}:/etc/fstab`, join(scratch, 'no/where')],
        /there is no directory/,
        /mkdir -p/,
      ),
      fails(
        1,
        ['cp', `${sample}:/etc/fstab`, '/etc/passwd', join(scratch, 'none')],
        /is no directory on this machine/,
        /mkdir/,
      ),
    ]);
    assert.ok(!readdirSync(scratch).includes('none'));
  });

  test('call without a mount says how to get one', () =>
    fails(1, ['call', sample, 'ls', '/'], /^guestfs: call: ls: .*mount/, /give -i or -m/));

  test('of several filesystems without a system one must be chosen', async () => {
    const second = join(scratch, 'second.img');
    copyFileSync(names, second);
    await fails(
      4,
      ['ls', '-a', second, names],
      /several filesystems: \/dev\/sda \(ext4\), \/dev\/sdb \(ext4\)$/,
      /-m \/dev\/sda$/,
    );
  });

  test('of several systems one must be chosen, and then is', async () => {
    await fails(
      2,
      ['cat', '-a', sample, `${sample}:/etc/hostname`],
      /several operating systems: \/dev\/sda2 \(.*\), \/dev\/sdb2 /,
      /--root \/dev\/sda2$/,
    );
    const chosen = await guestfs('cat', '-a', sample, '--root', 'sdb2', `${sample}:/etc/hostname`);
    assert.equal(chosen.status, 0, chosen.err);
    await fails(
      2,
      ['cat', '-a', sample, '--root', '/dev/sda1', `${sample}:/etc/hostname`],
      /no operating system on it/,
      /\/dev\/sdb2/,
    );
  });

  test('an image without any filesystem says so', () =>
    fails(
      4,
      ['ls', '-q', image('empty.img', Buffer.alloc(1 << 20))],
      /no filesystem was found$/,
      /guestfs info/,
    ));

  test('one filesystem without a system is mounted, which is told unless -q is given', async () => {
    const [told, quiet] = await Promise.all([guestfs('ls', names), guestfs('ls', '-q', names)]);
    assert.equal(told.err, 'guestfs: no operating system was found: /dev/sda (ext4) is mounted as /\n');
    assert.equal(quiet.err, '');
    assert.equal(quiet.out, told.out);
  });

  test('a message holds no control characters, whatever was typed or is on the disk', async () => {
    const { status, err } = await guestfs('cat', '-q', `${names}:/odd/\x1b[31m\nx`);
    assert.equal(status, 4);
    assert.match(err, /^guestfs: cat: \/odd\/\\x1b\[31m\\nx: no such file/);
  });
});
