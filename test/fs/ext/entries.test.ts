/** Entries put into directories and taken out, of all kinds: e2fsck has nothing to mend in what comes of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeText } from '../../../src/base/index.js';
import { directJournal, MemoryDisk, WriteCache } from '../../../src/disk/index.js';
import { Directory } from '../../../src/fs/ext/directory/directory.js';
import { inodeAt, inodeFlags } from '../../../src/fs/ext/layout.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import { ChangeableBlocks } from '../../../src/fs/ext/write/blocks.js';
import { DirectoryWriter } from '../../../src/fs/ext/write/directory-writer.js';
import { Files } from '../../../src/fs/ext/write/files.js';
import { InodeTable } from '../../../src/fs/ext/write/inode-table.js';
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
    const superblock = decodeSuperblock(stored, disk.size);
    const open = (): ExtVolume => new ExtVolume(disk, superblock, { warn: assert.fail, strict: true });
    const cache = new WriteCache(disk, { blockSize: superblock.blockSize });
    const journal = directJournal(cache);
    const options = { warn: assert.fail, strict: true, pieces: cache };
    const volume = new ExtVolume(cache.view, superblock, options);
    const blocks = new ChangeableBlocks(cache, journal, volume);
    const inodes = new InodeTable(volume, blocks);
    const files = new Files(volume, blocks, new Space(volume, blocks), inodes);
    const writer = new DirectoryWriter(volume, blocks, inodes, files, () => assert.fail());
    const before = new Map(Array.from(fs.entries(number), ({ name, inode }) => [name, inode]));
    const model = new Map(before);
    const random = new Random(9);
    for (let round = 0; round < count; round++) {
      const added = [...model.keys()].filter((name) => !before.has(name));
      if (added.length > 2 && random.below(5) === 0) {
        const name = random.pick(added);
        assert.ok(blocks.run(9, undefined, () => writer.remove(volume.inode(number), encodeText(name))));
        model.delete(name);
      } else {
        const name = `${round}-${'ä'.repeat(random.below(count < 10 ? 2 : 30))}`;
        const entry = { name: encodeText(name), inode: file, kind: 'file' } as const;
        blocks.run(20, undefined, () => writer.add(volume.inode(number), entry));
        model.set(name, file);
      }
    }
    const isRemoved = blocks.run(9, undefined, () =>
      writer.remove(volume.inode(number), encodeText('not there')),
    );
    assert.equal(isRemoved, false);
    const links = fs.stat(file).linkCount + model.size - before.size;
    blocks.run(1, undefined, () =>
      inodes.change(file, ({ view }) => view.setUint16(inodeAt.i_links_count, links, true)),
    );
    journal.close();

    const again = open();
    const found = new Directory(again, again.inode(number));
    assert.deepEqual(
      Array.from(found.entries(), ({ name, inode }) => [name, inode] as const).sort(),
      [...model].sort(),
    );
    for (const [name, inode] of model) assert.equal(found.lookup(name), inode, name);
    if (count > 100)
      assert.ok(again.inode(number).flags & inodeFlags.EXT4_INDEX_FL, 'it grew, and has an index');

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
