/** Each committed filesystem, as the kernel tells it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { ext } from '../../../src/fs/ext/index.js';
import {
  fixtureNames,
  openFixture,
  readAll,
  readFixture,
  readTruth,
  type Told,
  tell,
  walk,
} from './fixture.js';

/** debugfs shows access control lists only as they are stored: its truth leaves them out. */
function comparable(told: Told, teller: 'kernel' | 'debugfs'): Told {
  const { xattrs, ...rest } = told;
  const kept = Object.entries(xattrs ?? {}).filter(
    ([name]) => teller === 'kernel' || !name.startsWith('system.posix_acl_'),
  );
  return kept.length === 0 ? rest : { ...rest, xattrs: Object.fromEntries(kept.sort()) };
}

/**
 * In a replay of fast commits the kernel dates what it changes by its clock, and leaves the link counts of directories as
 * they were, as e2fsck then finds.
 */
function asReplayed(told: Told): Told {
  const isDirectory = (told.mode & 0xf000) === 0x4000;
  return { ...told, atime: '', mtime: '', ctime: '', nlink: isDirectory ? 0 : told.nlink };
}

test('there are fixtures of each kind', () => {
  for (const name of ['ext2-revision-0', 'ext4-everything', 'journal-32bit', 'ext4-64k', 'fast-commit-4k'])
    assert.ok(fixtureNames.includes(name), name);
});

for (const name of fixtureNames) {
  const { head, files } = readTruth(name);

  test(`${name}: every file is as the ${head.teller} tells it`, () => {
    const fs = openFixture(name, { options: { ro: true } });
    const found = walk(fs);
    assert.deepEqual([...found.keys()].sort(), [...files.keys()].sort());
    const loose = name.startsWith('fast-commit') ? asReplayed : (told: Told): Told => told;
    for (const [path, inode] of found) {
      const expected = files.get(path) as Told; // safe: the keys are equal
      const actual = comparable(tell(fs, path, inode), head.teller);
      assert.deepEqual(loose(actual), loose(comparable(expected, head.teller)), path);
    }
  });

  test(`${name}: names are found, and others are not`, () => {
    const fs = openFixture(name);
    const directories = new Map<number, number>();
    walk(fs, (directory, entry, inode) => {
      assert.equal(fs.lookup(directory, entry), inode, entry);
      if ((fs.stat(inode).mode & 0xf000) === 0x4000) directories.set(inode, directory);
    });
    for (const [inode, parent] of directories) {
      assert.equal(fs.parent(inode), parent);
      assert.equal(fs.lookup(inode, 'no such name'), undefined);
      assert.equal(fs.lookup(inode, ''), undefined);
      assert.equal(fs.lookup(inode, 'n'.repeat(256)), undefined);
    }
    assert.equal(fs.parent(fs.root), fs.root);
  });

  test(`${name}: files read the same in pieces of any size`, () => {
    const fs = openFixture(name);
    for (const [path, inode] of walk(fs)) {
      const { mode, sizeInBytes } = fs.stat(inode);
      if ((mode & 0xf000) !== 0x8000 || sizeInBytes > 100_000 || files.get(path)?.sha256 === null) continue;
      const disk = fs.data(inode);
      assert.equal(disk.size, sizeInBytes);
      const whole = readAll(disk);
      for (const step of [1024, 777]) {
        const pieces = new Uint8Array(disk.size);
        for (let at = 0; at < disk.size; at += step)
          disk.read(pieces.subarray(at, Math.min(at + step, disk.size)), at);
        assert.deepEqual(pieces, whole, `${path} by ${step}`);
      }
    }
  });

  test(`${name}: what it is and how full it is`, () => {
    const probed = ext.probe(new MemoryDisk(readFixture(name)));
    assert.deepEqual({ label: probed?.label, uuid: probed?.uuid }, { label: head.label, uuid: head.uuid });
    if (head.type !== undefined) assert.equal(probed?.type, head.type); // debugfs does not tell
    const { statfs } = head;
    if (statfs === undefined) return;
    const usage = openFixture(name).usage();
    assert.deepEqual(
      {
        blockSize: usage.fragmentSize,
        blocks: usage.blocks,
        free: usage.freeBlocks,
        available: usage.availableBlocks,
        files: usage.inodes,
        freeFiles: usage.freeInodes,
        nameLength: usage.nameMax,
      },
      statfs,
    );
  });
}
