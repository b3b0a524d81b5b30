/** FAT volumes whose writer loses power: fsck.fat finds clusters that are lost, and a synced file is whole. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Disk } from '../../../src/disk/index.js';
import { openFat } from '../../../src/fs/fat/filesystem.js';
import { countCrashes } from '../../support/crashes.js';
import '../../support/platform.js';
import { noise } from '../../support/random.js';
import { type Crash, FailingDisk } from '../../support/recording-disk.js';
import { needs } from '../../support/tools.js';
import {
  contentsOf,
  fatTools,
  makeVolume,
  newDirectory,
  newFile,
  openReadonly,
  openWritable,
  repaired,
  treeOf,
  type Written,
  writeFile,
} from './volumes.js';

const kept = noise(7000, 1);
const added = noise(3000, 2);

/** A volume with a directory that is full to its last entry, and files that were synced. */
function before(...options: string[]): Uint8Array {
  const bytes = makeVolume(400, '-F12', '-s1', ...options);
  const fileSystem = openWritable(bytes);
  const { writer, root } = fileSystem;
  const directory = writer.create(root, 'directory', newDirectory);
  for (let i = 0; i < 14; i++) writer.create(directory, `F${i}`, newFile);
  writeFile(fileSystem, writer.create(root, 'A kept file.bin', newFile), kept);
  writeFile(fileSystem, writer.create(root, 'OTHER.BIN', newFile), kept.subarray(0, 2000));
  fileSystem.close();
  return bytes;
}

type Work = (fileSystem: Written, inodeOf: (name: string) => number) => void;

const works: Readonly<Record<string, Work>> = {
  'files made in a directory that grows': ({ writer }, inodeOf) => {
    for (const name of ['one', 'A longer name of two entries', 'three'])
      writer.create(inodeOf('directory'), name, newFile);
  },
  'a file appended to': (fileSystem, inodeOf) => {
    writeFile(fileSystem, inodeOf('OTHER.BIN'), added, 2000);
    writeFile(fileSystem, inodeOf('OTHER.BIN'), added, 5000);
  },
  'directories made and filled': ({ writer, root }) => {
    const one = writer.create(root, 'A new directory', newDirectory);
    writer.create(writer.create(one, 'below', newDirectory), 'FILE', newFile);
  },
  'a file shortened and removed': ({ writer, root }, inodeOf) => {
    const contents = writer.contents(inodeOf('OTHER.BIN'));
    contents.resize(700);
    contents.close();
    writer.unlink(root, 'OTHER.BIN');
    writer.create(root, 'OTHER.BIN', newFile);
  },
  'a file removed while it is held': ({ writer, root }, inodeOf) => {
    const contents = writer.contents(inodeOf('OTHER.BIN'));
    writer.create(root, 'A file that is made', newFile);
    writer.unlink(root, 'OTHER.BIN');
    contents.resize(700);
    contents.close();
  },
  'long names removed': ({ writer, root }, inodeOf) => {
    const directory = inodeOf('directory');
    for (const name of ['A name of entries in two sectors', 'Another long name']) {
      writer.create(directory, name, newFile);
      writer.unlink(directory, name);
    }
    writer.unlink(root, 'OTHER.BIN');
  },
  'a file renamed': ({ writer, root }, inodeOf) => {
    writer.rename(root, 'OTHER.BIN', inodeOf('directory'), 'renamed with a long name.bin');
  },
  'a file replaced': ({ writer, root }) => {
    writer.rename(root, 'OTHER.BIN', root, 'A kept file.bin');
  },
};

/** What fsck.fat may say. */
const harmless =
  /^(?:fsck\.fat .*|.*Dirty bit.*|.*Automatically removing dirty bit\.|.*Reclaimed \d+ unused clusters? .*|.*Free cluster summary (?:wrong|uninitialized).*|.*Auto-(?:correct|sett)ing\.|.*FATs differ.*|.*Using first FAT.*|.*Orphaned long file name part.*|.*Auto-deleting\.|.*File size is \d+ bytes, cluster chain length is > \d+ bytes\.|.*Truncating file to \d+ bytes\.|.*Performing changes\.|Writing changes\.|\*\*\*.*|.*: \d+ files, .*|\/\S+|)$/;
