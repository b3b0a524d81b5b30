/** FAT volumes made by mkfs.vfat and mtools, as the Linux kernel, mtools and blkid see them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FileDisk } from '../../../src/disk/host/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { nameEncoder } from '../../../src/fs/fat/charset.js';
import { fat } from '../../../src/fs/fat/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { readFixtureJson } from '../../support/fixtures.js';
import { readAll, readInThreeGaits } from '../../support/gaits.js';
import { find, list, sha256 } from '../../support/tell.js';
import { needs, toolEnvironment } from '../../support/tools.js';
import { openBytes, openVolume } from '../conformance.js';
import { asBlkid, askBlkid } from '../support/blkid.js';
import { fatVolumes } from './suite.js';

function open(name: string, options: Record<string, string | true> = {}): FileSystem {
  return openBytes(fat, fatVolumes.read(name), { options });
}

test('blkid tells how wide the entries of the table are', () => {
  for (const name of fatVolumes.names) {
    const probed = fat.probe(new MemoryDisk(fatVolumes.read(name)));
    assert.equal(probed?.facts.VERSION, `FAT${/\d\d/.exec(name)?.[0] ?? '12'}`, name);
  }
});

describe('files are what mtools reads', () => {
  for (const name of ['fat12', 'fat16', 'fat32']) {
    test(name, () => {
      const fs = open(name);
      const told = readFixtureJson(`fat/${name}.mtools.json`) as {
        path: string;
        sha256?: string;
      }[];
      for (const { path, sha256: sum } of told) {
        const inode = find(fs, path);
        if (sum !== undefined) assert.equal(sha256(readAll(fs.data(inode))), sum, path);
      }
    });
  }
});

test('a file in many pieces is whole, and has no holes', () => {
  for (const name of ['fat12', 'fat16', 'fat32', 'fat32-4k-sectors']) {
    const fs = open(name);
    const data = fs.data(find(fs, '/torn.bin'));
    const bytes = readInThreeGaits(data);
    assert.equal(Buffer.from(bytes).toString('latin1', 0, 12), 'torn, line 1');
    assert.deepEqual(data.span(0, data.size), { length: data.size, hole: false });
  }
});

test('names are found whatever the case of their ASCII letters, by long and by short name, with dots at the end', () => {
  const fs = open('fat16');
  const inode = find(fs, '/MixedCase.Text');
  for (const name of [
    'MIXEDCASE.TEXT',
    'mixedcase.text',
    'MIXEDC~1.TEX',
    'mixedc~1.tex',
    'MixedCase.Text..',
  ]) {
    assert.equal(fs.lookup(fs.root, name), inode, name);
  }
  assert.equal(fs.lookup(fs.root, 'ünïcödé.txt'), undefined, 'other letters have their case');
  assert.equal(fs.lookup(fs.root, 'Ünïcödé.TXT'), find(fs, '/Ünïcödé.txt'));
  assert.equal(fs.lookup(fs.root, 'NEW LABEL'), undefined, 'a label is no file');
  for (const name of ['', '.', '...', '..']) assert.equal(fs.lookup(fs.root, name), undefined);
  assert.equal(fs.caseInsensitive, true);
});

test('the option check=strict makes names differ by case', () => {
  const fs = open('fat16', { check: 'strict' });
  assert.equal(fs.caseInsensitive, false);
  assert.equal(fs.lookup(fs.root, 'MIXEDCASE.TEXT'), undefined);
  assert.notEqual(fs.lookup(fs.root, 'MixedCase.Text'), undefined);
});

test('mount options change owners, modes, times and short names', () => {
  const fs = open('fat16', {
    uid: '1000',
    gid: '100',
    umask: '077',
    fmask: '0133',
    time_offset: '60',
    shortname: 'win95',
    rodir: true,
  });
  const plain = open('fat16');
  const file = fs.stat(find(fs, '/MixedCase.Text'));
  assert.deepEqual([file.uid, file.gid, file.mode], [1000, 100, 0o100644]);
  assert.equal(fs.stat(fs.root).mode, 0o040700);
  assert.equal(fs.stat(find(fs, '/empty')).mode, 0o040500, 'a read-only directory, with rodir');
  assert.equal(plain.stat(find(plain, '/empty')).mode, 0o040755);
  assert.equal(file.modified.seconds, plain.stat(find(plain, '/MixedCase.Text')).modified.seconds - 3600);
  assert.ok(list(plain, '/').includes('lower.txt'));
  assert.ok(list(fs, '/').includes('LOWER.TXT'));
  const executable = open('fat16', { showexec: true });
  assert.equal(executable.stat(find(executable, '/MixedCase.Text')).mode, 0o100644);
});

test('options that do not exist are EINVAL; those that cannot be obeyed say so', () => {
  for (const options of [
    { nonsense: true },
    { uid: true },
    { uid: 'root' },
    { umask: '9' },
    { umask: '1000' },
    { shortname: 'short' },
    { constructor: 'x' },
    { time_offset: '-1441' },
    { utf8: '2' },
    { iocharset: 'nothing' },
    { nonumtail: 'x' },
    { nfs: 'x' },
    { showexec: '1' },
    { allow_utime: true },
    { nodiscard: true },
  ] as Record<string, string | true>[]) {
    assert.throws(() => open('fat16', options), { code: 'EINVAL' }, JSON.stringify(options));
  }
  for (const options of [{ codepage: '850' }, { utf8: 'no', iocharset: 'cp850' }] as Record<
    string,
    string
  >[]) {
    assert.throws(() => open('fat16', options), { code: 'ENOTSUP' });
  }
  for (const options of [
    { utf8: true },
    { codepage: '437' },
    { quiet: true },
    { iocharset: 'koi8-r' },
    { posix: true },
    { conv: 'b' },
    { nonumtail: '0' },
  ] as Record<string, string | true>[]) {
    open('fat16', options);
  }
});

test('names are shown in the character set that is asked for, as Linux shows them', () => {
  const names = ['CAF\u00c9.TXT', 'euro \u20ac', '\u0436\u0443\u043a', 'plain'];
  const shown = (charset: string, escaped = false) => names.map(nameEncoder(charset, escaped));
  assert.deepEqual(shown('utf8'), names);
  assert.deepEqual(shown('ascii'), ['CAF?.TXT', 'euro ?', '???', 'plain']);
  assert.deepEqual(shown('iso8859-1'), ['CAF\udcc9.TXT', 'euro ?', '???', 'plain']);
  assert.deepEqual(shown('koi8-r'), ['CAF?.TXT', 'euro ?', '\udcd6\udcd5\udccb', 'plain']);
  assert.deepEqual(shown('cp437'), ['CAF\udc90.TXT', 'euro ?', '???', 'plain']);
  assert.deepEqual(shown('ascii', true), ['CAF:00c9.TXT', 'euro :20ac', ':0436:0443:043a', 'plain']);
});

test('names that are shown otherwise are found so', () => {
  for (const options of [{ utf8: '0' }, { uni_xlate: true }] as Record<string, string | true>[]) {
    const fs = open('fat16', options);
    for (const { name, inode } of fs.entries(fs.root)) assert.equal(fs.lookup(fs.root, name), inode, name);
  }
});

test('the parent of a directory is found without having been there', () => {
  for (const name of ['fat12', 'fat32']) {
    const seen = open(name);
    const middle = find(seen, '/deep/a/b/c');
    const deepest = find(seen, '/deep/a/b/c/d');
    const fresh = open(name);
    assert.equal(fresh.parent(deepest), middle);
    assert.equal(fresh.parent(find(seen, '/deep')), fresh.root);
    assert.equal(fresh.parent(fresh.root), fresh.root);
  }
});

test('inode numbers are unique and the same at each opening', () => {
  const numbers = (fs: FileSystem): number[] => {
    const all: number[] = [];
    const visit = (inode: number) => {
      all.push(inode);
      if ((fs.stat(inode).mode & 0o170000) !== 0o040000) return;
      for (const entry of fs.entries(inode)) visit(entry.inode);
    };
    visit(fs.root);
    return all;
  };
  for (const name of ['fat12', 'fat32']) {
    const first = numbers(open(name));
    assert.equal(new Set(first).size, first.length);
    assert.deepEqual(numbers(open(name)), first);
  }
});

test('a number that names no file is a CorruptError', () => {
  const fs = open('fat16');
  for (const inode of [0, 2, -1, 0.5, 2 ** 53, Number.NaN, 1e9]) {
    assert.throws(() => fs.stat(inode), { name: 'CorruptError' }, String(inode));
  }
});

test('what does not apply to a file says so', () => {
  const fs = open('fat16');
  const file = find(fs, '/README.TXT');
  assert.throws(() => [...fs.entries(file)], { code: 'ENOTDIR' });
  assert.throws(() => fs.lookup(file, 'x'), { code: 'ENOTDIR' });
  assert.throws(() => fs.readlink(file), { code: 'EINVAL' });
  assert.throws(() => fs.data(fs.root), { code: 'EISDIR' });
  assert.equal(fs.xattrs(file).size, 0);
});

test('free clusters are counted; with usefree the FSInfo sector is believed', () => {
  const image = fatVolumes.readBuffer('fat32');
  const sector = image.readUInt16LE(48) * 512;
  const free = open('fat32').usage().freeBlocks;
  assert.equal(image.readUInt32LE(sector + 488), free);
  image.writeUInt32LE(free - 10, sector + 488);
  const told = (options: Record<string, string | true>) =>
    openBytes(fat, image, { options }).usage().freeBlocks;
  assert.equal(told({}), free);
  assert.equal(told({ usefree: true }), free - 10);
  image.writeUInt32LE(0xffffffff, sector + 488);
  assert.equal(told({ usefree: true }), free, 'an unknown count is counted');
  image.writeUInt32LE(0, sector);
  assert.equal(told({}), free, 'a bad FSInfo sector does no harm');
});

test('a volume that was not unmounted is read, with a warning', () => {
  for (const [name, at] of [
    ['fat16', 37],
    ['fat32', 65],
  ] as const) {
    const image = fatVolumes.readBuffer(name);
    image[at] = 1;
    const warnings: string[] = [];
    openBytes(fat, image, { warn: (message) => warnings.push(message) });
    assert.equal(warnings.length, 1);
  }
});

test('a directory of 70,000 entries is listed, and searched without an index', () => {
  const image = fatVolumes.readBuffer('fat32');
  const table = image.readUInt16LE(14) * 512;
  const data = table + image.readUInt8(16) * image.readUInt32LE(36) * 512;
  const fs = open('fat32');
  const many = find(fs, '/many');
  // The directory's chain is continued by clusters that are free: 16 entries in each.
  let last = image.readUInt16LE(many * 32 + 26) + image.readUInt16LE(many * 32 + 20) * 65536;
  for (let next = last; next < 0x0ffffff8; next = image.readUInt32LE(table + last * 4)) last = next;
  const first = 40_000;
  image.writeUInt32LE(first, table + last * 4);
  for (let i = 0; i < 70_000; i++) {
    const cluster = first + Math.floor(i / 16);
    image.writeUInt32LE(i < 69_999 ? cluster + 1 : 0x0fffffff, table + cluster * 4);
    image.write(
      `F${String(i).padStart(7, '0')}TXT\x20`,
      data + (cluster - 2) * 512 + (i % 16) * 32,
      'latin1',
    );
  }
  const large = openBytes(fat, image);
  assert.equal(list(large, '/many').length, 70_150);
  assert.equal(large.lookup(many, 'F0070000.TXT'), undefined);
  assert.equal(large.lookup(many, 'f0069999.txt'), (data + (first + 4374 - 2) * 512 + 15 * 32) / 32);
  assert.equal(large.lookup(many, 'FILE NUMBER 7'), find(fs, '/many/file number 7'));
});

test('blkid agrees about bent boot sectors and labels', needs('blkid'), () => {
  const bends: [string, string, (image: Buffer) => void][] = [
    ['fat16', 'no mark at the end', (image) => image.writeUInt16LE(0, 510)],
    ['fat16', 'no text', (image) => image.fill(0, 54, 62)],
    ['fat16', 'no text and no mark', (image) => image.fill(0, 54, 62).writeUInt16LE(0, 510)],
    ['fat16', 'the text of HPFS', (image) => image.write('HPFS    ', 54)],
    ['fat16', 'no reserved sectors', (image) => image.writeUInt16LE(0, 14)],
    ['fat16', 'no tables', (image) => image.writeUInt8(0, 16)],
    ['fat16', 'a media byte of 0xf0', (image) => image.writeUInt8(0xf0, 21)],
    ['fat16', 'a media byte of 0xf1', (image) => image.writeUInt8(0xf1, 21)],
    ['fat16', 'clusters of 3 sectors', (image) => image.writeUInt8(3, 13)],
    ['fat16', 'sectors of 8192 bytes', (image) => image.writeUInt16LE(8192, 11)],
    ['fat16', 'the boot label NO NAME', (image) => image.write('NO NAME    ', 43)],
    ['fat16', 'no serial number', (image) => image.writeUInt32LE(0, 39)],
    ['fat16', 'a small serial number', (image) => image.writeUInt32LE(0x1f, 39)],
    ['fat32', 'no FSInfo', (image) => image.writeUInt16LE(0, 48)],
    ['fat32', 'a bad FSInfo', (image) => image.writeUInt32LE(1, 512)],
    ['fat32', 'an empty FSInfo', (image) => image.fill(0, 512, 1024)],
    ['fat32', 'no root cluster', (image) => image.writeUInt32LE(0, 44)],
    ['fat32', 'a root cluster out of bounds', (image) => image.writeUInt32LE(0x0ffffff0, 44)],
    ['unlabelled', 'a label of blanks', (image) => writeLabel(image, '           ')],
    ['unlabelled', 'the label NO NAME', (image) => writeLabel(image, 'NO NAME    ')],
    ['unlabelled', 'a label with the stand-in for 0xE5', (image) => writeLabel(image, '\x05BC        ')],
    ['unlabelled', 'a label with a blank in front', (image) => writeLabel(image, '  BC  D    ')],
  ];
  for (const [name, what, bend] of bends) {
    const image = fatVolumes.readBuffer(name);
    bend(image);
    const ours = asBlkid(fat.probe(new MemoryDisk(image)));
    assert.deepEqual(ours, askBlkid(image), `${name}: ${what}`);
  }
});

/** Puts a label's entry into an otherwise empty place of a FAT12 volume's root directory. */
function writeLabel(image: Buffer, label: string): void {
  const root = (image.readUInt16LE(14) + 2 * image.readUInt16LE(22)) * 512;
  image.write(label, root + 32 * 20, 'latin1');
  image.fill(0xe5, root + 32 * 2, root + 32 * 20);
  image.fill(0, root + 32 * 20 + 11, root + 32 * 21);
  image[root + 32 * 20 + 11] = 0x08;
}

