/**
 * The same content gives the same bytes, on every Node and every machine: the digests here were made once. A change of
 * them is a change of what people have made before, and raises `layoutVersion`.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { type MakeFilesystemOptions, makeFilesystem } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { type ArchiveMember, archive } from '../../support/tar-archive.js';

const directory = scratchDirectory();
const [source, packed, efi] = ['source.tar', 'source.tar.gz', 'efi.tar'].map((name) =>
  join(directory, name),
) as [string, string, string];

const members: readonly ArchiveMember[] = [
  { name: './', type: 'directory', mode: 0o755, modifiedSeconds: 1_600_000_000 },
  { name: 'etc/passwd', text: 'ada:x:1000:1000::/home/ada:/bin/sh\n' },
  ...Array.from({ length: 400 }, (_, number) => ({
    name: `many/name ${number}`,
    text: `${number}\n`.repeat(number * 3),
    modifiedSeconds: 1_500_000_000 + number,
  })),
  { name: 'large', text: 'seven b'.repeat(300_000), uid: 70_000, gid: 80_000 },
  {
    name: 'bin/program',
    text: 'program',
    mode: 0o4755,
    records: {
      'SCHILY.xattr.security.capability': Buffer.from('0100000200200000000000000000000000000000', 'hex'),
      'SCHILY.xattr.user.large': 'v'.repeat(2000),
      mtime: '1700000000.123456789',
    },
  },
  { name: 'hard', type: 'hardlink', linkName: 'bin/program' },
  {
    name: 'shared',
    type: 'directory',
    mode: 0o2775,
    records: { 'SCHILY.acl.default': 'u::rwx,u:ada:rwx,g::r-x,m::rwx,o::---' },
  },
  { name: 'dev/null', type: 'character', mode: 0o666, deviceMajor: 1, deviceMinor: 3 },
  { name: 'dev/large', type: 'block', mode: 0o600, deviceMajor: 259, deviceMinor: 70_000 },
  { name: 'soft', type: 'symlink', linkName: 'bin/program' },
  { name: 'far', type: 'symlink', linkName: 'x'.repeat(90) },
];

before(() => {
  const bytes = archive(...members);
  writeFileSync(source, bytes);
  writeFileSync(packed, gzipSync(bytes));
  writeFileSync(efi, archive({ name: 'EFI/BOOT/BOOTX64.EFI', text: 'boot'.repeat(1000) }));
});

const made: readonly (readonly [name: string, options: MakeFilesystemOptions, sha256: string])[] = [
  ['ext2', { type: 'ext2' }, 'b99ce368108bdc1edf74968fc752a982caf48996d0afdfd3837d32222f2eaa69'],
  [
    'ext3 with room',
    { type: 'ext3', freeInBytes: 50 << 20, label: 'room' },
    'db97af63e2de0e28d22d1c3f0ee760d5fcccd0a76ea4760a8525c068c6808c44',
  ],
  ['ext4', {}, '035d7cbd933f8e8e2731dcd3f1855ac9f26f3187e7a4f165c49a08ce158f41ef'],
  [
    'ext4 in a GPT behind an EFI system partition, in qcow2',
    { partition: 'gpt', efi: 'efi', format: 'qcow2' },
    '01ab00c239da4f76da3338f3bd2bd3660c3fc22cfeb207b683def05d90248845',
  ],
  [
    'FAT in an MBR',
    { type: 'vfat', partition: 'mbr', label: 'FAT' },
    'c27c559d9099094192e48140a1706c2ba8ddbd956ed826dd1044c0dec880c77f',
  ],
];

for (const [name, options, sha256] of made)
  test(`${name}: the bytes are those of all releases`, async () => {
    const image = join(directory, 'image');
    for (const from of [source, packed]) {
      const given = options.efi === undefined ? options : { ...options, efi };
      const { layoutVersion } = await makeFilesystem(from, image, {
        environment: false,
        stderr: null,
        ...given,
      });
      assert.equal(layoutVersion, 1);
      assert.equal(createHash('sha256').update(readFileSync(image)).digest('hex'), sha256);
    }
  });
