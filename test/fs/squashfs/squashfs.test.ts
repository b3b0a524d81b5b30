/** What is squashfs's own: tables that are missing, fragments, numbers of inodes, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { typeOfMode } from '../../../src/base/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { squashfs } from '../../../src/fs/squashfs/index.js';
import { readAll } from '../../support/gaits.js';
import { walkFiles } from '../../support/tell.js';
import { openBytes, openVolume } from '../conformance.js';
import { squashImages } from './suite.js';

/** The superblock's fields that are changed here. */
const at = {
  compression: 20,
  version: 28,
  blockLog: 22,
  inodeCount: 4,
  size: 40,
  inodeTable: 64,
  xattrTable: 56,
  fragmentTable: 80,
  exportTable: 88,
};

function changed(name: string, change: (image: Buffer) => void): Buffer {
  const image = squashImages.readBuffer(name);
  change(image);
  return image;
}

const without = (name: string, ...tables: readonly number[]): FileSystem =>
  openBytes(
    squashfs,
    changed(name, (image) => {
      for (const table of tables) image.fill(0xff, table, table + 8);
    }),
  );

function find(fs: FileSystem, path: string): number {
  let inode = fs.root;
  for (const name of path.split('/')) inode = fs.lookup(inode, name) ?? assert.fail(`there is no ${path}`);
  return inode;
}

test('without the table of exports, inodes are found by a walk through all of them', () => {
  for (const name of ['gzip', 'lzma', 'plain']) {
    const told = openBytes(squashfs, squashImages.read(name));
    const walked = without(name, at.exportTable);
    for (const { inode, path } of walkFiles(told))
      assert.deepEqual(walked.stat(inode), told.stat(inode), `${path} of ${name}`);
    assert.throws(() => walked.stat(100_000), { name: 'CorruptError' });
  }
});

test('without the table of attributes there are none, though inodes have indexes of it', () => {
  const fs = without('gzip', at.xattrTable);
  assert.equal(fs.hasXattrs, false);
  assert.equal(fs.xattrs(find(fs, 'attributes/many')).size, 0);
});

test('without the table of fragments, a file with its end in one is corrupt, and others are read', () => {
  const whole = openBytes(squashfs, squashImages.read('plain'));
  const fs = without('plain', at.fragmentTable);
  const inode = find(fs, 'sizes/65536');
  assert.ok(Buffer.compare(readAll(fs.data(inode)), readAll(whole.data(inode))) === 0);
  assert.throws(() => readAll(fs.data(find(fs, 'sizes/4097'))), {
    name: 'CorruptError',
    message: /fragment/,
  });
});

/** Changes the inodes of files of a size, which are not compressed. */
function changeInodes(image: Buffer, size: number, change: (inode: number) => void): void {
  const { mode, modified } = { mode: 0o644, modified: 1_700_000_000 };
  const head = Buffer.alloc(12);
  head.writeUInt16LE(2, 0);
  head.writeUInt16LE(mode, 2);
  head.writeUInt32LE(modified, 8);
  let count = 0;
  for (let found = image.indexOf(head); found >= 0; found = image.indexOf(head, found + 1)) {
    if (image.readUInt32LE(found + 28) !== size) continue;
    change(found);
    count++;
  }
  assert.ok(count > 0, `there is a file of ${size} bytes`);
}

test('a block whose length has its highest bit is too long', () => {
  for (const length of [0x8000_1000, 0xfeff_ffff]) {
    const fs = openBytes(
      squashfs,
      changed('plain', (image) =>
        changeInodes(image, 65_536, (inode) => image.writeUInt32LE(length, inode + 32)),
      ),
    );
    assert.throws(() => readAll(fs.data(find(fs, 'sizes/65536'))), {
      name: 'CorruptError',
      message: /too long/,
    });
  }
});

test('a fragment that ends before a tail is an error, and no zeroes', () => {
  const fs = openBytes(
    squashfs,
    // The offset in the fragment of the inode of `deep/2/3/4/bottom`, whose five bytes lie there.
    changed('plain', (image) => changeInodes(image, 5, (inode) => image.writeUInt32LE(8190, inode + 24))),
  );
  assert.throws(() => readAll(fs.data(find(fs, 'deep/2/3/4/bottom'))), {
    name: 'CorruptError',
    message: /not in its fragment/,
  });
});

/** Files that lie in fragments alone, in the order of a walk. */
const tails = (fs: FileSystem): number[] =>
  Array.from(walkFiles(fs), ({ inode }) => inode).filter((inode) => {
    const { mode, sizeInBytes } = fs.stat(inode);
    return typeOfMode(mode) === 'file' && sizeInBytes > 0 && sizeInBytes < 8192;
  });

/** Notes where it is read. */
class NotedDisk extends MemoryDisk {
  readonly reads: number[] = [];

  override read(into: Uint8Array, offset: number): void {
    this.reads.push(offset);
    super.read(into, offset);
  }
}