/** Two names for one file while it is renamed: one of them ends empty, the other one whole. */
const whileRenamed = /share clusters|Truncating second to 0 bytes|and$|^\/|cluster chain length is 0 bytes/;

function openToWrite(disk: Disk): Written {
  return openFat(disk, {
    overlay: (same) => same,
    readonly: false,
    now: () => ({ seconds: 1_600_000_000, nanoseconds: 0 }),
  }) as Written;
}

function workWith(fileSystem: Written, work: Work): void {
  work(fileSystem, (file) => fileSystem.lookup(fileSystem.root, file) ?? assert.fail(file));
}

/** After fsck.fat nothing is lost but clusters: what was synced is whole, or replaced as a whole. */
function checkRepaired(name: string, image: Disk): void {
  const bytes = new Uint8Array(image.size);
  image.read(bytes, 0);
  treeOf(openReadonly(bytes));
  const { bytes: after, text } = repaired(bytes);
  for (const line of text.split('\n'))
    assert.ok(harmless.test(line) || (/renamed|replaced/.test(name) && whileRenamed.test(line)), line);
  const fileSystem = openReadonly(after);
  if (name === 'a file renamed') {
    const wholes = [...treeOf(fileSystem).values()].filter(
      (each) => each !== undefined && Buffer.compare(each, kept.subarray(0, 2000)) === 0,
    );
    assert.equal(wholes.length, 1, 'the renamed file is whole under one of its names');
  }
  const inode = fileSystem.lookup(fileSystem.root, 'A kept file.bin');
  assert.ok(inode !== undefined, 'the synced file is gone');
  const contents = Buffer.from(contentsOf(fileSystem, inode));
  assert.ok(
    contents.equals(kept) ||
      (name === 'a file replaced' && (contents.equals(kept.subarray(0, 2000)) || contents.length === 0)),
    `the synced file has ${contents.length} other bytes`,
  );
}

function survive(name: string, work: Work, withoutBarriers?: readonly number[]): readonly string[] {
  const run = (disk: Disk): void => {
    const fileSystem = openToWrite(disk);
    workWith(fileSystem, work);
    fileSystem.close();
  };
  const options = { most: 30, ...(withoutBarriers === undefined ? {} : { withoutBarriers }) };
  return countCrashes(before(), run, ({ image }: Crash) => checkRepaired(name, image), options).wrong;
}

describe('a crash', () => {
  for (const [name, work] of Object.entries(works))
    test(`with ${name}`, needs(...fatTools), () => {
      const wrong = survive(name, work);
      assert.deepEqual(wrong.slice(0, 3), [], `${wrong.length} cuts`);
    });

  test('without barriers ends in more than lost clusters', needs(...fatTools), () => {
    const all = Array.from({ length: 40 }, (_, index) => index);
    const { 'a file shortened and removed': work } = works;
    assert.ok(work);
    assert.notDeepEqual(survive('without', work, all), []);
  });
});

test('a host that fails is told of, nothing is half done, and no more is written', needs(...fatTools), () => {
  const image = before();
  let failures = 0;
  for (const [index, [name, work]] of Object.entries(works).entries())
    for (let at = index % 3; ; at += 3) {
      const code = at % 2 === 0 ? 'EIO' : 'ENOSPC';
      const disk = new FailingDisk(image, { at, code });
      const isCode = (error: unknown): boolean => (error as { code?: string }).code === code;
      const fileSystem = openToWrite(disk);
      let thrown: unknown;
      let isClosed = false;
      try {
        workWith(fileSystem, work);
        isClosed = true;
        fileSystem.close();
      } catch (error) {
        thrown = error;
      }
      if (!disk.hasFailed) {
        assert.equal(thrown, undefined);
        break;
      }
      failures++;
      assert.ok(isCode(thrown), String(thrown));
      const { length } = disk.log;
      // Where data alone could not be stored, others can be.
      let isStuck = isClosed;
      try {
        if (!isClosed) fileSystem.writer.sync();
      } catch (error) {
        isStuck = true;
        assert.ok(isCode(error), String(error));
      }
      if (!isClosed) fileSystem.close();
      if (isStuck) assert.equal(disk.log.length, length);
      checkRepaired(name, disk);
    }
  assert.ok(failures > 15, `${failures} failures`);
});
