/** Entries put into directories and taken out, of all kinds: e2fsck has nothing to mend in what comes of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeText } from '../../../src/base/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { Directory } from '../../../src/fs/ext/directory/directory.js';
import { inodeFlags, writtenInode } from '../../../src/fs/ext/layout.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import { EntryWriter } from '../../../src/fs/ext/write/entries.js';
import { ChangedExtents } from '../../../src/fs/ext/write/extent-tree.js';
import { Space } from '../../../src/fs/ext/write/space.js';
import { Random } from '../../support/random.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { openFixture, readFixture } from './fixture.js';

const directory = scratchDirectory();

/** A directory of a fixture, the number of a file in it, and how many names to add. */
const cases = [
  ['ext4-1k', 'many', 400],
  ['ext4-1k', 'a', 400],
  ['ext4-4k', 'many', 900],
  ['ext4-group-checksums', 'many', 200],
  ['ext4-bigalloc', 'a', 300],
  ['ext4-casefold', 'many', 200],
  ['ext4-inline', 'a', 2],
  ['ext4-meta-bg', 'many', 200],
] as const;

for (const [fixture, path, count] of cases)
  test(`${fixture}: names in /${path} come and go`, needs('e2fsck'), () => {
    const bytes = readFixture(fixture);
    const fs = openFixture(fixture);
    const number = fs.lookup(fs.root, path) ?? assert.fail();
    const sizes = fs.lookup(fs.root, 'sizes') ?? assert.fail();
    const file = fs.lookup(sizes, '13000') ?? assert.fail();
    const disk = new MemoryDisk(bytes, { writable: true });
    const stored = readSuperblockBytes(disk) ?? assert.fail();
    const open = (): ExtVolume =>
      new ExtVolume(disk, decodeSuperblock(stored, disk.size), { warn: assert.fail, strict: true });
    const volume = open();
    const space = new Space(volume);
    const extents = new ChangedExtents(volume, space);
    const writer = new EntryWriter(volume, space, extents);
    const before = new Map(Array.from(fs.entries(number), ({ name, inode }) => [name, inode]));
    const model = new Map(before);
    const random = new Random(9);
    for (let round = 0; round < count; round++) {
      const added = [...model.keys()].filter((name) => !before.has(name));
      if (added.length > 2 && random.below(5) === 0) {
        const name = random.pick(added);
        assert.ok(writer.remove(volume.inode(number), encodeText(name)));
        model.delete(name);
      } else {
        const name = `${round}-${'ä'.repeat(random.below(count < 10 ? 2 : 30))}`;
        writer.add(volume.inode(number), { name: encodeText(name), inode: file, kind: 'file' });
        model.set(name, file);
      }
    }
    assert.equal(writer.remove(volume.inode(number), encodeText('not there')), false);
    const links = fs.stat(file).linkCount + model.size - before.size;
    const record = volume.inodeRecord(file);
    writtenInode.encode({ i_links_count: links }, record);
    volume.storeInode(file, record);
    extents.store((inode) => volume.inode(inode));
    space.store();

    const again = open();
    const found = new Directory(again, again.inode(number));
    assert.deepEqual(
      Array.from(found.entries(), ({ name, inode }) => [name, inode] as const).sort(),
      [...model].sort(),
    );
    for (const [name, inode] of model) assert.equal(found.lookup(name), inode, name);
    if (count > 100)
      assert.equal(again.inode(number).flags & inodeFlags.EXT4_INDEX_FL, 0, 'it grew, and has no index');

    const image = join(directory, 'image');
    writeFileSync(image, bytes);
    const { stdout } = spawnSync('e2fsck', ['-fn', image], { env: toolEnvironment, encoding: 'utf8' });
    const problems = stdout
      .split('\n')
      .filter((line) => !/^(?:Pass [1-5]: |.*: \d+\/\d+ files |$)/.test(line))
      // Totals in the superblock are for whoever mounts.
      .filter(
        (line) =>
          !/^(?:Free (?:blocks|inodes) count wrong|Fix\? no|.*WARNING: Filesystem still has)/.test(line),
      );
    assert.deepEqual(problems, []);
  });
