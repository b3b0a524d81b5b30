/** The writer of ext: rules of names, attributes and contents, and what must not be changed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginWork, defaultLimits, endWork } from '../../../../src/base/work.js';
import { MemoryDisk } from '../../../../src/disk/index.js';
import { superblock } from '../../../../src/fs/ext/layout.js';
import type { FileSystem } from '../../../../src/fs/index.js';
import { noise } from '../../../support/random.js';
import { needs } from '../../../support/tools.js';
import { fixtureNames, openExt, readFixture } from '../fixture.js';
import { checkImage, makeImage } from './images.js';

const file = { type: 'file', permissions: 0o644, uid: 0, gid: 0 } as const;
const directory = { ...file, type: 'directory', permissions: 0o755 } as const;

const now = (): { seconds: number; nanoseconds: number } => ({ seconds: 1_700_000_000, nanoseconds: 5 });

function openToWrite(bytes: Uint8Array): FileSystem & { readonly writer: NonNullable<FileSystem['writer']> } {
  const fs = openExt(new MemoryDisk(bytes, { writable: true }), { readonly: false, now });
  const { writer } = fs;
  return writer === undefined ? assert.fail(String(fs.whyReadOnly)) : Object.assign(fs, { writer });
}

/** Works on a fresh filesystem, closes it, and has e2fsck look. */
function onImage(kind: string, work: (fs: ReturnType<typeof openToWrite>) => void): Uint8Array {
  const bytes = makeImage(kind);
  const fs = openToWrite(bytes);
  work(fs);
  fs.close();
  checkImage(bytes, kind);
  return bytes;
}

/** What a filesystem shows, inode by inode. */
function show(fs: FileSystem, inode = fs.root): unknown {
  const { mode, linkCount, sizeInBytes, blockCount512 } = fs.stat(inode);
  const entries = Array.from(fs.entries(inode), (entry) => [
    entry.name,
    entry.type === 'directory' ? show(fs, entry.inode) : fs.stat(entry.inode),
  ]);
  return { mode, linkCount, sizeInBytes, blockCount512, entries };
}

test('a filesystem that is opened for writing and only read stays as it is', () => {
  for (const name of fixtureNames) {
    const before = readFixture(name);
    const bytes = before.slice();
    let fs: FileSystem;
    try {
      fs = openExt(new MemoryDisk(bytes, { writable: true }), { readonly: false });
    } catch {
      continue; // it has a log that is outside, or is damaged on purpose
    }
    if (fs.writer === undefined) assert.ok(fs.whyReadOnly !== undefined, name);
    const after = bytes.slice(); // a log has been replayed, as by any mount
    for (const { inode, type } of fs.entries(fs.root)) if (type === 'file') fs.data(inode).span(0, 1);
    fs.usage();
    fs.close();
    assert.deepEqual(Buffer.compare(bytes, after), 0, name);
  }
});

test('one that is opened read-only has no writer, and says so', () => {
  for (const readonly of [true, undefined]) {
    const bytes = new MemoryDisk(readFixture('ext4-1k'), { writable: true });
    const fs = openExt(bytes, readonly === undefined ? {} : { readonly });
    assert.equal(fs.writer, undefined);
    assert.equal(fs.whyReadOnly?.code, 'EROFS');
  }
});

test('features that writing would not keep right are refused by name', needs('mke2fs'), () => {
  for (const [options, name] of [
    ['-t ext4 -b 1024 -O quota', /quota/],
    ['-t ext4 -b 1024 -O mmp', /mmp/],
  ] as const) {
    const fs = openExt(new MemoryDisk(makeImage(options), { writable: true }), { readonly: false });
    assert.equal(fs.writer, undefined);
    assert.match(String(fs.whyReadOnly), name);
    assert.equal(fs.whyReadOnly?.code, 'ENOTSUP');
  }
});

