/** What only ext tells, and the tools that tell the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { ext, extDetails } from '../../../src/fs/ext/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { pathsOf } from '../../support/tell.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { fixtureNames, openExt, openFixture, readFixture } from './fixture.js';

const scratch = mkdtempSync(join(tmpdir(), 'guestfs-ext-'));
after(() => rmSync(scratch, { recursive: true }));

/** A fixture as a file, for tools. */
function fileOf(name: string): string {
  const path = join(scratch, `${name}.img`);
  writeFileSync(path, readFixture(name));
  return path;
}

function ask(tool: string, ...args: string[]): string {
  return execFileSync(tool, args, {
    env: { ...toolEnvironment, TZ: 'UTC' },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

test('the facts of the superblock are those that tune2fs -l lists', needs('tune2fs'), () => {
  for (const name of fixtureNames) {
    const listed = ask('tune2fs', '-l', fileOf(name))
      .split('\n')
      .slice(1)
      .filter((line) => line !== '')
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]);
    const details = extDetails(openFixture(name, { options: { ro: true, norecovery: true } }));
    assert.deepEqual([...(details?.superblockFacts() ?? [])], listed, name);
  }
});

test('the type is the one that blkid finds, with the same facts', needs('blkid'), () => {
  for (const name of fixtureNames) {
    const found = Object.fromEntries(
      ask('blkid', '-p', '-o', 'export', fileOf(name))
        .trim()
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const probed = ext.probe(new MemoryDisk(readFixture(name)));
    assert.ok(probed);
    const expected: Record<string, string> = {
      ...probed.facts,
      TYPE: probed.type,
      UUID: probed.uuid,
      ...(probed.label === '' ? {} : { LABEL: probed.label }),
    };
    delete found.DEVNAME;
    assert.deepEqual(found, expected, name);
  }
});

test('files are what debugfs says of them', needs('debugfs'), () => {
  const name = 'ext4-4k';
  const file = fileOf(name);
  const fs = openFixture(name);
  const details = extDetails(fs);
  for (const [path, inode] of [...pathsOf(fs)].filter(([each]) =>
    /^\/(sizes|links|special)\/[\w]+$/.test(each),
  )) {
    const said = ask('debugfs', '-R', `stat ${path}`, file);
    const stat = fs.stat(inode);
    assert.match(said, new RegExp(`^Inode: ${inode} `), path);
    assert.match(said, new RegExp(`Mode: +0${(stat.mode & 0o7777).toString(8)} `), path);
    assert.match(said, new RegExp(`Flags: 0x${fs.attributeFlags?.(inode).toString(16)}\\b`), path);
    assert.match(said, new RegExp(`Generation: ${details?.generation(inode)}\\b`), path);
    assert.match(said, new RegExp(`Links: ${stat.linkCount} +Blockcount: ${stat.blockCount512}\\b`), path);
  }
});

test('label and UUID', () => {
  const details = extDetails(openFixture('ext4-1k'));
  assert.equal(details?.label, 'ext4-1k');
  assert.equal(details?.uuid, 'b1a2c3d4-0001-4e5f-8a9b-00c0ffee0000');
});

test('a filesystem of another driver has no such details', () => {
  assert.equal(extDetails({} as FileSystem), undefined);
});

test('external journals are known by their type, and are not opened', () => {
  const image = readFixture('ext4-1k').slice(0, 4096);
  const view = new DataView(image.buffer);
  view.setUint32(1024 + 0x60, 8, true);
  view.setUint32(1024 + 0x64, 0, true);
  assert.equal(ext.probe(new MemoryDisk(image))?.type, 'jbd');
  assert.throws(() => openExt(new MemoryDisk(image)), { code: 'ENOTSUP' });
});

test('mount options of ext4 are taken, others are refused', () => {
  for (const options of [
    { ro: true as const },
    { errors: 'remount-ro' },
    { data: 'ordered', noload: true as const },
  ])
    assert.ok(openFixture('ext4-1k', { options }));
  assert.throws(() => openFixture('ext4-1k', { options: { nonsense: true } }), {
    code: 'EINVAL',
    message: /nonsense/,
  });
  for (const sb of ['', 'x', '-1', '0', '99999999999999'])
    assert.throws(() => openFixture('ext4-1k', { options: { sb } }), { code: 'EINVAL' });
});

test('another copy of the superblock serves as well', () => {
  const image = readFixture('ext2-2k-no-filetype');
  const copy = readFixture('ext4-sparse-super2');
  assert.equal(pathsOf(openExt(new MemoryDisk(image))).size > 100, true);
  // sparse_super2 keeps copies in the groups that it names; this one has groups of 1024 blocks of 1 KiB.
  const backup = new DataView(copy.buffer).getUint32(1024 + 0x24c, true);
  assert.ok(backup > 0);
  const expected = pathsOf(openExt(new MemoryDisk(copy))).size;
  copy.fill(0, 1024, 2048);
  assert.throws(() => openExt(new MemoryDisk(copy)), /magic/);
  const fs = openExt(new MemoryDisk(copy), { options: { ro: true, sb: String(backup * 1024 + 1) } });
  assert.equal(pathsOf(fs).size, expected);
});

test('with minixdf the space of the structures counts', () => {
  const plain = openFixture('ext4-1k').usage();
  const minix = openFixture('ext4-1k', { options: { minixdf: true } }).usage();
  assert.equal(minix.blocks, 6144);
  assert.ok(plain.blocks < minix.blocks);
  assert.equal(plain.freeBlocks, minix.freeBlocks);
});

/** As on the disk: resize2fs replays no journal. */
const asStored = (name: string): FileSystem => openFixture(name, { options: { ro: true, norecovery: true } });

test(
  'the size to which a filesystem could be shrunk is the one that resize2fs -P estimates',
  needs('resize2fs'),
  () => {
    for (const name of fixtureNames) {
      const estimate = Number(/filesystem: (\d+)/.exec(ask('resize2fs', '-f', '-P', fileOf(name)))?.[1]);
      assert.equal(extDetails(asStored(name))?.minimumBlockCount(), estimate, name);
    }
  },
);

test('the size to which a filesystem could be shrunk: of one group and of many, with and without clusters', () => {
  const estimates = {
    'ext2-1k': 537,
    'ext4-bigalloc': 9941,
    'ext4-meta-bg': 1734,
    'ext4-sparse-super2': 3204,
  };
  for (const [name, estimate] of Object.entries(estimates))
    assert.equal(extDetails(asStored(name))?.minimumBlockCount(), estimate, name);
});

test('the blocks and inodes in use are as many as the groups count', () => {
  // Not where a crash left counts that are behind.
  for (const name of fixtureNames.filter((each) => /^(ext|kernel)/.test(each))) {
    const fileSystem = asStored(name);
    const details = extDetails(fileSystem);
    assert.ok(details);
    const { freeBlocks, freeInodes, inodes } = fileSystem.usage();
    let blocks = 0;
    for (let block = 0; block < details.blockCount; block++) if (!details.isBlockInUse(block)) blocks++;
    assert.equal(blocks, freeBlocks, name);
    // Inodes in use have links, but for reserved ones and for orphans.
    let used = 0;
    for (let inode = 11; inode <= inodes; inode++) if (details.isInodeInUse(inode)) used++;
    const difference = inodes - freeInodes - 10 - used;
    assert.ok(difference >= 0 && difference <= 12, `${name}: ${difference}`);
  }
});
