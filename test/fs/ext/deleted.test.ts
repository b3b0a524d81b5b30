/** Names that were deleted: what is believed of the bytes that they leave, and what is not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryDisk, SliceDisk } from '../../../src/disk/index.js';
import { type ExtDetails, extDetails } from '../../../src/fs/ext/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { tolerate } from '../../support/damage.js';
import { readFixture as unpack } from '../../support/fixtures.js';
import { Random } from '../../support/random.js';
import { fixtureNames, openExt, openFixture, readFixture } from './fixture.js';

const mebibyte = 1024 * 1024;
/** An ext2 and an ext4 from which files were deleted, in two partitions. */
const drive = unpack('scenarios/deleted.img.gz');

function partition(number: number, bytes = drive): FileSystem {
  return openExt(new SliceDisk(new MemoryDisk(bytes), number * mebibyte, mebibyte));
}

function detailsOf(fileSystem: FileSystem): ExtDetails {
  const details = extDetails(fileSystem);
  assert.ok(details);
  return details;
}

const at = (fileSystem: FileSystem, name: string): number => {
  const inode = fileSystem.lookup(fileSystem.root, name);
  assert.ok(inode);
  return inode;
};

describe('deleted names', () => {
  for (const number of [1, 2]) {
    test(`are told where they lie, in partition ${number}`, () => {
      const fileSystem = partition(number);
      const names = [...detailsOf(fileSystem).names(at(fileSystem, 'docs'))];
      assert.deepEqual(
        names.map(({ name, inode, deleted }) => [name, inode, deleted]),
        [
          ['new', 13, false],
          ['again', 14, true],
          ['deep', 15, false],
          ['first', 14, false],
          ['last', 17, false],
          ['link', 18, true],
          ['second', 19, true],
        ],
      );
    });
  }

  test('of a deleted directory are all its names', () => {
    const details = detailsOf(partition(1));
    const old = [...details.names(2)].find(({ name }) => name === 'old');
    assert.deepEqual(old, { name: 'old', inode: 20, type: 'directory', deleted: true });
    assert.deepEqual(
      [...details.names(20)].map(({ name, deleted }) => [name, deleted]),
      [['inside', true]],
    );
    assert.equal(details.isInodeInUse(20), false);
    assert.equal(details.isInodeInUse(14), true);
  });

  test('with the bytes of a name changed are not believed', () => {
    const changes: readonly [what: string, change: (image: Buffer, offset: number) => void][] = [
      ['a slash in the name', (image, offset) => image.writeUInt8(0x2f, offset + 9)],
      ['a NUL in the name', (image, offset) => image.writeUInt8(0, offset + 9)],
      ['no name', (image, offset) => image.writeUInt8(0, offset + 6)],
      ['an inode that there is not', (image, offset) => image.writeUInt32LE(65, offset)],
      ['a length shorter than its name', (image, offset) => image.writeUInt16LE(12, offset + 4)],
      ['an odd length', (image, offset) => image.writeUInt16LE(18, offset + 4)],
      ['a length past the block', (image, offset) => image.writeUInt16LE(1024, offset + 4)],
      ['an unknown type', (image, offset) => image.writeUInt8(9, offset + 7)],
    ];
    for (const [what, change] of changes) {
      const image = Buffer.from(drive);
      const offset = image.indexOf(Buffer.from('second'), mebibyte) - 8;
      assert.equal(image.readUInt32LE(offset), 19);
      change(image, offset);
      const fileSystem = partition(1, new Uint8Array(image));
      const names = [...detailsOf(fileSystem).names(at(fileSystem, 'docs'))].map(({ name }) => name);
      assert.ok(!names.includes('second'), what);
      assert.ok(names.includes('link'), what);
    }
  });

  test('are none of . and .. and of those that are in use at the same place', () => {
    for (const name of fixtureNames.filter((each) => !each.startsWith('fast-commit'))) {
      const fileSystem = openFixture(name);
      const details = detailsOf(fileSystem);
      const inUse = [...fileSystem.entries(fileSystem.root)].map((entry) => entry.name);
      const names = [...details.names(fileSystem.root)];
      assert.deepEqual(
        names.filter(({ deleted }) => !deleted).map((entry) => entry.name),
        inUse,
        name,
      );
      assert.ok(names.every((entry) => entry.name !== '.' && entry.name !== '..'));
    }
  });

  test('that a fast commit made and removed are told as the replay leaves them', () => {
    const fileSystem = openFixture('fast-commit-directory');
    const details = detailsOf(fileSystem);
    const old = [...details.names(at(fileSystem, 'old'))];
    const inUse = [...fileSystem.entries(at(fileSystem, 'old'))].map(({ name }) => name);
    assert.deepEqual(
      old.filter(({ deleted }) => !deleted).map(({ name }) => name),
      inUse,
    );
    assert.deepEqual(
      old.filter(({ deleted }) => deleted).map(({ name }) => name),
      ['file'],
    );
  });

  test('bytes of deleted files are those that were', () => {
    for (const number of [1, 2]) {
      const details = detailsOf(partition(number));
      const disk = details.bytes(21);
      const bytes = new Uint8Array(disk.size);
      disk.read(bytes, 0);
      assert.equal(Buffer.from(bytes).toString(), 'old\n');
      assert.equal(details.readlink(18), 'first');
    }
  });
});

test('damage leads the walk over deleted names, and the estimate of the least size, nowhere', () => {
  const random = new Random(7);
  for (const name of ['ext4-hash-tea-unsigned', 'ext2-1k', 'ext4-no-extents']) {
    const original = readFixture(name);
    for (let round = 0; round < 150; round++) {
      const bytes = original.slice();
      for (let i = 0; i < 1 + (round % 8); i++) {
        // Half of the damage goes to the superblock and the descriptors of groups.
        const place =
          i % 2 === 0 ? 1024 + Math.floor(random.next() * 2048) : Math.floor(random.next() * bytes.length);
        bytes[place] = Math.floor(random.next() * 256);
      }
      tolerate(() => {
        const details = detailsOf(openExt(new MemoryDisk(bytes)));
        const least = details.minimumBlockCount();
        assert.ok(least > 0 && least <= details.blockCount, `${least}`);
        for (const { inode } of details.names(2)) if (inode !== 0) details.remains(inode);
        for (let inode = 1; inode <= 64; inode++) details.isInodeInUse(inode);
        for (let block = 0; block < details.blockCount; block += 7) details.isBlockInUse(block);
      });
    }
  }
});
