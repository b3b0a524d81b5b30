/** What the kernel does not do to a FAT volume, and what is not done to one that is damaged. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestfsError, UnsupportedError } from '../../../src/base/index.js';
import { beginWork, defaultLimits, endWork } from '../../../src/base/work.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { openFat } from '../../../src/fs/fat/filesystem.js';
import { needs } from '../../support/tools.js';
import {
  checkVolume,
  fatTools,
  makeVolume,
  newDirectory,
  newFile,
  openReadonly,
  openWritable,
  treeOf,
  writeFile,
} from './volumes.js';

describe('names', () => {
  test('a name of a file in other letters is no new name', needs(...fatTools), () => {
    const bytes = makeVolume(2048);
    const fileSystem = openWritable(bytes);
    const { writer, root } = fileSystem;
    writeFile(fileSystem, writer.create(root, 'A longer name', newFile), Uint8Array.of(1));
    writer.create(root, 'dir', newDirectory);
    for (const [from, to] of [
      ['A longer name', 'A LONGER NAME'],
      ['a longer name', 'ALONGE~1'],
      ['dir', 'DIR'],
    ] as const)
      writer.rename(root, from, root, to);
    fileSystem.close();
    checkVolume(bytes);
    assert.deepEqual([...treeOf(openReadonly(bytes)).keys()], ['/A longer name', '/dir']);
  });

  test('a name does not end in a blank, dots left out', needs(...fatTools), () => {
    const { writer, root } = openWritable(makeVolume(2048));
    for (const name of ['a ', 'a .', 'a . .'])
      assert.throws(() => writer.create(root, name, newFile), { code: 'EINVAL' }, name);
    writer.create(root, ' a', newFile);
    writer.create(root, 'b.', newFile);
  });
});

test('mount options that change what writing does are refused by name', needs(...fatTools), () => {
  const bytes = makeVolume(2048);
  const reasonOf = (options: Record<string, string | true>): GuestfsError | undefined =>
    openFat(new MemoryDisk(bytes, { writable: true }), { overlay: (disk) => disk, readonly: false, options })
      .whyReadOnly;
  for (const [name, options] of [
    ['nonumtail', { nonumtail: '1' }],
    ['quiet', { quiet: true }],
    ['sys_immutable', { sys_immutable: true }],
    ['utf8=0', { utf8: '0' }],
    ['uni_xlate', { uni_xlate: true }],
  ] as const) {
    const reason = reasonOf(options);
    assert.ok(reason instanceof UnsupportedError && reason.elsewhere === 'appliance', name);
    assert.ok(reason.message.includes(name), reason.message);
  }
  assert.equal(reasonOf({ nonumtail: '0', utf8: '1', nfs: true }), undefined);
  assert.equal(reasonOf({ nfs: 'nostale_ro' })?.code, 'EROFS');
});

describe('a file with fewer clusters than bytes', () => {
  for (const [name, kibibytes] of [
    ['FAT12', 2048],
    ['FAT16', 20_000],
  ] as const)
    test(`on ${name} is not written to, but can be emptied`, needs(...fatTools), () => {
      const bytes = makeVolume(kibibytes, '-s2');
      let fileSystem = openWritable(bytes);
      const inode = fileSystem.writer.create(fileSystem.root, 'FILE', newFile);
      writeFile(fileSystem, inode, new Uint8Array(10_000).fill(1));
      fileSystem.close();
      new DataView(bytes.buffer).setUint32(inode * 32 + 28, 100_000, true);
      const damaged = bytes.slice();
      fileSystem = openWritable(bytes);
      const contents = fileSystem.writer.contents(inode);
      for (const work of [
        () => contents.write(Uint8Array.of(2), 0),
        () => contents.write(Uint8Array.of(2), 100_000),
        () => contents.resize(100_001),
        () => contents.read(new Uint8Array(1), 0),
      ])
        assert.throws(work, { name: 'CorruptError' });
      assert.deepEqual(bytes, damaged);
      contents.resize(0);
      contents.write(Uint8Array.of(3), 0);
      contents.close();
      fileSystem.close();
      checkVolume(bytes);
      assert.deepEqual(treeOf(openReadonly(bytes)), new Map([['/FILE', Uint8Array.of(3)]]));
    });
});

test('a long range of zeroes can be cancelled', needs(...fatTools), () => {
  const bytes = makeVolume(34_000, '-F32', '-s1');
  const fileSystem = openWritable(bytes);
  const { writer, root } = fileSystem;
  const contents = writer.contents(writer.create(root, 'FILE', newFile));
  const size = 16 * 1024 * 1024;
  contents.write(new Uint8Array(size).fill(1), 0);
  let asked = 0;
  beginWork(defaultLimits, () => {
    if (++asked === 3) throw new GuestfsError('ECANCELED', 'cancelled');
  });
  try {
    assert.throws(() => contents.zero(0, size), { code: 'ECANCELED' });
  } finally {
    endWork();
  }
  assert.equal(contents.size, size);
  contents.close();
  fileSystem.close();
  checkVolume(bytes);
});