test('a volume made just now is read as mtools reads it', needs('mkfs.vfat', 'mcopy', 'mmd'), () => {
  const folder = mkdtempSync(join(tmpdir(), 'guestfs-fat-'));
  try {
    const run = (tool: string, ...args: string[]) =>
      execFileSync(tool, args, {
        env: { ...toolEnvironment, LC_ALL: 'C.UTF-8' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    const image = join(folder, 'image');
    const source = join(folder, 'source');
    writeFileSync(image, Buffer.alloc(6 * 1024 * 1024));
    run('mkfs.vfat', '-F', '16', '-s', '1', '-f', '1', image);
    for (let i = 0; i < 12; i++) {
      writeFileSync(source, Buffer.alloc(1500 * i, `file ${i} `));
      if (i % 4 === 0) run('mmd', '-i', image, `::directory ${i}`);
      run('mcopy', '-i', image, source, `::directory ${i - (i % 4)}/A file called ${i}`);
      if (i % 3 === 2) run('mdel', '-i', image, `::directory ${i - (i % 4)}/A file called ${i}`);
    }
    const disk = new FileDisk(image);
    const fs = openVolume(fat, disk);
    for (let i = 0; i < 12; i++) {
      const path = `directory ${i - (i % 4)}/A file called ${i}`;
      if (i % 3 === 2) {
        assert.ok(!list(fs, path.slice(0, path.indexOf('/'))).includes(`A file called ${i}`));
        continue;
      }
      const told = run('mcopy', '-i', image, `::${path}`, '-');
      assert.ok(Buffer.from(readAll(fs.data(find(fs, path)))).equals(told), path);
    }
    disk.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