test('a full filesystem takes nothing, and is as it was', needs('mke2fs', 'e2fsck'), () => {
  onImage('ext4 tiny', (fs) => {
    const { writer } = fs;
    const full = writer.create(fs.root, 'full', file);
    const contents = writer.contents(full);
    let at = 0;
    for (const size of [65_536, 1024])
      for (;;) {
        const before = show(fs);
        try {
          contents.write(noise(size), at);
          at += size;
        } catch (thrown) {
          assert.equal((thrown as { code?: string }).code, 'ENOSPC');
          assert.deepEqual(show(fs), before);
          break;
        }
      }
    assert.ok(at > 500_000);
    assert.equal(fs.usage().freeBlocks, 0);
    const before = show(fs);
    for (const work of [
      () => writer.create(fs.root, 'more', directory),
      () => writer.create(fs.root, 'more', { ...file, type: 'symlink', target: 't'.repeat(500) }),
      () => writer.setXattr(full, 'user.large', noise(900)),
      () => writer.allocate(full, at, 5000),
    ]) {
      assert.throws(work, { code: 'ENOSPC' });
      assert.deepEqual(show(fs), before);
    }
    const read = new Uint8Array(1024);
    fs.data(full).read(read, at - 1024);
    assert.deepEqual(read, noise(1024));
    // What is freed can be taken again at once.
    writer.unlink(fs.root, 'full');
    contents.close();
    const again = writer.contents(writer.create(fs.root, 'again', file));
    for (let offset = 0; offset < at - 2048; offset += 1024) again.write(noise(1024), offset);
    again.close();
  });
});

test('inodes run out', needs('mke2fs', 'e2fsck'), () => {
  onImage('ext4 tiny', (fs) => {
    let made = 0;
    const makeAll = (): void => {
      for (; ; made++) fs.writer.create(fs.root, `${made}`, file);
    };
    assert.throws(makeAll, { code: 'ENOSPC' });
    assert.ok(made > 40 && made < 64);
    assert.equal(fs.usage().freeInodes, 0);
  });
});

test('the rules of names', needs('mke2fs', 'e2fsck'), () => {
  onImage('ext4 1k', (fs) => {
    const { writer, root } = fs;
    const a = writer.create(root, 'a', directory);
    const b = writer.create(a, 'b', directory);
    const f = writer.create(root, 'f', file);
    const before = show(fs);
    const cases: [code: string, work: () => void][] = [
      ['EEXIST', () => writer.create(root, 'a', file)],
      ['EEXIST', () => writer.link(f, root, 'a')],
      ['EPERM', () => writer.link(a, root, 'c')],
      ['ENOENT', () => writer.unlink(root, 'none')],
      ['EISDIR', () => writer.unlink(root, 'a')],
      ['ENOTDIR', () => writer.rmdir(root, 'f')],
      ['ENOTEMPTY', () => writer.rmdir(root, 'a')],
      ['ENOTDIR', () => writer.create(f, 'x', file)],
      ['ENAMETOOLONG', () => writer.create(root, 'ä'.repeat(128), file)],
      [
        'ENAMETOOLONG',
        () => writer.create(root, 'l', { ...file, type: 'symlink', target: 't'.repeat(1024) }),
      ],
      ['EINVAL', () => writer.create(root, 'a/b', file)],
      ['EINVAL', () => writer.rename(root, 'a', b, 'inside')],
      ['EINVAL', () => writer.rename(root, 'a', a, 'inside')],
      ['EISDIR', () => writer.rename(root, 'f', root, 'a')],
      ['ENOTDIR', () => writer.rename(root, 'a', root, 'f')],
      ['ENOTEMPTY', () => writer.rename(root, 'lost+found', root, 'a')],
      ['EOPNOTSUPP', () => writer.setXattr(f, 'system.data', noise(3))],
      ['EOPNOTSUPP', () => writer.setXattr(f, 'none', noise(3))],
      ['ENODATA', () => writer.setXattr(f, 'user.none', undefined)],
      ['ERANGE', () => writer.setXattr(f, `user.${'n'.repeat(256)}`, noise(3))],
      ['E2BIG', () => writer.setXattr(f, 'user.large', new Uint8Array(65_537))],
      ['EISDIR', () => writer.contents(a)],
      ['EFBIG', () => writer.contents(f).resize(2 ** 43)],
      ['ENOTTY', () => writer.setGeneration?.(f, 7)],
    ];
    for (const [code, work] of cases) {
      assert.throws(work, { code }, String(work));
      assert.deepEqual(show(fs), before, String(work));
    }
    writer.setFlags?.(f, 0x80010);
    for (const work of [
      () => writer.unlink(root, 'f'),
      () => writer.contents(f),
      () => writer.rename(root, 'f', a, 'g'),
    ])
      assert.throws(work, { code: 'EPERM' });
    writer.setFlags?.(f, 0x80000);
    writer.unlink(root, 'f');
  });
});

