/** The parts of the FAT driver that need no volume: names, times, the code page. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { decodeTime } from '../../../src/fs/dos-times.js';
import { decodeByte, toLower } from '../../../src/fs/fat/codepage437.js';
import { readEntries, shownName } from '../../../src/fs/fat/directory.js';
import { decodeShortName, foldName, shortNameChecksum } from '../../../src/fs/fat/names.js';
import { decodeUtf16Name } from '../../../src/fs/utf16-names.js';

const name = (text: string) => Buffer.from(text, 'latin1');
const units = (text: string) => Uint16Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));

test('code page 437 has 256 characters, all different, of which bytes below 0x80 are ASCII', () => {
  const all = Array.from({ length: 256 }, (_, byte) => decodeByte(byte));
  assert.equal(new Set(all).size, 256);
  assert.equal(all.slice(0, 128).join(''), String.fromCharCode(...Array(128).keys()));
  assert.equal(all[0x80], 'Ç');
  assert.equal(all[0xe1], 'ß');
  assert.equal(all[0xff], '\u00a0');
});

test('lower case is that of the code page: letters without one keep theirs', () => {
  for (let byte = 0; byte < 256; byte++) {
    const lower = toLower(byte);
    if (lower !== byte) assert.equal(decodeByte(lower), decodeByte(byte).toLowerCase());
  }
  assert.equal(decodeByte(toLower(0xe8)), 'φ');
  assert.equal(decodeByte(toLower(0xe2)), 'Γ', 'γ is not in the page');
});

test('short names are shown by their case bits', () => {
  const raw = name('README  TXT');
  assert.equal(decodeShortName(raw, 0, 'mixed'), 'README.TXT');
  assert.equal(decodeShortName(raw, 0x08, 'mixed'), 'readme.TXT');
  assert.equal(decodeShortName(raw, 0x10, 'mixed'), 'README.txt');
  assert.equal(decodeShortName(raw, 0x18, 'mixed'), 'readme.txt');
  assert.equal(decodeShortName(raw, 0x18, 'winnt'), 'readme.txt');
  assert.equal(decodeShortName(raw, 0x18, 'win95'), 'README.TXT');
  assert.equal(decodeShortName(raw, 0, 'lower'), 'readme.txt');
});

test('blanks inside a short name stay, those at the ends of its fields go', () => {
  assert.equal(decodeShortName(name('A B     C D'), 0, 'mixed'), 'A B.C D');
  assert.equal(decodeShortName(name('NOEXT      '), 0, 'mixed'), 'NOEXT');
  assert.equal(decodeShortName(name('        EXT'), 0, 'mixed'), '.EXT');
  assert.equal(decodeShortName(name('           '), 0, 'mixed'), '');
  assert.equal(decodeShortName(name('AB\0CD   E\0X'), 0, 'mixed'), 'AB.E');
  assert.equal(decodeShortName(name('\x05\x80      \x8e  '), 0x18, 'mixed'), 'σç.ä');
});

test('surrogates without their partner are left out of long names', () => {
  assert.equal(decodeUtf16Name(units('a\ud83d\ude00b\0c')), 'a😀b');
  assert.equal(decodeUtf16Name(units('a\ud83db')), 'ab');
  assert.equal(decodeUtf16Name(units('a\ude00b')), 'ab');
  assert.equal(decodeUtf16Name(units('a\ud83d')), 'a');
});

test('the checksum of a short name is a rotation and a sum for each byte', () => {
  assert.equal(shortNameChecksum(new Uint8Array(11)), 0);
  assert.equal(shortNameChecksum(name(`${'\0'.repeat(10)}\x7f`)), 0x7f);
  assert.equal(shortNameChecksum(name(`\x01${'\0'.repeat(10)}`)), 0x40, 'turned right ten times');
  assert.equal(shortNameChecksum(name(`${'\0'.repeat(9)}\xff\x02`)), 0x01, 'the sum has eight bits');
});

test('folding changes ASCII letters only', () => {
  assert.equal(foldName('ABC-ÄÖ-xyz-İ'), 'abc-ÄÖ-xyz-İ');
});

test('times count from 1980 to 2107, and overflow where fields are out of range', () => {
  const date = (year: number, month: number, day: number) => ((year - 1980) << 9) | (month << 5) | day;
  const seconds = (...parts: [number, number, number]) => Date.UTC(parts[0], parts[1] - 1, parts[2]) / 1000;
  for (const parts of [
    [1980, 1, 1],
    [2000, 2, 29],
    [2024, 12, 31],
    [2099, 12, 31],
    [2100, 2, 28],
    [2100, 3, 1],
    [2101, 1, 1],
    [2104, 2, 29],
    [2107, 12, 31],
  ] as [number, number, number][]) {
    assert.equal(decodeTime(date(...parts), 0, 0, 0).seconds, seconds(...parts), parts.join('-'));
  }
  const noon = (12 << 11) | (34 << 5) | 28;
  assert.deepEqual(decodeTime(date(2024, 2, 29), noon, 0, 0), {
    seconds: seconds(2024, 2, 29) + 12 * 3600 + 34 * 60 + 56,
    nanoseconds: 0,
  });
  assert.deepEqual(decodeTime(date(2024, 2, 29), noon, 157, -60), {
    seconds: seconds(2024, 2, 29) + 12 * 3600 + 34 * 60 + 57 - 60,
    nanoseconds: 570_000_000,
  });
  assert.equal(decodeTime(0, 0, 0, 0).seconds, seconds(1980, 1, 1));
});

/** A directory of these entries, each given as its bytes 0 to 31 by place. */
function entriesOf(...entries: Record<number, number | string>[]) {
  const directory = Buffer.alloc(entries.length * 32);
  entries.forEach((entry, index) => {
    for (const [at, value] of Object.entries(entry)) {
      if (typeof value === 'string') directory.write(value, index * 32 + Number(at), 'latin1');
      else directory[index * 32 + Number(at)] = value;
    }
  });
  return [...readEntries(new MemoryDisk(directory), 'mixed')];
}

test('a name with a slash, or an empty long name, is a CorruptError when listed', () => {
  const [slash] = entriesOf({ 0: 'A/B        ' });
  assert.throws(() => slash && shownName(slash), { name: 'CorruptError' });
  const checksum = shortNameChecksum(name('AB         '));
  const [empty] = entriesOf({ 0: 0x41, 11: 0x0f, 13: checksum }, { 0: 'AB         ' });
  assert.equal(empty?.longName, '');
  assert.throws(() => empty && shownName(empty), { name: 'CorruptError' });
});

test('entries after one whose first byte is zero are still there', () => {
  const found = entriesOf({ 0: 'A          ' }, {}, { 0: 'B          ' }, { 0: '\xe5          ' });
  assert.deepEqual(
    found.map((entry) => entry.shortName),
    ['A', 'B'],
  );
});

test('a directory that ends inside a long name ends there', () => {
  assert.deepEqual(entriesOf({ 0: 0x42, 11: 0x0f, 13: 1 }, { 0: 1, 11: 0x0f, 13: 1 }), []);
});
