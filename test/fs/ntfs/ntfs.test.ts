/** What only NTFS has: the table of files in pieces, states, sizes of everything, what is refused, and loops. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { type FileSystem, ntfsContents, ntfsStatus, type OpenOptions } from '../../../src/fs/index.js';
import { ntfs } from '../../../src/fs/ntfs/index.js';
import { readAll } from '../../support/gaits.js';
import { scratchDirectory } from '../../support/scratch.js';
import { find, list, pathsOf, tellFiles } from '../../support/tell.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { openBytes } from '../conformance.js';
import { asBlkid, askBlkid } from '../support/blkid.js';
import { readVolume } from './suite.js';

const open = (bytes: Uint8Array, options: Partial<OpenOptions> = {}): FileSystem =>
  openBytes(ntfs, bytes, options);
const volume = (name: string): Buffer => Buffer.from(readVolume(name).buffer);
const contents = (fs: FileSystem, path: string): string =>
  Buffer.from(readAll(fs.data(find(fs, path)))).toString('latin1');

const unit = 512;
const clusterSizeOf = (image: Buffer): number => image.readUInt16LE(11) * image.readUInt8(13);
const recordSize = 1024;

/** Where a record of the first piece of the table of files lies. */
const recordAt = (image: Buffer, number: number): number =>
  Number(image.readBigUInt64LE(48)) * clusterSizeOf(image) + number * recordSize;

/** The bytes that fix-ups cover: into their places, or out of them. */
function fixUp(record: Buffer, restore: boolean): void {
  const at = record.readUInt16LE(4);
  for (let index = 1; index < record.readUInt16LE(6); index++) {
    const [end, kept] = [index * unit - 2, at + 2 * index];
    if (!restore) record.writeUInt16LE(record.readUInt16LE(end), kept);
    record.writeUInt16LE(record.readUInt16LE(restore ? kept : at), end);
  }
}

/** Changes a record, whose fix-ups are right again afterwards. */
function edit(image: Buffer, number: number, change: (record: Buffer) => void): void {
  const at = recordAt(image, number);
  const record = image.subarray(at, at + recordSize);
  fixUp(record, true);
  change(record);
  fixUp(record, false);
}

interface Place {
  readonly at: number;
  readonly length: number;
}

/** The attributes of a record in order, by their types. */
function attributes(record: Buffer): Map<number, Place> {
  const found = new Map<number, Place>();
  for (let at = record.readUInt16LE(20); record.readUInt32LE(at) !== 0xffffffff; ) {
    const length = record.readUInt32LE(at + 4);
    found.set(record.readUInt32LE(at), { at, length });
    at += length;
  }
  return found;
}

function placeOf(record: Buffer, type: number): Place {
  const place = attributes(record).get(type);
  assert.ok(place, `the record has no attribute ${type}`);
  return place;
}

/** Puts attributes in place of those that a record has. */
function setAttributes(record: Buffer, parts: readonly Buffer[]): void {
  let at = record.readUInt16LE(20);
  record.fill(0, at);
  for (const part of parts) at += part.copy(record, at);
  record.writeUInt32LE(0xffffffff, at);
  record.writeUInt32LE(at + 8, 24);
}

const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((8 - (bytes.length % 8)) % 8)]);

/** The head of an attribute without a name that lies elsewhere, with its runs. */
function nonResident(
  type: number,
  instance: number,
  first: number,
  last: number,
  size: number,
  runs: number[],
): Buffer {
  const bytes = padded(Buffer.concat([Buffer.alloc(64), Buffer.from([...runs, 0])]));
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt32LE(bytes.length, 4);
  bytes.writeUInt8(1, 8);
  bytes.writeUInt16LE(instance, 14);
  bytes.writeBigInt64LE(BigInt(first), 16);
  bytes.writeBigInt64LE(BigInt(last), 24);
  bytes.writeUInt16LE(64, 32);
  for (const at of [40, 48, 56]) bytes.writeBigInt64LE(BigInt(size), at);
  return bytes;
}

const run = (count: number, distance: number): number[] => [
  0x32,
  count & 0xff,
  count >> 8,
  distance & 0xff,
  (distance >> 8) & 0xff,
  (distance >> 16) & 0xff,
];