test('directories that fold case are refused for themselves', needs('e2fsck'), () => {
  const bytes = readFixture('ext4-casefold');
  const fs = openToWrite(bytes);
  const folded = Array.from(fs.entries(fs.root)).filter(({ name, type }) => {
    if (type !== 'directory') return false;
    try {
      fs.writer.create(fs.lookup(fs.root, name) ?? 0, 'new', file);
      return false;
    } catch (thrown) {
      assert.equal((thrown as { code?: string }).code, 'ENOTSUP', name);
      return true;
    }
  });
  assert.ok(folded.length > 0);
  fs.close();
  checkImage(bytes, 'casefold');
});

test(
  'access control lists are stored in their short form, with a new file or later',
  needs('mke2fs', 'e2fsck'),
  () => {
    const acl = (...entries: [tag: number, bits: number, id?: number][]): Uint8Array => {
      const bytes = new DataView(new ArrayBuffer(4 + entries.length * 8));
      bytes.setUint32(0, 2, true);
      for (const [index, [tag, bits, id = 0xffffffff]] of entries.entries()) {
        bytes.setUint16(4 + index * 8, tag, true);
        bytes.setUint16(6 + index * 8, bits, true);
        bytes.setUint32(8 + index * 8, id, true);
      }
      return new Uint8Array(bytes.buffer);
    };
    onImage('ext4 1k', (fs) => {
      const { writer, root } = fs;
      const access = 'system.posix_acl_access';
      const byDefault = 'system.posix_acl_default';
      const full = acl([1, 7], [2, 6, 1000], [4, 5], [16, 7], [32, 1]);
      const plain = acl([1, 7], [4, 5], [32, 1]);
      const d = writer.create(root, 'd', { ...directory, xattrs: new Map([[byDefault, full]]) });
      assert.deepEqual(fs.xattrs(d).get(byDefault), full);
      const f = writer.create(d, 'f', { ...file, permissions: 0o664, xattrs: new Map([[access, full]]) });
      assert.deepEqual(fs.xattrs(f).get(access), full);
      assert.equal(fs.stat(f).mode & 0o777, 0o664);
      writer.setAttributes(f, { permissions: 0o640, xattrs: new Map([[access, plain]]) });
      assert.deepEqual(fs.xattrs(f).get(access), plain);
      assert.equal(fs.stat(f).mode & 0o777, 0o640);
      writer.setAttributes(f, { xattrs: new Map([[access, undefined]]) });
      assert.equal(fs.xattrs(f).get(access), undefined);
      for (const bad of [acl([3, 7]), noise(7)])
        assert.throws(() => writer.setAttributes(f, { permissions: 0, xattrs: new Map([[access, bad]]) }), {
          code: 'EINVAL',
        });
      assert.equal(fs.stat(f).mode & 0o777, 0o640);
    });
  },
);