/** Where the fragments of an image lie that was read as a walk comes to them, in runs of those that one file led to. */
function fragmentRuns(image: Uint8Array): number[][] {
  const dataEnd = Number(Buffer.from(image).readBigUInt64LE(at.inodeTable));
  const disk = new NotedDisk(image);
  const fs = openVolume(squashfs, disk);
  return tails(fs)
    .map((inode) => {
      const before = disk.reads.length;
      readAll(fs.data(inode));
      return disk.reads.slice(before).filter((offset) => offset >= 96 && offset < dataEnd);
    })
    .filter((run) => run.length > 0);
}

test('each fragment is read once, and some are decoded ahead', () => {
  for (const name of ['gzip', 'zstd', 'lzma']) {
    const runs = fragmentRuns(squashImages.read(name));
    const starts = runs.flat();
    assert.ok(starts.length > 2, name);
    assert.equal(new Set(starts).size, starts.length, name);
    assert.ok(runs.length < starts.length, name);
  }
});

/** The first byte of what zlib wrote. */
const zlibHead = 0x78;

test('a damaged fragment is an error of the files in it, and of none before it', () => {
  const whole = openBytes(squashfs, squashImages.read('gzip'));
  const image = squashImages.read('gzip');
  // One that is stored as it is has nothing that could be wrong.
  const starts = fragmentRuns(image)
    .flat()
    .filter((start) => image[start] === zlibHead);
  assert.ok(starts.length > 1);
  for (const start of starts) {
    const fs = openBytes(
      squashfs,
      changed('gzip', (image) => image.fill(0xff, start, start + 4)),
    );
    const damaged: number[] = [];
    for (const inode of tails(fs)) {
      try {
        assert.ok(Buffer.compare(readAll(fs.data(inode)), readAll(whole.data(inode))) === 0);
      } catch (thrown) {
        assert.equal((thrown as Error).name, 'CorruptError');
        damaged.push(inode);
      }
    }
    assert.ok(damaged.length > 0 && damaged.length < tails(fs).length, `fragment at ${start}`);
  }
});

test('a directory that contains itself is entered once, and one with the number of another is corrupt', () => {
  // The entry `4` of `deep/2/3`, of eight bytes before the name: its place is made that of the root.
  const root = squashImages.readBuffer('plain').readBigUInt64LE(32);
  const entry = Buffer.from([1, 0, 0, 0, 0x34]);
  const loop = (number: number) =>
    openBytes(
      squashfs,
      changed('plain', (image) => {
        const name = image.indexOf(entry) + 4;
        assert.ok(name > 4);
        image.writeUInt16LE(Number(root & 0xffffn), name - 8);
        // The header of the run: block and number of the inodes.
        image.writeUInt32LE(Number(root >> 16n), name - 8 - 8);
        image.writeUInt32LE(number, name - 8 - 4);
        image.writeInt16LE(0, name - 6);
      }),
    );
  const whole = openBytes(squashfs, squashImages.read('plain'));
  const fs = loop(whole.root);
  assert.equal(find(fs, 'deep/2/3/4'), fs.root);
  assert.equal(fs.parent(fs.root), fs.root);
  const wrong = loop(5);
  const inode = find(wrong, 'deep/2/3/4');
  assert.throws(() => wrong.stat(inode), { name: 'CorruptError', message: /another number/ });
});

test('versions and compressors that are not read are refused by name, and impossible sizes are corrupt', () => {
  const open = (change: (image: Buffer) => void) => () => openBytes(squashfs, changed('gzip', change));
  assert.throws(
    open((image) => image.writeUInt16LE(5, at.version)),
    {
      name: 'UnsupportedError',
      message: /version 5\.0/,
    },
  );
  assert.throws(
    open((image) => image.writeUInt16LE(9, at.compression)),
    {
      name: 'UnsupportedError',
      message: /compression 9/,
    },
  );
  for (const change of [
    (image: Buffer) => image.writeUInt16LE(25, at.blockLog),
    (image: Buffer) => image.writeUInt32LE(0, at.inodeCount),
    (image: Buffer) => image.writeUInt32LE(image.length + 1, at.size),
  ])
    assert.throws(open(change), { name: 'CorruptError' });
});

test('the mount option of Linux is taken, and no other', () => {
  const bytes = squashImages.read('empty');
  assert.ok(openBytes(squashfs, bytes, { options: { errors: 'continue' } }));
  for (const options of [{ errors: 'remount-ro' }, { loop: true as const }])
    assert.throws(() => openBytes(squashfs, bytes, { options }), { code: 'EINVAL' });
});

test('a name of a directory with indexes is found without reading all of it', () => {
  const fs = openBytes(squashfs, squashImages.read('large'));
  const names = [...fs.entries(fs.root)].map(({ name }) => name);
  const fresh = openBytes(squashfs, squashImages.read('large'));
  for (const name of names) assert.equal(fresh.lookup(fresh.root, name), fs.lookup(fs.root, name), name);
  for (const name of ['', 'a', 'an entry with', 'zzz', `${names[1000]}x`])
    assert.equal(fresh.lookup(fresh.root, name), undefined, name);
});