function listEntry(type: number, lowest: number, record: number, instance: number): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(type, 0);
  bytes.writeUInt16LE(32, 4);
  bytes.writeUInt8(26, 7);
  bytes.writeBigInt64LE(BigInt(lowest), 8);
  bytes.writeUInt32LE(record, 16);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt16LE(instance, 24);
  return bytes;
}

/**
 * The volume with a table of files whose runs are in three records. `where`: whether the list that says so is in the
 * first record, or in a cluster of its own.
 */
function tableInPieces(where: 'resident' | 'elsewhere'): Buffer {
  const image = volume('plain');
  const cluster = clusterSizeOf(image);
  const start = Number(image.readBigUInt64LE(48));
  edit(image, 0, (record) => {
    const data = placeOf(record, 0x80);
    const clusters = Number(record.readBigInt64LE(data.at + 24)) + 1;
    const size = Number(record.readBigInt64LE(data.at + 48));
    // The table of this volume is one run, which the pieces share out.
    const borders = [0, 8, 20, clusters];
    const [standard, name, bitmap] = [0x10, 0x30, 0xb0].map((type) => {
      const { at, length } = placeOf(record, type);
      return Buffer.from(record.subarray(at, at + length));
    });
    assert.ok(standard && name && bitmap);
    const piece = (index: number): Buffer => {
      const [from = 0, to = 0] = borders.slice(index);
      return nonResident(
        0x80,
        60 + index,
        from,
        to - 1,
        index === 0 ? size : 0,
        run(to - from, start + from),
      );
    };
    const instance = (attribute: Buffer): number => attribute.readUInt16LE(14);
    const list = Buffer.concat([
      listEntry(0x10, 0, 0, instance(standard)),
      listEntry(0x30, 0, 0, instance(name)),
      listEntry(0x80, 0, 0, 60),
      // Reserved records, which lie in the first run and in the second: the third is found by the second.
      listEntry(0x80, 8, 16, 61),
      listEntry(0x80, 20, 40, 62),
      listEntry(0xb0, 0, 0, instance(bitmap)),
    ]);
    let listAttribute: Buffer;
    if (where === 'resident') {
      listAttribute = Buffer.concat([Buffer.alloc(24), list]);
      listAttribute.writeUInt32LE(0x20, 0);
      listAttribute.writeUInt32LE(listAttribute.length, 4);
      listAttribute.writeUInt16LE(70, 14);
      listAttribute.writeUInt32LE(list.length, 16);
      listAttribute.writeUInt16LE(24, 20);
    } else {
      // The last cluster is free.
      const free = image.length / cluster - 2;
      list.copy(image, free * cluster);
      listAttribute = nonResident(0x20, 70, 0, 0, list.length, run(1, free));
    }
    const extension = (number: number, part: Buffer): void => {
      const at = recordAt(image, number);
      const copy = image.subarray(at, at + recordSize);
      record.copy(copy);
      copy.writeBigUInt64LE((1n << 48n) | 0n, 32);
      copy.writeUInt32LE(number, 44);
      setAttributes(copy, [part]);
      fixUp(copy, false);
    };
    extension(16, piece(1));
    extension(40, piece(2));
    setAttributes(record, [standard, listAttribute, name, piece(0), bitmap]);
  });
  return image;
}

for (const where of ['resident', 'elsewhere'] as const)
  test(`a table of files whose runs go on in other records is read as a whole: its list is ${where}`, () => {
    const told = new Map([...tellFiles(open(volume('plain')))].map((file) => [file.path, file]));
    const fs = open(tableInPieces(where));
    let count = 0;
    for (const file of tellFiles(fs)) {
      assert.deepEqual(file, told.get(file.path));
      count++;
    }
    assert.equal(count, told.size);
  });

test('a table of files whose pieces are missing, or name each other, is a CorruptError', () => {
  const missing = tableInPieces('resident');
  edit(missing, 16, (record) => record.writeUInt32LE(0xffffffff, record.readUInt16LE(20)));
  assert.throws(() => open(missing), {
    name: 'CorruptError',
    message: /lists an attribute that is not there/,
  });
  const other = tableInPieces('resident');
  edit(other, 40, (record) => record.writeBigUInt64LE((1n << 48n) | 5n, 32));
  assert.throws(() => open(other), { name: 'CorruptError', message: /a record that is of another file/ });
});

