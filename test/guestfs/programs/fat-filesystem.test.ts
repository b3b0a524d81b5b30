/** Images with FAT, and EFI system partitions, made of directories and archives. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Guestfs, type MakeFilesystemOptions, makeFilesystem } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { type ArchiveMember, archive } from '../../support/tar-archive.js';
import { checkExt, checkFat, checkTable, needs } from '../../support/tools.js';

const directory = scratchDirectory();
const place = (name: string): string => join(directory, name);
const mebibyte = 1024 * 1024;

let made = 0;
/** The path of an archive with these members. */
function tar(...members: readonly ArchiveMember[]): string {
  const path = place(`source-${made++}.tar`);
  writeFileSync(path, archive(...members));
  return path;
}

/** Makes an image, and gives its path, what was answered, and the warnings. */
async function make(source: string, options: MakeFilesystemOptions = {}) {
  const image = place(`image-${made++}.img`);
  const said: string[] = [];
  const answer = await makeFilesystem(source, image, {
    environment: false,
    stderr: { write: (text) => said.push(text) },
    type: 'vfat',
    ...options,
  });
  return { image, answer, said: said.join('') };
}

async function withImage<T>(image: string, work: (g: Guestfs) => Promise<T>, device = '/dev/sda') {
  await using g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
  g.addDriveRo(image);
  await g.launch();
  await g.mountRo(device, '/');
  return await work(g);
}

/** Names of every kind, and more in a directory than a cluster of any size holds. */
const members: readonly ArchiveMember[] = [
  { name: 'EFI/BOOT/', type: 'directory', modifiedSeconds: 1_500_000_001 },
  { name: 'EFI/BOOT/BOOTX64.EFI', text: 'boot'.repeat(5000), modifiedSeconds: 1_500_000_002 },
  { name: 'a name in lower case.txt', text: 'long' },
  { name: 'Zwölf Boxkämpfer', text: '' },
  { name: 'one cluster', text: 'x'.repeat(512) },
  ...Array.from({ length: 700 }, (_, number) => ({
    name: `many/a name that is not short ${number}`,
    text: `${number}`.repeat(number),
  })),
];

describe('FAT', () => {
  test(
    'of each width has the tree that was given, with no cluster more than it takes',
    needs('fsck.fat'),
    async () => {
      for (const [bits, freeInBytes] of [
        [12, 0],
        [16, 30 * mebibyte],
        [32, 600 * mebibyte],
      ] as const) {
        const { image, said, answer } = await make(tar(...members), { freeInBytes, label: 'STICK' });
        assert.equal(said, '');
        checkFat(image);
        assert.equal(
          readFileSync(image).toString('latin1', bits === 32 ? 82 : 54, bits === 32 ? 87 : 59),
          `FAT${bits}`,
        );
        await withImage(image, async (g) => {
          assert.equal(await g.cat('/many/a name that is not short 699'), '699'.repeat(699));
          assert.equal((await g.ls('/many')).length, 700);
          assert.equal(await g.cat('/a name in lower case.txt'), 'long');
          assert.equal(await g.filesize('/Zwölf Boxkämpfer'), 0);
          assert.equal((await g.statns('/EFI/BOOT/BOOTX64.EFI')).stMtimeSec, 1_500_000_002);
          assert.equal((await g.statns('/EFI/BOOT')).stMtimeSec, 1_500_000_000);
          const { bfree, bsize } = await g.statvfs('/');
          const left = bfree * bsize - freeInBytes;
          // A track, and what of a table's last sector nothing uses.
          assert.ok(
            left >= 0 && left <= 64 * 512 + bsize,
            `FAT${bits}: ${left} bytes are free beside ${freeInBytes}`,
          );
          assert.equal(await g.vfsUuid('/dev/sda'), answer.uuid);
          assert.equal(await g.vfsLabel('/dev/sda'), 'STICK');
        });
      }
    },
  );

  test('has files for names of one file, and tells what it leaves out', needs('fsck.fat'), async () => {
    const { image, said, answer } = await make(
      tar(
        { name: 'first', text: 'twice', uid: 1000, mode: 0o4711, records: { 'SCHILY.xattr.user.x': 'y' } },
        { name: 'second', type: 'hardlink', linkName: 'first' },
        { name: 'link', type: 'symlink', linkName: 'first' },
        { name: 'dev/null', type: 'character', deviceMajor: 1, deviceMinor: 3 },
      ),
    );
    checkFat(image);
    assert.match(said, /\/link: left out: FAT has no symlink files/);
    assert.match(said, /\/dev\/null: left out: FAT has no character files/);
    assert.equal(answer.entries, 3);
    await withImage(image, async (g) => {
      assert.deepEqual(await g.find('/'), ['dev', 'first', 'second']);
      assert.equal(await g.cat('/second'), 'twice');
    });
  });

  test('refuses what it cannot store, and leaves no image', async () => {
    const one = (name: string) => make(tar({ name, text: '' }));
    await assert.rejects(one('a:b'), { code: 'EINVAL', message: /\/a:b: .*FAT allows none of/ });
    await assert.rejects(make(tar({ name: 'a' }, { name: 'A' })), { code: 'EEXIST', message: /\/a/ });
    await assert.rejects(make(tar({ name: 'a' }), { label: 'longer than that' }), { code: 'EINVAL' });
    const large = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '4294967296' };
    await assert.rejects(make(tar({ name: 'd/large', text: '0\n'.padEnd(512, '\0'), records: large })), {
      code: 'EFBIG',
      message: /\/d\/large/,
    });
  });

  test('a root directory has room for all names that are in it', needs('fsck.fat'), async () => {
    const { image } = await make(
      tar(...Array.from({ length: 600 }, (_, i) => ({ name: `N${i}`, text: 'x' }))),
    );
    checkFat(image);
    assert.equal(readFileSync(image).readUInt16LE(17), 608);
    assert.equal((await withImage(image, (g) => g.ls('/'))).length, 600);
    const many = Array.from({ length: 4000 }, (_, i) => ({ name: `${i} `.padEnd(230, 'n') }));
    await assert.rejects(make(tar(...many)), { code: 'EFBIG', message: /root directory/ });
  });
});

