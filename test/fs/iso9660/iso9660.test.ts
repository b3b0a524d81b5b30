/** Images made by genisoimage and xorriso, as the Linux kernel, guestfish and blkid see them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FileDisk } from '../../../src/disk/host/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import type { FileSystem } from '../../../src/fs/driver.js';
import { iso9660, isoDetails } from '../../../src/fs/iso9660/index.js';
import { acornName } from '../../../src/fs/iso9660/names.js';
import { readFixtureJson } from '../../support/fixtures.js';
import { readAll, readInThreeGaits } from '../../support/gaits.js';
import { find, list } from '../../support/tell.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { openBytes, openVolume } from '../conformance.js';
import { asBlkid, askBlkid } from '../support/blkid.js';
import { diskOf, type Pieces } from '../support/pieces.js';
import { isoImages } from './suite.js';

const open = (name: string, options: Record<string, string | true> = {}): FileSystem =>
  openBytes(iso9660, isoImages.read(name), { options });

describe('what blkid tells in full', () => {
  for (const name of isoImages.names) {
    test(name, needs('blkid'), () => {
      const image = isoImages.read(name);
      assert.deepEqual(asBlkid(iso9660.probe(new MemoryDisk(image))), askBlkid(image));
    });
  }
});

test('the details are what guestfish tells', () => {
  type Fields = Record<string, string | number>;
  const told = readFixtureJson('iso/details.json') as Record<string, Fields>;
  assert.ok(Object.keys(told).length >= 10);
  for (const [name, fields] of Object.entries(told)) {
    const ours = isoDetails(new MemoryDisk(isoImages.readBuffer(name)));
    assert.deepEqual(
      {
        iso_system_id: ours.systemId,
        iso_volume_id: ours.volumeId,
        iso_volume_space_size: ours.volumeSpaceSize,
        iso_volume_set_size: ours.volumeSetSize,
        iso_volume_sequence_number: ours.volumeSequenceNumber,
        iso_logical_block_size: ours.logicalBlockSize,
        iso_volume_set_id: ours.volumeSetId,
        iso_publisher_id: ours.publisherId,
        iso_data_preparer_id: ours.dataPreparerId,
        iso_application_id: ours.applicationId,
        iso_copyright_file_id: ours.copyrightFileId,
        iso_abstract_file_id: ours.abstractFileId,
        iso_bibliographic_file_id: ours.bibliographicFileId,
        iso_volume_creation_t: ours.creation,
        iso_volume_modification_t: ours.modification,
        iso_volume_expiration_t: ours.expiration,
        iso_volume_effective_t: ours.effective,
      },
      fields,
      name,
    );
  }
});

test('a disk without a primary descriptor has no details', () => {
  assert.throws(() => isoDetails(new MemoryDisk(new Uint8Array(100_000))), { name: 'CorruptError' });
  assert.throws(() => isoDetails(new MemoryDisk(new Uint8Array(10))), { name: 'CorruptError' });
});

test('Rock Ridge is preferred to Joliet, and Joliet to plain names; options turn them off', () => {
  const name = 'a name that is much longer than level 1 and level 2 allow.text';
  assert.ok(list(open('both'), '/').includes(name));
  assert.equal(open('both').caseInsensitive, false);
  const joliet = open('both', { norock: true });
  assert.ok(list(joliet, '/').includes(name));
  assert.equal(joliet.caseInsensitive, true);
  assert.equal(joliet.stat(find(joliet, '/lower.txt')).mode, 0o100555);
  assert.ok(list(open('both', { norock: true, nojoliet: true }), '/').includes('a_name_t.tex'));
  assert.ok(list(open('both', { norock: true, nojoliet: true, map: 'off' }), '/').includes('A_NAME_T.TEX;1'));
  assert.ok(list(open('joliet', { nojoliet: true }), '/').includes('a_name_t.tex'));
});

test("Joliet's names are found whatever their case, and with dots at the end", () => {
  const fs = open('joliet');
  const inode = find(fs, '/lower.txt');
  for (const name of ['LOWER.TXT', 'Lower.txt', 'lower.txt..'])
    assert.equal(fs.lookup(fs.root, name), inode, name);
  assert.equal(open('joliet', { check: 'strict' }).lookup(fs.root, 'LOWER.TXT'), undefined);
  const rock = open('rock');
  assert.equal(rock.lookup(rock.root, 'LOWER.TXT'), undefined);
  const relaxed = open('rock', { check: 'relaxed' });
  assert.equal(relaxed.lookup(relaxed.root, 'LOWER.TXT'), find(rock, '/lower.txt'));
});

test('mount options change owners and modes', () => {
  const plain = open('level1', { uid: '7', gid: '8', mode: '0640', dmode: '0750' });
  const file = plain.stat(find(plain, '/lower.txt'));
  assert.deepEqual([file.uid, file.gid, file.mode], [7, 8, 0o100640]);
  assert.equal(plain.stat(plain.root).mode, 0o040750);
  const rock = open('rock', { uid: '7', mode: '0640' });
  const kept = rock.stat(find(rock, '/lower.txt'));
  assert.deepEqual([kept.uid, kept.gid, kept.mode], [7, 100, 0o100600]);
  const forced = open('rock', { mode: '0640', overriderockperm: true });
  assert.equal(forced.stat(find(forced, '/lower.txt')).mode, 0o100640);
});

test('options that do not exist are EINVAL; those that cannot be obeyed say so', () => {
  for (const options of [
    { nonsense: true },
    { uid: '-1' },
    { mode: '888x' },
    { map: 'x' },
    { toString: true },
  ] as Record<string, string | true>[]) {
    assert.throws(() => open('level1', options), { code: 'EINVAL' }, JSON.stringify(options));
  }
  for (const options of [
    { session: '99' },
    { session: true },
    { sbsector: 'x' },
    { utf8: '1' },
    { hide: '1' },
    { mode: '088' },
  ] as Record<string, string | true>[]) {
    assert.throws(() => open('level1', options), { code: 'EINVAL' }, JSON.stringify(options));
  }
  assert.throws(() => open('level1', { sbsector: '16' }), { code: 'ENOTSUP' });
  assert.throws(() => open('both', { norock: true, iocharset: 'koi8-r' }), { code: 'ENOTSUP' });
  for (const options of [
    { session: '98' },
    { map: 'acorn' },
    { iocharset: 'koi8-r' },
    { cruft: true },
  ] as Record<string, string | true>[]) {
    assert.ok(open('level1', options));
  }
});

test('permissions are read as the kernel reads numbers: octal with a zero in front, else decimal', () => {
  const modeOf = (mode: string): number => {
    const fs = open('level1', { mode });
    const modes = [...fs.entries(fs.root)].map(({ inode }) => fs.stat(inode).mode);
    return (modes.find((each) => (each & 0o170000) === 0o100000) ?? 0) & 0o7777;
  };
  assert.deepEqual([modeOf('0444'), modeOf('9'), modeOf('0x1ff')], [0o444, 9, 0o777]);
});

test('map=acorn shows the types of RISC OS, and what begins with an exclamation mark', () => {
  const systemUse = (type: number, attributes: number): Uint8Array => {
    const bytes = Buffer.alloc(32);
    bytes.write('ARCHIMEDES');
    bytes.writeUInt32LE((0xfff00000 | (type << 8)) >>> 0, 10);
    bytes[19] = attributes;
    return bytes;
  };
  assert.equal(acornName('readme', { systemUse: systemUse(0xfff, 0), flags: 0 }), 'readme,fff');
  assert.equal(acornName('_run', { systemUse: systemUse(0xfeb, 1), flags: 0 }), '!run,feb');
  assert.equal(acornName('_app', { systemUse: systemUse(0xfff, 1), flags: 2 }), '!app');
  assert.equal(acornName('_x', { systemUse: Buffer.alloc(32), flags: 0 }), '_x');
  assert.equal(acornName('_x', { systemUse: systemUse(0xfff, 1).subarray(0, 30), flags: 0 }), '_x');
});

test('hidden and associated files are shown by the options', () => {
  const names = (options: Record<string, string | true>) => list(open('odd-level1', options), '/');
  assert.ok(names({}).includes('nothing'));
  assert.ok(!names({ hide: true }).includes('nothing'));
  assert.ok(!names({}).includes('noextens'));
  assert.ok(names({ showassoc: true }).includes('noextens'));
});

test('a file of several sections reads the same in three gaits', () => {
  const fs = open('odd-level1');
  const bytes = Buffer.from(readInThreeGaits(fs.data(find(fs, '/multi.bin'))));
  assert.equal(bytes.length, 6144 + 4096 + 100);
  assert.ok(bytes.toString('latin1', 6144).startsWith('two sections more, line 1\n'));
  assert.ok(bytes.toString('latin1', 6144 + 4096).startsWith('the end, line 1\n'));
});

test('a compressed file reads the same in three gaits, and its stored bytes with nocompress', () => {
  const fs = open('zisofs');
  const bytes = Buffer.from(readInThreeGaits(fs.data(find(fs, '/size-40000'))));
  assert.equal(bytes.length, 40_000);
  assert.ok(bytes.toString('latin1').startsWith('size 40000, line 1\nsize 40000, line 2\n'));
  const raw = open('zisofs', { nocompress: true });
  const stored = readAll(raw.data(find(raw, '/size-40000')));
  assert.deepEqual([...stored.subarray(0, 4)], [0x37, 0xe4, 0x53, 0x96]);
});

test('compressed blocks of a size or with pointers that cannot be are driver errors', () => {
  const image = isoImages.readBuffer('zisofs');
  const fs = openBytes(iso9660, image);
  const start = image.indexOf(Buffer.from('37e45396c9dbd607', 'hex'));
  const bends: [number, number][] = [
    [0, 0], // the mark
    [8, 1], // the size
    [12, 0], // the header's size
    [13, 20], // the blocks' size
    [16, 0], // the first pointer
    [19, 0xff],
    [23, 0xff], // the second one
  ];
  const found = list(fs, '/')
    .map((name) => find(fs, `/${name}`))
    .filter((inode) => (fs.stat(inode).mode & 0o170000) === 0o100000 && fs.stat(inode).sizeInBytes > 1000);
  for (const [at, value] of bends) {
    const bent = Buffer.from(image);
    bent[start + at] = value;
    const opened = openBytes(iso9660, bent);
    const failures = found.filter((inode) => {
      try {
        readAll(opened.data(inode));
        return false;
      } catch (error) {
        assert.match((error as Error).name, /^(Corrupt|Unsupported)Error$/);
        return true;
      }
    });
    assert.equal(failures.length, 1, `byte ${at}`);
  }
});

test('a file of more than 4 GiB is one file', () => {
  const disk = diskOf(readFixtureJson<Pieces>('iso/huge.json.gz'));
  const fs = openVolume(iso9660, disk);
  const inode = find(fs, '/big');
  assert.equal(list(fs, '/').length, 1);
  assert.equal(fs.stat(inode).sizeInBytes, 4_297_064_448);
  assert.equal(fs.stat(inode).blockCount512, 4_297_064_448 / 512);
  const data = fs.data(inode);
  const text = (offset: number, length: number) => {
    const bytes = Buffer.alloc(length);
    data.read(bytes, offset);
    return bytes.toString('latin1');
  };
  assert.equal(text(0, 6), 'first\0');
  assert.equal(text(4_294_965_245, 8), '\0border\0', 'across the border of the sections');
  assert.equal(text(4_297_064_444, 4), 'last');
  const elsewhere = openVolume(iso9660, disk);
  assert.equal(elsewhere.stat(inode).sizeInBytes, 4_297_064_448, 'without the directory having been listed');
});

test('deep directories are where they belong, and not where they were moved to', () => {
  const fs = open('rock');
  assert.equal(
    Buffer.from(readAll(fs.data(find(fs, '/deep/2/3/4/5/6/7/8/9/10/11/bottom')))).toString(),
    'eleven\n',
  );
  assert.deepEqual(list(fs, '/rr_moved'), []);
  const moved = find(fs, '/deep/2/3/4/5/6/7/8');
  assert.equal(open('rock').parent(moved), find(fs, '/deep/2/3/4/5/6/7'));
});

test('a number that names no file is a CorruptError', () => {
  const fs = open('rock');
  for (const inode of [0, -1, 0.5, 2 ** 53, Number.NaN, 1e12, fs.root + 63]) {
    assert.throws(() => fs.stat(inode), { name: 'CorruptError' }, String(inode));
  }
});

test('what does not apply to a file says so', () => {
  const fs = open('rock');
  const file = find(fs, '/lower.txt');
  assert.throws(() => [...fs.entries(file)], { code: 'ENOTDIR' });
  assert.throws(() => fs.lookup(file, 'x'), { code: 'ENOTDIR' });
  assert.throws(() => fs.parent(file), { code: 'ENOTDIR' });
  assert.throws(() => fs.readlink(file), { code: 'EINVAL' });
  assert.throws(() => fs.data(fs.root), { code: 'EISDIR' });
  assert.equal(fs.xattrs(file).size, 0);
  assert.equal(fs.parent(fs.root), fs.root);
});

test('interleaved files are refused one by one', () => {
  const image = isoImages.readBuffer('level1');
  const fs = openBytes(iso9660, image);
  const inode = find(fs, '/lower.txt');
  const at = image.indexOf('LOWER.TXT;1', 32 * 1024);
  image[at - 33 + 27] = 1;
  assert.throws(() => openBytes(iso9660, image).data(inode), { name: 'UnsupportedError' });
  assert.ok(openBytes(iso9660, image).data(find(fs, '/upper.txt')).size > 0);
});

test('blkid agrees about bent descriptors', needs('blkid'), () => {
  const primary = 16 * 2048;
  const plain = isoImages.readBuffer('level1');
  const joliet = isoImages.readBuffer('joliet');
  const second = 17 * 2048;
  assert.equal(joliet[second], 2);
  const utf16 = (text: string) => Buffer.from(text, 'utf16le').swap16();
  const both = (one: string, other: string | Buffer) => {
    const image = Buffer.from(joliet);
    for (const [at, length] of [
      [8, 32],
      [40, 32],
      [190, 128],
      [318, 128],
      [446, 128],
      [574, 128],
    ] as const) {
      image.write(one.padEnd(length).slice(0, length), primary + at, 'latin1');
      const value = typeof other === 'string' ? utf16(other) : other;
      Buffer.concat([value, utf16(' '.repeat(length))]).copy(image, second + at, 0, length);
    }
    return image;
  };
  const bent = (bend: (image: Buffer) => void) => {
    const image = Buffer.from(plain);
    bend(image);
    return image;
  };
  const cases: [string, Buffer][] = [
    ['equal', both('ABC', 'ABC')],
    ['case', both('ABC', 'abc')],
    ['the other case', both('abc', 'ABC')],
    ['long and equal', both('ABCDEFGHIJKLMNOPQRSTUVWX', 'abcdefghijklmnop')],
    ['long and not equal', both('ABCDEFGHIJKLMNOPQRSTUVWX', 'abcdefghijklmnox')],
    ['accents', both('ABCDEFGHIJ_LMNOPQRSTUVWX', 'abcdefghijälmnop')],
    ['slashes', both('AB/CD', 'ab_cd')],
    ['other words', both('ABC', 'other')],
    ['blank Joliet', both('  Val x', '')],
    ['blank primary', both('', 'other')],
    ['a file name', both('_FILE.TXT', '')],
    ['a NUL', both('abc\0d', 'abc')],
    ['very long', both('V'.repeat(100), 'v'.repeat(64))],
    ['beyond the first plane', both('A_B__', 'A😀B_')],
    ['level 1', bent(() => {})],
    ['no modification date', bent((image) => image.fill('0', primary + 830, primary + 846))],
    [
      'a zone but no date',
      bent((image) => image.fill('0', primary + 830, primary + 846).fill(4, primary + 846, primary + 847)),
    ],
    [
      'no dates at all',
      bent((image) =>
        image
          .fill('0', primary + 813, primary + 864)
          .fill(0, primary + 829, primary + 830)
          .fill(0, primary + 846, primary + 847),
      ),
    ],
    ['dates of NULs', bent((image) => image.fill(0, primary + 813, primary + 864))],
    ['a date cut short', bent((image) => image.fill(0, primary + 834, primary + 847))],
    ['blocks of 1024', bent((image) => image.writeUInt16LE(1024, primary + 128))],
    ['a boot record first', bent((image) => image.writeUInt8(0, primary))],
    ['a supplementary first', bent((image) => image.writeUInt8(2, primary))],
    ['another id', bent((image) => image.write('CD002', primary + 1))],
    [
      'High Sierra',
      bent((image) => image.write('CDROM', primary + 9).toString() && image.write('XXXXX', primary + 1)),
    ],
  ];
  for (const [what, image] of cases) {
    assert.deepEqual(asBlkid(iso9660.probe(new MemoryDisk(image))), askBlkid(image), what);
  }
});

test('an image made just now is read as isoinfo reads it', needs('genisoimage', 'isoinfo'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'guestfs-iso-'));
  try {
    const run = (tool: string, ...args: string[]) => execFileSync(tool, args, { env: toolEnvironment });
    mkdirSync(join(folder, 'tree/one/two'), { recursive: true });
    for (let i = 0; i < 60; i++)
      writeFileSync(join(folder, `tree/one/a file called ${i}`), Buffer.alloc(i * 100, `${i} `));
    symlinkSync('../one/two', join(folder, 'tree/one/two/link'));
    const image = join(folder, 'image.iso');
    run('genisoimage', '-quiet', '-R', '-o', image, join(folder, 'tree'));
    const disk = new FileDisk(image);
    const fs = openVolume(iso9660, disk);
    for (let i = 0; i < 60; i++) {
      const path = `/one/a file called ${i}`;
      const told = run('isoinfo', '-R', '-i', image, '-x', path);
      assert.ok(Buffer.from(readAll(fs.data(find(fs, path)))).equals(told), path);
    }
    assert.equal(fs.readlink(find(fs, '/one/two/link')), '../one/two');
    const told = run('isoinfo', '-R', '-f', '-i', image).toString().trim().split('\n').sort();
    const ours: string[] = [];
    const visit = (inode: number, path: string) => {
      for (const entry of fs.entries(inode)) {
        ours.push(`${path}/${entry.name}`);
        if ((fs.stat(entry.inode).mode & 0o170000) === 0o040000) visit(entry.inode, `${path}/${entry.name}`);
      }
    };
    visit(fs.root, '');
    assert.deepEqual(ours.sort(), told);
    disk.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