const hibernate = (folder: string, image: string): void => {
  writeFileSync(join(folder, 'hiberfil.sys'), Buffer.concat([Buffer.from('hibr'), Buffer.alloc(8192)]));
  execFileSync('ntfscp', ['-f', '-q', image, join(folder, 'hiberfil.sys'), 'hiberfil.sys'], {
    env: toolEnvironment,
    stdio: 'ignore',
  });
};

function make(name: string, size: number, options: readonly string[]): { folder: string; image: string } {
  const folder = scratchDirectory();
  const image = join(folder, name);
  writeFileSync(image, '');
  truncateSync(image, size);
  execFileSync('mkntfs', ['-q', '-F', '-Q', ...options, image], { env: toolEnvironment, stdio: 'ignore' });
  return { folder, image };
}

/** The log as one that a running Windows leaves: two restart pages, the second of which is the newer. */
function restartPages(image: Buffer, flags: number, version: readonly [number, number]): Buffer {
  const record = image.subarray(recordAt(image, 2), recordAt(image, 2) + recordSize);
  const { at } = placeOf(record, 0x80);
  const runs = at + record.readUInt16LE(at + 32);
  const [lengthSize, offsetSize] = [record.readUInt8(runs) & 15, record.readUInt8(runs) >> 4];
  const log = record.readUIntLE(runs + 1 + lengthSize, offsetSize) * clusterSizeOf(image);
  for (const [page, sequence] of [
    [0, 100n],
    [4096, 200n],
  ] as const) {
    const bytes = image.subarray(log + page, log + page + 4096).fill(0);
    bytes.write('RSTR', 0, 'latin1');
    for (const [place, value] of [
      [4, 30],
      [6, 9],
      [24, 0x30],
      [26, version[1]],
      [28, version[0]],
    ] as const)
      bytes.writeUInt16LE(value, place);
    for (const place of [16, 20]) bytes.writeUInt32LE(4096, place);
    bytes.writeBigUInt64LE(sequence, 0x30);
    bytes.writeUInt16LE(1, 0x30 + 8);
    bytes.writeUInt16LE(0xffff, 0x30 + 10);
    bytes.writeUInt16LE(page === 0 ? 0xffff : 0, 0x30 + 12);
    bytes.writeUInt16LE(page === 0 ? 2 : flags, 0x30 + 14);
    bytes.writeUInt32LE(67 - 22, 0x30 + 16);
    bytes.writeUInt16LE(0x1e0, 0x30 + 20);
    bytes.writeUInt16LE(0x40, 0x30 + 22);
    bytes.writeBigUInt64LE(1n << 21n, 0x30 + 24);
    bytes.writeUInt16LE(0x30, 0x30 + 36);
    bytes.writeUInt16LE(0x40, 0x30 + 38);
    // The one client has none before it and none behind.
    bytes.writeUInt32LE(0xffffffff, 0x30 + 0x40 + 16);
    fixUp(bytes, false);
  }
  return image;
}

const warningsOf = (bytes: Uint8Array): string => {
  const warnings: string[] = [];
  open(bytes, { warn: (message) => warnings.push(message) });
  return warnings.join('\n');
};

test('what Windows did not finish is read, and a warning says so', () => {
  assert.equal(warningsOf(volume('plain')), '');
  assert.equal(warningsOf(restartPages(volume('plain'), 2, [1, 1])), '');
  assert.match(warningsOf(restartPages(volume('plain'), 0, [1, 1])), /did not finish writing/);
  assert.match(
    warningsOf(restartPages(volume('plain'), 2, [2, 0])),
    /hibernated, or was shut down for a fast start/,
  );
  const dirty = volume('plain');
  edit(dirty, 3, (record) => record.writeUInt16LE(1, placeOf(record, 0x70).at + 24 + 10));
  assert.match(warningsOf(dirty), /marked to be checked/);
});

test('ntfs-3g.probe agrees about every state', needs('mkntfs', 'ntfscp', 'ntfs-3g.probe'), () => {
  const { folder, image } = make('states', 8 << 20, []);
  const fresh = readFileSync(image);
  hibernate(folder, image);
  const asleep = readFileSync(image);
  const none = Buffer.from(fresh).fill(0, 0, 512);
  const states = [
    fresh,
    asleep,
    restartPages(Buffer.from(fresh), 0, [1, 1]),
    restartPages(Buffer.from(fresh), 2, [1, 1]),
    restartPages(Buffer.from(fresh), 2, [2, 0]),
    none,
  ];
  const seen = new Set<number>();
  for (const [index, bytes] of states.entries())
    for (const rw of [false, true]) {
      writeFileSync(image, bytes);
      const { status } = spawnSync('ntfs-3g.probe', [rw ? '--readwrite' : '--readonly', image], {
        env: toolEnvironment,
      });
      assert.equal(ntfsStatus(new MemoryDisk(bytes), rw), status, `${index} ${rw}`);
      seen.add(status ?? -1);
    }
  assert.deepEqual([...seen].sort(), [0, 12, 14, 15]);
});