test(
  'a file is as long as it is held, and others see what is written at once',
  needs('mke2fs', 'e2fsck'),
  () => {
    onImage('ext4 2k', (fs) => {
      const { writer, root } = fs;
      const number = writer.create(root, 'f', file);
      const data = fs.data(number);
      const contents = writer.contents(number);
      const free = fs.usage().freeBlocks;
      contents.write(noise(100_000), 1_000_000);
      assert.ok(fs.usage().freeBlocks < free);
      assert.equal(data.size, 1_100_000);
      const read = new Uint8Array(100_000);
      data.read(read, 1_000_000);
      assert.deepEqual(read, noise(100_000));
      assert.ok(data.span(0, 1_000_000).hole);
      writer.unlink(root, 'f');
      contents.read(read, 1_000_000);
      assert.deepEqual(read, noise(100_000));
      contents.close();
      assert.equal(fs.usage().freeBlocks, free);
      assert.throws(() => contents.write(read, 0));
    });
  },
);

test('what is held when the filesystem is closed goes with that', needs('mke2fs', 'e2fsck'), () => {
  onImage('ext4 2k', (fs) => {
    for (const name of ['a', 'b', 'c']) {
      const held = fs.writer.contents(fs.writer.create(fs.root, name, file));
      held.write(noise(5000), 0);
      fs.writer.unlink(fs.root, name);
    }
  });
});

test('large files are taken and given back in parts', needs('mke2fs', 'e2fsck'), () => {
  for (const kind of ['ext4 small groups, 512-byte inodes', 'ext2 1k'])
    onImage(kind, (fs) => {
      const { writer, root } = fs;
      const free = fs.usage().freeBlocks;
      const number = writer.create(root, 'large', file);
      writer.allocate(number, 0, 9_000_000);
      assert.equal(fs.stat(number).sizeInBytes, 9_000_000);
      const contents = writer.contents(number);
      contents.resize(2 ** 33);
      contents.write(noise(10), 2 ** 33 - 10);
      contents.zero(1_000_000, 7_000_000, { discard: true });
      contents.resize(4_000);
      assert.ok(fs.stat(number).blockCount512 <= 8);
      contents.resize(8_000_000);
      writer.allocate(number, 0, 8_000_000);
      contents.close();
      writer.unlink(root, 'large');
      assert.equal(fs.usage().freeBlocks, free);
    });
});

// Seconds of a processor: for a long run.
if (process.env.GUESTFS_TEST_LARGE !== undefined)
  test('an index grows to three levels', needs('mke2fs', 'e2fsck'), () => {
    const bytes = onImage('-t ext4 -b 1024 -O large_dir,^has_journal', (fs) => {
      const { writer, root } = fs;
      const d = writer.create(root, 'd', directory);
      const f = writer.create(d, 'first', file);
      for (let i = 0; i < 30_000; i++) writer.link(f, d, `${i}-${'n'.repeat(245)}`);
      for (let i = 0; i < 30_000; i += 2) writer.unlink(d, `${i}-${'n'.repeat(245)}`);
      assert.equal(fs.stat(f).linkCount, 15_001);
    });
    const fs = openExt(new MemoryDisk(bytes));
    const d = fs.lookup(fs.root, 'd') ?? 0;
    assert.equal(Array.from(fs.entries(d)).length, 15_001);
    assert.ok(fs.lookup(d, `29999-${'n'.repeat(245)}`));
    assert.equal(fs.lookup(d, `29998-${'n'.repeat(245)}`), undefined);
  });

class CountingDisk extends MemoryDisk {
  writes = 0;
  override write(from: Uint8Array, offset: number): void {
    this.writes++;
    super.write(from, offset);
  }
}