describe('an EFI system partition', () => {
  test(
    'is the first one of its table, and the filesystem the second',
    needs('fsck.fat', 'e2fsck', 'sgdisk'),
    async () => {
      const efi = tar(...members.slice(0, 2));
      const root = tar({ name: 'etc/hostname', text: 'made\n' });
      const parts = (image: string, start: number, length: number): string => {
        const part = place(`part-${made++}`);
        writeFileSync(part, readFileSync(image).subarray(start, start + length));
        return part;
      };
      for (const partition of ['gpt', 'mbr'] as const) {
        const { image, answer } = await make(root, { type: 'ext4', partition, efi });
        const again = await make(root, { type: 'ext4', partition, efi });
        assert.deepEqual(again.answer, answer);
        assert.ok(readFileSync(image).equals(readFileSync(again.image)));
        const other = await make(root, { type: 'ext4', partition, efi: tar({ name: 'other' }) });
        assert.notEqual(other.answer.digest, answer.digest);
        if (partition === 'gpt') checkTable(image);
        await withImage(
          image,
          async (g) => {
            const [first, second] = await g.partList('/dev/sda');
            assert.ok(first && second);
            assert.deepEqual(
              [first.partStart, first.partSize, second.partStart],
              [mebibyte, 64 * mebibyte, 65 * mebibyte],
            );
            checkFat(parts(image, first.partStart, first.partSize));
            checkExt(parts(image, second.partStart, second.partSize));
            assert.equal(await g.cat('/etc/hostname'), 'made\n');
            assert.deepEqual(
              [await g.vfsUuid('/dev/sda1'), await g.vfsUuid('/dev/sda2')],
              [answer.efiUuid, answer.uuid],
            );
            if (partition === 'mbr') assert.equal(await g.partGetMbrId('/dev/sda', 1), 0xef);
            else assert.equal(await g.partGetGptType('/dev/sda', 1), 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B');
            await g.mountRo('/dev/sda1', '/');
            assert.equal(await g.filesize('/EFI/BOOT/BOOTX64.EFI'), 20_000);
          },
          '/dev/sda2',
        );
      }
      await assert.rejects(make(root, { efi }), TypeError);
    },
  );
});