const geometries: readonly [clusterSize: number, sectorSize: number, size: number][] = [
  [512, 512, 6],
  [1024, 1024, 8],
  [4096, 4096, 12],
  [65_536, 512, 20],
  [262_144, 512, 80],
  [524_288, 4096, 120],
];

for (const [clusterSize, sectorSize, size] of geometries)
  test(
    `clusters of ${clusterSize} and sectors of ${sectorSize} bytes`,
    needs('mkntfs', 'ntfscp', 'blkid'),
    () => {
      const options = ['-c', String(clusterSize), '-s', String(sectorSize), '-L', 'ein Bänd'];
      const { folder, image } = make('volume', size << 20, options);
      const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index) >> 5));
      writeFileSync(join(folder, 'file'), bytes);
      for (const name of ['large', 'LARGE'])
        execFileSync('ntfscp', ['-q', image, join(folder, 'file'), name], {
          env: toolEnvironment,
          stdio: 'ignore',
        });
      const volumeBytes = readFileSync(image);
      const fs = open(volumeBytes);
      assert.deepEqual(list(fs, '/').sort(), ['LARGE', 'large']);
      assert.ok(Buffer.from(readAll(fs.data(find(fs, '/large')))).equals(bytes));
      assert.deepEqual(asBlkid(ntfs.probe(new MemoryDisk(volumeBytes))), askBlkid(volumeBytes));
    },
  );

test('what is encrypted, deduplicated, in the cloud or in an image of WIM is refused, and never zeroes', () => {
  const windows = open(volume('windows'));
  for (const [path, message] of [
    ['/links/deduplicated', /deduplication/],
    ['/links/away', /files of the cloud/],
    ['/wof/wim', /in an image of WIM/],
  ] as const)
    assert.throws(() => windows.data(find(windows, path)), { name: 'UnsupportedError', message });
  assert.deepEqual(list(windows, '/links/cloud'), []);
  const image = volume('packed');
  const file = find(open(image), '/packed/noise');
  edit(image, open(image).stat(file).inode, (record) => {
    const { at } = placeOf(record, 0x80);
    record.writeUInt16LE(0x4000, at + 12);
  });
  const encrypted = open(image);
  assert.throws(() => encrypted.data(file), { name: 'UnsupportedError', message: /encryption \(EFS\)/ });
  assert.equal(encrypted.stat(file).sizeInBytes, 9000);
});

test('files of compressed directories are stored compressed, and take the room that they then need', () => {
  for (const [name, unitSize] of [
    ['packed', 65_536],
    ['packed-512', 8192],
  ] as const) {
    const fs = open(volume(name));
    const file = find(fs, `/packed/text-${2 * unitSize + 4}`);
    const { sizeInBytes, blockCount512 } = fs.stat(file);
    assert.ok(blockCount512 * 512 < (sizeInBytes * 2) / 3, `${name}: ${blockCount512} blocks`);
    const data = fs.data(file);
    const line = Buffer.alloc(16);
    data.read(line, unitSize);
    assert.equal(line.toString(), `${String(unitSize / 16).padStart(15, '0')}\n`);
  }
});

test('short names are found and not listed', () => {
  const fs = open(volume('sectors-4096'));
  assert.equal(find(fs, '/short/ALONGD~1/file'), find(fs, '/short/A Long Directory Name/file'));
  assert.equal(contents(fs, '/short/ALONGF~2.TEX'), '2');
  assert.ok(!list(fs, '/short').some((name) => name.includes('~')));
});