test('small files in a row are few writes, and are there after a sync', needs('mke2fs', 'e2fsck'), () => {
  for (const kind of ['ext4 4k', 'ext2 1k']) {
    const bytes = makeImage(kind);
    const disk = new CountingDisk(bytes, { writable: true });
    const fs = openExt(disk, { readonly: false, now });
    const writer = fs.writer ?? assert.fail();
    const d = writer.create(fs.root, 'd', directory);
    for (let i = 0; i < 500; i++) {
      const contents = writer.contents(writer.create(d, `${i}`, file));
      contents.write(noise(700 + i, i), 0);
      contents.close();
    }
    writer.sync();
    assert.ok(disk.writes < 500, `${disk.writes} writes`);
    const copy = openExt(new MemoryDisk(bytes.slice()));
    for (let i = 0; i < 500; i += 7) {
      const number = copy.lookup(copy.lookup(copy.root, 'd') ?? 0, `${i}`) ?? assert.fail();
      const read = new Uint8Array(700 + i);
      copy.data(number).read(read, 0);
      assert.deepEqual(read, noise(700 + i, i));
    }
    fs.close();
    checkImage(bytes, kind);
  }
});

test('times are those of the clock, to the millisecond', needs('mke2fs', 'e2fsck'), (t) => {
  t.mock.method(Date, 'now', () => 1_700_000_000_123);
  const bytes = makeImage('ext4 1k');
  const fs = openExt(new MemoryDisk(bytes, { writable: true }), { readonly: false });
  const { writer = assert.fail(), root } = fs;
  const { modified, changed } = fs.stat(writer.create(root, 'f', file));
  const time = { seconds: 1_700_000_000, nanoseconds: 123_000_000 };
  assert.deepEqual([modified, changed], [time, time]);
  fs.close();
  checkImage(bytes, 'ext4 1k');
});

test(
  'a filesystem without features gets those that attributes and large files need',
  needs('mke2fs', 'e2fsck'),
  () => {
    for (const options of ['-t ext2 -b 1024 -r 0 -O none', '-t ext4 -b 1024 -O ^ext_attr,^large_file']) {
      const isOriginal = options.includes('-r 0');
      const bytes = onImage(options, ({ root, writer }) => {
        writer.setXattr(writer.create(root, 'a', file), 'user.name', noise(300));
        const contents = writer.contents(writer.create(root, 'b', file));
        contents.resize(2 ** 31 + 5);
        contents.close();
      });
      const raw = superblock.decode(bytes, 1024);
      assert.equal(raw.s_rev_level, 1);
      assert.equal(raw.s_feature_compat & 0x8, 0x8);
      assert.equal(raw.s_feature_ro_compat & 0x2, 0x2);
      if (isOriginal)
        assert.deepEqual([raw.s_first_ino, raw.s_inode_size, raw.s_feature_incompat], [11, 128, 0]);
    }
  },
);

for (const kind of ['-t ext4 -b 1024 -J size=1', '-t ext4 -b 1024 -J size=1 -O ^extents,^64bit'])
  test(
    `one write, one allocation and one hole may concern more blocks than a small log holds: ${kind}`,
    needs('mke2fs', 'e2fsck'),
    () => {
      const bytes = new Uint8Array(28 * 1024 * 1024 - 700);
      for (let at = 0; at < bytes.length; at += 1000) bytes[at] = 1 + (at % 251);
      onImage(kind, (fs) => {
        const { writer, root } = fs;
        const contents = writer.contents(writer.create(root, 'file', file));
        contents.write(bytes, 100);
        assert.deepEqual(contents.size, bytes.length + 100);
        const read = new Uint8Array(bytes.length);
        contents.read(read, 100);
        assert.deepEqual(Buffer.compare(read, bytes), 0);
        contents.zero(0, contents.size, { discard: true });
        contents.resize(0);
        contents.close();
        fs.writer.sync();
        const inode = writer.create(root, 'other', file);
        writer.allocate(inode, 0, 28 * 1024 * 1024);
        assert.equal(fs.stat(inode).sizeInBytes, 28 * 1024 * 1024);
      });
    },
  );

