/** Every geometry that mkfs.xfs makes, filled by its protofile, which mounts nothing: what went in comes out. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { viewOf } from '../../../src/base/index.js';
import { FileDisk } from '../../../src/disk/host/index.js';
import { type Disk, OverlayDisk } from '../../../src/disk/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { checksumOf } from '../../../src/fs/xfs/checksum.js';
import { xfs, xfsGeometry } from '../../../src/fs/xfs/index.js';
import { superblock, superblockCrcAt } from '../../../src/fs/xfs/layout.js';
import { Random } from '../../support/random.js';
import { scratchDirectory } from '../../support/scratch.js';
import { find, list, sha256, sha256OfDisk } from '../../support/tell.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { openVolume } from '../conformance.js';

const scratch = scratchDirectory();
const random = new Random(11);
// Short enough for any inode: mkfs.xfs writes longer targets without their headers, which no kernel reads.
const target = 'a/target/of/a/link/'.repeat(6);

/** Sizes around the borders of blocks. */
const files = new Map(
  [0, 1, 511, 512, 4095, 4096, 4097, 65_536, 70_000, 1_500_000].map((size) => [
    `size-${size}`,
    random.bytes(size),
  ]),
);

/** The text of mkfs.xfs's protofile, and the files that it names. */
function writeProtofile(names: number): string {
  mkdirSync(join(scratch, 'files'), { recursive: true });
  const lines = ['/', '0 0', 'd--755 3 4'];
  for (const [name, bytes] of files) {
    const path = join(scratch, 'files', name);
    writeFileSync(path, bytes);
    lines.push(`${name} ---640 7 8 ${path}`);
  }
  lines.push(
    'empty d--700 0 0',
    '$',
    'few d--755 0 0',
    ` short l--777 0 0 size-1`,
    ` long l--777 0 0 ${target}`,
    '$',
  );
  lines.push('special d-g755 0 0', ' null c--666 0 0 1 3', ' pipe p--600 0 0', '$', 'many d--755 0 0');
  const empty = join(scratch, 'files', 'size-0');
  for (let number = 0; number < names; number++) lines.push(` entry-${number} ---644 0 0 ${empty}`);
  lines.push('$', '$');
  const path = join(scratch, `proto-${names}`);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

/** `size` in MiB. */
function make(name: string, size: number, names: number, options: readonly string[]): FileDisk {
  const image = join(scratch, `${name}.img`);
  writeFileSync(image, '');
  truncateSync(image, size * 1024 * 1024);
  execFileSync('mkfs.xfs', ['-q', '-f', '-p', writeProtofile(names), ...options, image], {
    env: toolEnvironment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return new FileDisk(image);
}

function checkTree(fs: FileSystem, names: number): void {
  assert.deepEqual(list(fs, '/').sort(), [...files.keys(), 'empty', 'few', 'many', 'special'].sort());
  for (const [name, bytes] of files) {
    const inode = find(fs, name);
    const { mode, uid, gid, sizeInBytes } = fs.stat(inode);
    assert.deepEqual(
      { mode, uid, gid, sizeInBytes },
      { mode: 0o100640, uid: 7, gid: 8, sizeInBytes: bytes.length },
    );
    assert.equal(sha256OfDisk(fs.data(inode)), sha256(bytes), name);
  }
  assert.equal(fs.readlink(find(fs, 'few/short')), 'size-1');
  assert.equal(fs.readlink(find(fs, 'few/long')), target);
  const { deviceMajor, deviceMinor } = fs.stat(find(fs, 'special/null'));
  assert.deepEqual([deviceMajor, deviceMinor], [1, 3]);
  const many = find(fs, 'many');
  assert.equal(new Set(list(fs, 'many')).size, names);
  for (let number = 0; number < names; number += 7)
    assert.equal(fs.stat(fs.lookup(many, `entry-${number}`) ?? 0).sizeInBytes, 0);
  assert.equal(fs.lookup(many, 'entry-'), undefined);
  assert.equal(fs.parent(many), fs.root);
}

const geometries: readonly [name: string, names: number, options: readonly string[]][] = [
  ['v4 with blocks of 512 bytes', 400, ['-m', 'crc=0', '-b', 'size=512', '-n', 'size=4096']],
  ['v4 with types in entries', 60, ['-m', 'crc=0', '-n', 'ftype=1', '-l', 'version=1']],
  ['blocks of 1 KiB', 1000, ['-b', 'size=1024', '-m', 'rmapbt=1']],
  ['blocks of 2 KiB and large directory blocks', 100, ['-b', 'size=2048', '-n', 'size=16384']],
  ['blocks of 4 KiB', 5, []],
  ['sectors of 4 KiB and the largest inodes', 3000, ['-s', 'size=4096', '-i', 'size=2048,nrext64=1']],
  ['blocks of 16 KiB', 300, ['-b', 'size=16384']],
  ['blocks of 64 KiB', 2000, ['-b', 'size=65536']],
  ['a directory of 100,000 entries', 100_000, ['-b', 'size=1024']],
];

/** What xfs_info prints, as names and values: those after a heading belong to it. */
function xfsInfo(image: string): Map<string, string> {
  const found = new Map<string, string>();
  let heading = '';
  for (const line of execFileSync('xfs_info', [image], { env: toolEnvironment, encoding: 'utf8' }).split(
    '\n',
  )) {
    const [, name = '', rest = ''] = /^([a-z-]*) *=(.*)$/.exec(line) ?? [];
    if (name !== '') heading = name;
    const word = /^(version \d+|\S+ log|[^\s=]+) /.exec(rest)?.[1];
    if (word !== undefined) found.set(heading, word);
    for (const [, field = '', value = ''] of rest.matchAll(/([-\w]+)=(\d+(?: blks)?)/g))
      found.set(`${heading}.${field}`, value);
  }
  return found;
}

/** Later versions of xfs_info print more, and earlier ones less: what they print is the same. */
function checkGeometry(fs: FileSystem, name: string): void {
  const image = join(scratch, `${name}.img`);
  const ours = xfsGeometry(fs, image);
  const told = xfsInfo(image);
  assert.ok(told.size > 25, 'xfs_info prints most of it');
  for (const [field, value] of told) assert.equal(ours?.get(field), value, field);
}

for (const [name, names, options] of geometries) {
  test(`what mkfs.xfs put in comes out: ${name}`, needs('mkfs.xfs', 'xfs_info'), () => {
    const disk = make(name.replaceAll(' ', '-'), 1024, names, options);
    const warnings: string[] = [];
    const fs = openVolume(xfs, disk, { warn: (message) => warnings.push(message) });
    checkTree(fs, names);
    assert.deepEqual(warnings, []);
    checkGeometry(fs, name.replaceAll(' ', '-'));
    fs.close();
    disk.close();
  });
}

/** The filesystem with another superblock, whose checksum is right. */
function withSuperblock(disk: Disk, change: Partial<ReturnType<typeof superblock.decode>>): Disk {
  const bytes = new Uint8Array(512);
  disk.read(bytes, 0);
  superblock.encode(change, bytes);
  const sum = checksumOf(viewOf(bytes), 0, bytes.length, superblockCrcAt);
  viewOf(bytes).setUint32(superblockCrcAt, sum, true);
  const changed = new OverlayDisk(disk);
  changed.write(bytes, 0);
  return changed;
}

test('what is not implemented is refused by its name, and what is damaged as such', needs('mkfs.xfs'), () => {
  const disk = make('refused', 512, 1, []);
  const raw = superblock.decode(readSector(disk));
  const { sb_features_incompat: incompat } = raw;
  for (const [name, bit] of [
    ['metadir', 8],
    ['zoned', 9],
    ['zone_gaps', 10],
    ['incompatible feature bit 30', 30],
  ] as const) {
    const changed = withSuperblock(disk, { sb_features_incompat: incompat + 2 ** bit });
    assert.throws(() => openVolume(xfs, changed), { code: 'ENOTSUP', features: [name] });
    assert.equal(xfs.probe(changed)?.type, 'xfs');
  }
  const damaged: [RegExp, Parameters<typeof withSuperblock>[1]][] = [
    [/needing a repair/, { sb_features_incompat: incompat + 0x10 }],
    [/being made/, { sb_inprogress: 1 }],
    [
      /larger than the disk/,
      { sb_dblocks: raw.sb_dblocks + raw.sb_agblocks, sb_agcount: raw.sb_agcount + 1 },
    ],
    [/its groups do not hold its blocks/, { sb_dblocks: raw.sb_dblocks * 2 }],
    [/size of groups/, { sb_agblklog: raw.sb_agblklog + 1 }],
    [/inode size/, { sb_inodelog: 12, sb_inodesize: 4096 }],
    [/no known version/, { sb_versionnum: 6 }],
    [/there is no such inode/, { sb_rootino: 1 }],
  ];
  for (const [message, change] of damaged)
    assert.throws(() => openVolume(xfs, withSuperblock(disk, change)), { code: 'EIO', message });
  const bytes = readSector(disk);
  bytes[108] = 0x41;
  const wrong = new OverlayDisk(disk);
  wrong.write(bytes, 0);
  assert.throws(() => openVolume(xfs, wrong), { code: 'EIO', message: /bad checksum/ });
  disk.close();
});

function readSector(disk: Disk): Uint8Array {
  const bytes = new Uint8Array(512);
  disk.read(bytes, 0);
  return bytes;
}