test('case counts, unless ignore_case says otherwise', () => {
  const plain = open(volume('plain'));
  assert.deepEqual(
    ['case', 'CASE', 'Case'].map((name) => contents(plain, `/names/${name}`)),
    ['case', 'CASE', 'Case'],
  );
  assert.equal(plain.caseInsensitive, false);
  assert.equal(plain.lookup(find(plain, '/names'), 'GRÖSSE'), undefined);
  assert.equal(plain.lookup(find(plain, '/names'), 'GRÖßE'), undefined);
  const folded = open(volume('plain'), { options: { ignore_case: true } });
  assert.equal(folded.caseInsensitive, true);
  const names = find(folded, '/names');
  assert.equal(folded.lookup(names, 'GRÖßE'), find(plain, '/names/Größe'));
  assert.equal(folded.lookup(names, 'αβγ ΑΒΓ'), find(plain, '/names/ΑΒΓ αβγ'));
  assert.equal(folded.lookup(names, 'cAsE'), find(plain, '/names/CASE'));
});

test('mount options of ntfs-3g change owners, permissions and what is listed', () => {
  const bytes = volume('plain');
  const options = {
    uid: '1000',
    gid: '100',
    umask: '022',
    fmask: '0133',
    hide_hid_files: true,
  } as const;
  const fs = open(bytes, { options });
  const { mode, uid, gid } = fs.stat(find(fs, '/sizes/1'));
  assert.deepEqual([mode, uid, gid], [0o100644, 1000, 100]);
  assert.equal(fs.stat(find(fs, '/sizes')).mode, 0o040755);
  assert.ok(!list(fs, '/names').includes('hidden'));
  const shown = open(bytes, { options: { show_sys_files: true } });
  assert.ok(list(shown, '/').includes('$MFT'));
  assert.ok(!list(open(bytes), '/').includes('$MFT'));
  const plain = open(bytes);
  assert.equal(plain.stat(find(plain, '/$MFT')).inode, 0);
  assert.equal(open(bytes, { options: { streams_interface: 'none' } }).hasXattrs, false);
  for (const option of ['permissions', 'efs_raw', 'posix_nlink'])
    assert.throws(() => open(bytes, { options: { [option]: true } }), {
      code: 'ENOTSUP',
      elsewhere: 'appliance',
    });
  assert.throws(() => open(bytes, { options: { umask: '9' } }), { code: 'EINVAL' });
});