test(
  'a hole for whose extents there is no room is zeroes that keep their space',
  needs('mke2fs', 'e2fsck'),
  () => {
    onImage('ext4 without a journal', (fs) => {
      const { writer, root } = fs;
      const { blockSize } = fs.usage();
      const inode = writer.create(root, 'holes', file);
      const holes = writer.contents(inode);
      const expected = noise(40 * blockSize);
      holes.write(expected, 0);
      const punch = (block: number): void => {
        // Half of the blocks beside it, too.
        const [from, to] = [(block - 0.5) * blockSize, (block + 2.5) * blockSize];
        holes.zero(from, to - from, { discard: true });
        expected.fill(0, from, to);
      };
      // The inode itself has room for four extents.
      for (const block of [5, 15, 25]) punch(block);
      writer.sync();
      const filling = writer.contents(writer.create(root, 'filling', file));
      const block = new Uint8Array(blockSize);
      assert.throws(
        () => {
          for (let at = 0; ; at++) filling.write(block, at * blockSize);
        },
        { code: 'ENOSPC' },
      );
      filling.close();
      const before = fs.stat(inode).blockCount512;
      punch(35);
      assert.equal(fs.stat(inode).blockCount512, before);
      holes.close();
      const found = new Uint8Array(expected.length);
      fs.data(inode).read(found, 0);
      assert.ok(Buffer.compare(found, expected) === 0);
    });
  },
);

test('blocks of the filesystem itself are no place for a file, whatever a bitmap or a map says', () => {
  const name = fixtureNames.find((each) => each.includes('ext2-1k')) ?? assert.fail();
  const damaged = (at: (view: DataView) => readonly [place: number, value: number]): FileSystem => {
    const bytes = readFixture(name).slice();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [place, value] = at(view);
    view.setUint32(place, value, true);
    return openToWrite(bytes);
  };
  // The descriptor of the first group is in block 2: bitmap of blocks, bitmap and table of inodes.
  const { writer, root } = damaged((view) => [view.getUint32(2048, true) * 1024, 0]);
  const inode = writer?.create(root, 'new', file) ?? assert.fail();
  assert.throws(() => writer?.contents(inode).write(new Uint8Array(5000), 0), {
    name: 'CorruptError',
    message: /has blocks of the filesystem itself/,
  });
});

test(
  'tables of a file that lead to nothing, thousands of times, are work that is counted',
  needs('mke2fs'),
  () => {
    const bytes = makeImage('ext2 1k');
    const fs = openToWrite(bytes);
    const inode = fs.writer.create(fs.root, 'deep', file);
    const contents = fs.writer.contents(inode);
    const [first, second, third] = [0x11, 0x22, 0x33].map((value) => new Uint8Array(1024).fill(value));
    for (const [index, block] of [first, second, third].entries())
      contents.write(block ?? assert.fail(), index * 1024);
    contents.close();
    fs.close();
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const blockOf = (value: number): number =>
      Buffer.from(bytes.buffer).indexOf(Buffer.alloc(1024, value)) / 1024;
    const [one, two, three] = [blockOf(0x11), blockOf(0x22), blockOf(0x33)];
    // A table of tables of tables, of which the last have nothing.
    for (const [table, next] of [
      [one, two],
      [two, three],
      [three, 0],
    ] as const)
      for (let at = 0; at < 1024; at += 4) view.setUint32(table * 1024 + at, next, true);
    const place = Array.from({ length: bytes.length / 128 }, (_, index) => index * 128).find(
      (at) => view.getUint16(at, true) === 0o100644 && view.getUint32(at + 40, true) === one,
    );
    assert.ok(place !== undefined);
    view.setUint32(place + 40 + 14 * 4, one, true);
    const hostile = openToWrite(bytes);
    beginWork({ ...defaultLimits, lookups: 50_000 }, () => {});
    try {
      assert.throws(() => hostile.writer.contents(inode).resize(100), { code: 'EDQUOT' });
    } finally {
      endWork();
    }
  },
);
