/** Names: folded ones, encrypted ones, and directories whose entries break the rules. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { foldName } from '../../../src/fs/ext/directory/casefold.js';
import { scanEntries } from '../../../src/fs/ext/directory/entries.js';
import { showEncryptedName } from '../../../src/fs/ext/directory/nokey.js';
import { PatchedDisk } from '../../support/damage.js';
import { pathsOf } from '../../support/tell.js';
import { openExt, openFixture, readFixture } from './fixture.js';

test('folded names agree as the kernel has them agree', () => {
  const same = [
    ['PLAIN', 'plain'],
    ['Straße', 'STRASSE'],
    ['ẞ', 'ss'],
    ['σίσυφος', 'ΣΊΣΥΦΟΣ'],
    ['é', 'e\u0301'],
    ['ÉCOLE', 'école'],
    ['ﬁn', 'FIN'],
    ['K', 'k'], // the sign of the kelvin
    ['soft\u00adhyphen', 'softhyphen'],
  ] as const;
  for (const [a, b] of same) assert.equal(foldName(a), foldName(b), `${a} ${b}`);
  assert.notEqual(foldName('ı'), foldName('i'));
  assert.notEqual(foldName('a'), foldName('b'));
  assert.equal(foldName('byte-\udcff'), undefined);
});

test('a folded directory finds names in any case, others only as they are', () => {
  const fs = openFixture('ext4-casefold');
  const paths = pathsOf(fs);
  const folded = paths.get('/folded') ?? 0;
  const plain = paths.get('/sizes') ?? 0;
  assert.equal(fs.lookup(folded, 'STRASSE'), paths.get('/folded/Straße'));
  assert.equal(fs.lookup(folded, 'école'), paths.get('/folded/ÉCOLE'));
  assert.equal(fs.lookup(folded, 'Plain'), paths.get('/folded/plain'));
  assert.equal(fs.lookup(folded, 'other'), undefined);
  assert.equal(fs.lookup(plain, 'large'), paths.get('/sizes/large'));
  assert.equal(fs.lookup(plain, 'LARGE'), undefined);
});

test('encrypted names are shown in base64url behind their hashes, long ones with a SHA-256', () => {
  const short = showEncryptedName(new Uint8Array(16).fill(0xab), { major: 0x11223344, minor: 0x55667788 });
  const decoded = Buffer.from(short, 'base64url');
  assert.equal(decoded.toString('hex'), `4433221188776655${'ab'.repeat(16)}`);
  const long = showEncryptedName(new Uint8Array(255).fill(1), { major: 0, minor: 0 });
  assert.equal(long.length, 252);
  assert.equal(Buffer.from(long, 'base64url').length, 8 + 149 + 32);
});

test('entries that break the rules are corrupt, and say where', () => {
  const rules = { blockSize: 1024, inodeCount: 100, typed: true };
  const area = (...entries: [inode: number, length: number, name: string][]) => {
    const bytes = new Uint8Array(1024);
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const [inode, length, name] of entries) {
      view.setUint32(at, inode, true);
      view.setUint16(at + 4, length, true);
      bytes[at + 6] = name.length;
      bytes.set(Buffer.from(name), at + 8);
      at += length;
    }
    return { bytes, view, start: 0, end: 1024 };
  };
  const names = (...entries: Parameters<typeof area>): string[] => {
    const found: string[] = [];
    const place = area(...entries);
    scanEntries(place, rules, false, 'directory', (offset, _inode, length) => {
      found.push(Buffer.from(place.bytes.subarray(offset + 8, offset + 8 + length)).toString());
      return false;
    });
    return found;
  };
  assert.deepEqual(names([1, 12, 'abcd'], [0, 500, ''], [2, 512, 'e']), ['abcd', 'e']);
  assert.throws(() => names([1, 0, 'a']), /invalid length/);
  assert.throws(() => names([1, 8, '']), /invalid length/);
  assert.throws(() => names([1, 14, 'a']), /invalid length/);
  assert.throws(() => names([1, 12, 'abcde']), /too short for its name/);
  assert.throws(() => names([1, 1028, 'a']), /past the end/);
  assert.throws(() => names([1, 1016, 'a']), /past the end/);
  assert.throws(() => names([101, 1024, 'a']), /invalid inode number/);
  assert.throws(() => names([1, 1024, '']), /no name/);
});

test('a damaged index does not hide names: the directory is searched without', () => {
  const image = readFixture('ext4-hash-tea-unsigned'); // has no checksums, which would tell first
  const whole = openExt(new MemoryDisk(image));
  const many = pathsOf(whole).get('/many') ?? 0;
  assert.ok((whole.attributeFlags?.(many) ?? 0) & 0x1000, 'has an index');
  const root = Buffer.from(image).indexOf(
    Buffer.from([many & 0xff, many >> 8, 0, 0, 12, 0, 1, 2, 0x2e, 0, 0, 0]),
  );
  assert.ok(root > 0);
  const lookup = (at: number, value: number): { found: number | undefined; warnings: string[] } => {
    const warnings: string[] = [];
    const disk = new PatchedDisk(image, [{ at: root + at, bytes: Uint8Array.of(value) }]);
    const fs = openExt(disk, { warn: (message) => warnings.push(message) });
    return { found: fs.lookup(many, 'an-entry-of-an-indexed-directory-137'), warnings };
  };
  const found = whole.lookup(many, 'an-entry-of-an-indexed-directory-137');
  assert.ok(found);
  assert.deepEqual(lookup(0, many & 0xff), { found, warnings: [] });
  // reserved bytes, hash version, length, levels, flags, limit, count, the block of the first entry
  for (const [at, value] of [
    [24, 1],
    [28, 77],
    [29, 9],
    [30, 3],
    [31, 1],
    [32, 5],
    [34, 0],
    [36, 0xff],
  ] as const) {
    const { found: still, warnings } = lookup(at, value);
    assert.equal(still, found, `byte ${at}`);
    if (at !== 36) assert.match(warnings.join(), /index is damaged/, `byte ${at}`);
  }
});