test('a file is told by its number, as ntfscat tells it', needs('ntfscat'), () => {
  const bytes = volume('windows');
  const path = join(scratchDirectory(), 'windows.img');
  writeFileSync(path, bytes);
  const fs = open(bytes);
  const numberOf = (file: string): number => fs.stat(find(fs, file)).inode;
  for (const number of [6, 10, numberOf('/links/full'), numberOf('/wof/wim')]) {
    const told = execFileSync('ntfscat', ['-f', '-i', String(number), path], {
      env: toolEnvironment,
      maxBuffer: 1 << 24,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const contents = ntfsContents(fs, number);
    assert.ok(contents && Buffer.from(readAll(contents)).equals(told), String(number));
  }
  assert.throws(() => ntfsContents(fs, 5), { code: 'ENOENT' });
});

test('a number that names no file is a CorruptError, and what does not apply to a file says so', () => {
  const fs = open(volume('plain'));
  // In the last place a record that continues another file.
  for (const number of [-1, 0.5, 2 ** 53, Number.NaN, 1e9, 17])
    assert.throws(() => fs.stat(number), { name: 'CorruptError' }, String(number));
  const file = find(fs, '/sizes/1');
  assert.throws(() => [...fs.entries(file)], { code: 'ENOTDIR' });
  assert.throws(() => fs.lookup(file, 'x'), { code: 'ENOTDIR' });
  assert.throws(() => fs.parent(file), { code: 'ENOTDIR' });
  assert.throws(() => fs.readlink(file), { code: 'EINVAL' });
  assert.throws(() => fs.data(fs.root), { code: 'EISDIR' });
  assert.throws(() => fs.data(find(fs, '/special/fifo')), { code: 'EINVAL' });
});

test('a tree of names that is a circle comes to an end, and one bad block does not hide the others', () => {
  const image = volume('plain');
  const names = list(open(image), '/many');
  const blocks: number[] = [];
  for (let at = image.indexOf('INDX'); at >= 0; at = image.indexOf('INDX', at + 1)) blocks.push(at);
  const isOfMany = (at: number): boolean =>
    image.subarray(at, at + 4096).includes(Buffer.from('one-of-many', 'utf16le'));
  const found = blocks.filter((at) => at % 512 === 0 && isOfMany(at));
  assert.ok(found.length > 10);
  // Every pointer to a block leads to the first one, which is an inner node of a tree that has no end.
  for (const at of found) {
    const block = image.subarray(at, at + 4096);
    fixUp(block, true);
    let entry = 24 + block.readUInt32LE(24);
    for (; ; entry += block.readUInt16LE(entry + 8)) {
      const length = block.readUInt16LE(entry + 8);
      if (length < 24 || entry + length > 4096) break;
      block.writeUInt16LE(block.readUInt16LE(entry + 12) | 1, entry + 12);
      block.writeBigUInt64LE(0n, entry + length - 8);
      if ((block.readUInt16LE(entry + 12) & 2) !== 0) break;
    }
    fixUp(block, false);
  }
  const fs = open(image);
  const many = find(fs, '/many');
  for (const name of ['zzz', 'one-of', '0']) {
    try {
      assert.equal(fs.lookup(many, name), undefined);
    } catch (thrown) {
      assert.equal((thrown as Error).name, 'CorruptError');
    }
  }
  const damaged = volume('plain');
  const [first = 0] = found;
  damaged.write('XXXX', first, 'latin1');
  const other = open(damaged);
  const told: string[] = [];
  const rest = [...other.entries(find(other, '/many'), ({ message }) => told.push(message))];
  assert.equal(told.length, 1);
  assert.match(told.join(), /has no magic number/);
  assert.ok(rest.length > names.length / 2 && rest.length < names.length);
});

test('a name whose file is gone is listed, and is never the file that has its record now', () => {
  const image = volume('plain');
  const whole = open(image);
  const number = whole.stat(find(whole, '/sizes/700')).inode;
  const reference = find(whole, '/sizes/700');
  const directory = whole.stat(find(whole, '/deep')).inode;
  for (const one of [number, directory])
    edit(image, one, (record) => record.writeUInt16LE(record.readUInt16LE(16) + 1, 16));
  const fs = open(image);
  assert.ok(list(fs, '/sizes').includes('700'));
  assert.equal(find(fs, '/sizes/700'), reference);
  const gone = { name: 'CorruptError', message: /is another file by now/ };
  assert.throws(() => fs.stat(reference), gone);
  assert.throws(() => fs.data(reference), gone);
  assert.throws(() => [...fs.entries(find(fs, '/deep'))], gone);
  // By its number alone it is whichever has the record.
  assert.equal(fs.stat(number).sizeInBytes, 700);
  // A directory in it is of no directory that is there.
  const inner = whole.lookup(find(whole, '/deep'), list(whole, '/deep')[0] ?? '') ?? 0;
  assert.throws(() => fs.parent(inner), gone);
  assert.equal(contents(fs, '/sizes/512'), contents(whole, '/sizes/512'));
});

test('a list of attributes that names a record of another time is a CorruptError', () => {
  const image = tableInPieces('resident');
  edit(image, 16, (record) => record.writeUInt16LE(record.readUInt16LE(16) + 1, 16));
  assert.throws(() => open(image), { name: 'CorruptError', message: /a record that is of another file/ });
});

test('halves of pairs of UTF-16 in a name are bytes that are no UTF-8, and find the file', () => {
  const image = volume('plain');
  const before = Buffer.from('Größe', 'utf16le');
  const after = Buffer.from(before);
  after.writeUInt16LE(0xd800, 4);
  for (let at = image.indexOf(before); at >= 0; at = image.indexOf(before, at + 1)) after.copy(image, at);
  const fs = open(image);
  const name = list(fs, '/names').find((one) => one.startsWith('Gr'));
  assert.equal(name, 'Gr\udced\udca0\udc80ße');
  assert.ok([...fs.entries(find(fs, '/names'))].some((entry) => entry.name === name));
  assert.equal(fs.lookup(find(fs, '/names'), 'Gr\udcffße'), undefined);
});

test('a directory of thousands of names is searched without reading all of it', () => {
  const fs = open(volume('plain'));
  const paths = pathsOf(fs);
  assert.ok(paths.size > 500);
  const many = find(fs, '/many');
  assert.equal(
    fs.lookup(many, 'one-of-many-entries-with-a-rather-long-name-7'),
    paths.get('/many/one-of-many-entries-with-a-rather-long-name-7'),
  );
});
