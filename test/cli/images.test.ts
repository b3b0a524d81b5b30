/** The commands about image files: made, resized, checked. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readFixtureBuffer } from '../support/fixtures.js';
import { archive } from '../support/tar-archive.js';
import { checkTable, needs } from '../support/tools.js';
import { fails, guestfs, scratch } from './command.js';

const place = (name: string): string => join(scratch, name);
const json = async <T>(...words: string[]): Promise<T> => {
  const { status, out, err } = await guestfs(...words, '--json');
  assert.equal(status, 0, err);
  return JSON.parse(out) as T;
};

describe('images', { concurrency: 2 }, () => {
  test('create makes one of the format that its name says', async () => {
    const [qcow2, raw] = [place('new.qcow2'), place('new.img')];
    const { out, err } = await guestfs('create', qcow2, '3G');
    assert.deepEqual([out, err], [`${qcow2}: qcow2, 3.0G\n`, '']);
    assert.equal((await guestfs('create', raw, '10M')).out, `${raw}: raw, 10M\n`);
    assert.equal(statSync(raw).size, 10 * 1024 * 1024);
    assert.deepEqual(
      await json('create', '--force', '--cluster-size', '512', '--compat', '0.10', qcow2, '1M'),
      {
        image: qcow2,
        format: 'qcow2',
        sizeInBytes: 1024 * 1024,
      },
    );
    const over = place('over.qcow2');
    await json('create', '--backing', 'new.qcow2', '--backing-format', 'qcow2', over);
    const { chain } = await json<{ chain: { format: string; virtualSizeInBytes: number }[] }>('info', over);
    assert.deepEqual(
      chain.map(({ virtualSizeInBytes }) => virtualSizeInBytes),
      [1024 * 1024, 1024 * 1024],
    );
  });

  test('create replaces nothing unless told to, and says what is wrong', async () => {
    const kept = place('kept.img');
    writeFileSync(kept, 'bytes');
    await fails(2, ['create', kept, '1M'], /kept\.img is there already/, /--force/);
    assert.equal(readFileSync(kept, 'utf8'), 'bytes');
    await fails(2, ['create', place('none.img')], /size of the disk is missing/, /20G/);
    await fails(2, ['create', place('none.img'), 'much'], /'much' is no number of bytes/, /4K/);
    await fails(2, ['create', place('none.img'), '1M', 'more'], /what is more/);
    await fails(3, ['create', '--cluster-size', '1000', place('none.qcow2'), '1M'], /power of two/);
    assert.ok(!existsSync(place('none.qcow2')));
  });

  test('make-fs makes an image of what there is, and the same one again', async () => {
    const [tree, image, again] = [place('tree'), place('tree.img'), place('again.img')];
    mkdirSync(join(tree, 'etc'), { recursive: true });
    writeFileSync(join(tree, 'etc/hostname'), 'made\n');
    const { out, err } = await guestfs('make-fs', tree, '-o', image, '--label', 'root');
    assert.match(out, /tree\.img: raw, ext4, \d+K\n$/);
    assert.equal(err, '');
    assert.equal((await guestfs('cat', `${image}:/etc/hostname`)).out, 'made\n');
    await fails(2, ['make-fs', tree, '-o', image], /tree\.img is there already/, /--force/);
    const made = await json<{ type: string; entries: number; digest: string }>(
      ...['make-fs', '--label', 'root', '-o', again, tree],
    );
    assert.deepEqual(readFileSync(again), readFileSync(image));
    assert.deepEqual([made.type, made.entries, made.digest.length], ['ext4', 2, 64]);
    const disk = place('made.qcow2');
    await json('make-fs', '--partition', 'gpt', '--free', '20M', '--type', 'ext3', '-o', disk, tree);
    assert.equal((await guestfs('cat', `${disk}:/etc/hostname`)).out, 'made\n');
  });

  test('make-fs says what is missing, and what is no source', async () => {
    const [text, image] = [place('words.txt'), place('unmade.img')];
    writeFileSync(text, 'words\n'.repeat(200));
    await fails(2, ['make-fs', text], /name of the new image is missing/, /-o IMAGE/);
    await fails(2, ['make-fs', '-o', image], /a directory or an archive is missing/);
    await fails(3, ['make-fs', text, '-o', image], /words\.txt: is no directory and no tar archive/);
    assert.ok(!existsSync(image));
  });

  test('of an appliance all disks are drives', async () => {
    const path = place('two.ova');
    const tree = readFixtureBuffer('ext/ext2-1k.img.gz');
    const members = ['empty.raw', 'tree.raw'].map((name) => ({
      name,
      type: 'file' as const,
      text: name === 'tree.raw' ? tree : new Uint8Array(4096),
    }));
    writeFileSync(path, archive(...members));
    assert.match((await guestfs('filesystems', path)).out, /\/dev\/sdb +ext2/);
    const { out, err } = await guestfs('call', path, 'list-devices');
    assert.deepEqual([out, err], ['/dev/sda\n/dev/sdb\n', '']);
  });

  test('resize grows, and shrinks where that is allowed', async () => {
    const image = place('size.qcow2');
    await json('create', image, '1G');
    await fails(2, ['resize', image, '2G'], /this changes the image/, /--rw/);
    assert.deepEqual(await json('resize', '--rw', image, '+512M'), {
      image,
      sizeBefore: 2 ** 30,
      sizeInBytes: 1.5 * 2 ** 30,
    });
    await fails(3, ['resize', '--rw', image, '--', '-512M'], /would be lost/);
    const { out } = await guestfs('resize', '--rw', '--shrink', image, '512M');
    assert.equal(out, `${image}: 1.5G before, 512M now\n`);
    assert.match((await guestfs('check', image)).out, /qcow2, no errors; 0 of 8192 clusters in use/);
    await fails(2, ['resize', '--rw', image, 'x'], /'x' is no size/, /\+1G/);
  });

  test('check tells leaks from damage by its exit status, and repairs what it may', async () => {
    const image = place('checked.qcow2');
    await json('create', '--preallocation', 'metadata', image, '1M');
    // With room for what is lost.
    const whole = Buffer.concat([readFileSync(image), Buffer.alloc(4 * 65_536)]);
    const lost = whole.length / 65_536 - 2;
    const block = Number(whole.readBigUInt64BE(Number(whole.readBigUInt64BE(48))));
    const damaged = (index: number, count: number): void => {
      const bytes = Buffer.from(whole);
      bytes.writeUInt16BE(count, block + 2 * index);
      writeFileSync(image, bytes);
    };
    assert.equal((await guestfs('check', image)).status, 0);
    damaged(lost, 1);
    const leaking = await guestfs('check', image);
    assert.equal(leaking.status, 1);
    assert.match(
      leaking.out,
      /^leak: the cluster at \d+ is used 0 times, and its count is 1\n.*: qcow2, 1 leaked cluster; /,
    );
    await fails(2, ['check', '--repair', 'leaks', image], /--repair changes the image/, /--rw/);
    assert.match((await guestfs('check', '--rw', '--repair', 'leaks', image)).out, /no errors/);
    damaged(6, 0);
    const { status, out } = await guestfs('check', '--json', image);
    assert.equal(status, 6);
    assert.ok((JSON.parse(out) as { corruptions: number }).corruptions >= 1);
    assert.equal((await guestfs('check', '--rw', '--repair', 'all', image)).status, 0);
    assert.equal((await guestfs('check', image)).status, 0);
    await fails(5, ['check', place('new.img')], /raw image: .*checking the tables/);
  });

  test('partition makes a table, and adds, resizes, describes and deletes partitions', async () => {
    const image = place('parts.qcow2');
    await json('create', image, '1G');
    const partition = (...words: string[]) => guestfs('partition', '--rw', image, ...words);
    await fails(2, ['partition', image, 'init', 'gpt'], /this changes the image/, /--rw/);
    await fails(1, ['partition', '--rw', image, 'add'], /no partition table/, /init gpt/);
    assert.equal((await partition('init', 'gpt')).out, `${image}: made an empty gpt table\n`);
    await fails(1, ['partition', '--rw', image, 'init', 'mbr'], /a table \(gpt\) already/, /--force/);
    assert.equal(
      (await partition('add', '100M', '--type', 'efi', '--name', 'ESP')).out,
      `${image}: added partition 1, 100M\n`,
    );
    assert.equal((await partition('add', '200M')).out, `${image}: added partition 2, 200M\n`);
    await fails(1, ['partition', '--rw', image, 'add', '2G'], /no room: the largest gap has 722M/);
    await partition('set', '2', '--type', 'lvm');
    assert.equal((await partition('resize', '2')).out, `${image}: partition 2: 200M before, 922M now\n`);
    await fails(2, ['partition', '--rw', image, 'resize', '2', '100M'], /would be smaller/, /--shrink/);
    await fails(4, ['partition', '--rw', image, 'delete', '3'], /no partition 3/, /there are 1, 2/);
    const { partitions } = await json<{
      partitions: {
        number: number;
        purpose: string;
        name: string | null;
        startInBytes: number;
        sizeInBytes: number;
      }[];
    }>(...['partition', '--rw', image, 'resize', '2', '300M', '--shrink']);
    const mebibyte = 1024 * 1024;
    assert.deepEqual(
      partitions.map(({ purpose, name, startInBytes, sizeInBytes }) => [
        purpose,
        name,
        startInBytes / mebibyte,
        sizeInBytes / mebibyte,
      ]),
      [
        ['EFI System', 'ESP', 1, 100],
        ['Linux LVM', 'primary', 101, 300],
      ],
    );
    await partition('delete', '1');
    assert.equal((await partition('add', '--type', 'swap')).out, `${image}: added partition 1, 622M\n`);
    assert.equal((await partition('init', 'mbr', '--force')).status, 0);
    await partition('add', '10M', '--type', '0x0c');
    const raw = place('parts.raw');
    assert.equal((await guestfs('info', '--json', image)).out.includes('"0x0c"'), true);
    await json('create', raw, '64M');
    await guestfs('partition', '--rw', raw, 'init', 'gpt');
    await guestfs('partition', '--rw', raw, 'add');
    if (needs('sgdisk').skip === undefined) checkTable(raw);
    await fails(2, ['partition', '--rw', image, 'move', '1'], /'move' is nothing to do/, /init, add/);
  });
});
