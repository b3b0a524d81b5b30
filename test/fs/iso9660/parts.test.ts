/** The parts of the ISO 9660 driver that no tool here makes an image of: rare dates, names and system use entries. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { decodeLongDate, decodeShortDate } from '../../../src/fs/iso9660/dates.js';
import { mergeField } from '../../../src/fs/iso9660/labels.js';
import { decodeJolietName, foldJolietName, translateName } from '../../../src/fs/iso9660/names.js';
import { decodeRecord, readRecords } from '../../../src/fs/iso9660/record.js';
import { decodeRockRidge } from '../../../src/fs/iso9660/rock-ridge.js';
import { readSharing, readUseEntries } from '../../../src/fs/iso9660/susp.js';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const seconds = (text: string) => Date.parse(text) / 1000;

test('short dates count from 1900, in the zone that they name', () => {
  const date = (...fields: number[]) => decodeShortDate(Uint8Array.from(fields)).seconds;
  assert.equal(date(70, 1, 1, 0, 0, 0, 0), 0);
  assert.equal(date(126, 11, 2, 12, 30, 15, 0), seconds('2026-11-02T12:30:15Z'));
  assert.equal(date(126, 11, 2, 12, 30, 15, 8), seconds('2026-11-02T12:30:15+02:00'));
  assert.equal(date(126, 11, 2, 12, 30, 15, 0x100 - 20), seconds('2026-11-02T12:30:15-05:00'));
  assert.equal(date(126, 11, 2, 12, 30, 15, 53), seconds('2026-11-02T12:30:15Z'), 'no such zone');
  assert.equal(date(65, 3, 4, 5, 6, 7, 0), seconds('1965-03-04T05:06:07Z'));
  assert.equal(date(150, 6, 1, 0, 0, 0, 0), seconds('2050-06-01T00:00:00Z'), 'beyond 2038');
  assert.equal(date(0, 0, 0, 0, 0, 0, 0), 0, 'not given');
});

test('long dates have four digits of the year, and hundredths', () => {
  const date = (text: string, zone = 0) => decodeLongDate(Buffer.concat([latin1(text), Buffer.of(zone)]));
  assert.deepEqual(date('2026110212301599'), {
    seconds: seconds('2026-11-02T12:30:15Z'),
    nanoseconds: 990_000_000,
  });
  assert.equal(date('2026110212301500', 8)?.seconds, seconds('2026-11-02T12:30:15+02:00'));
  assert.equal(date('0099010100000000')?.seconds, seconds('0099-01-01T00:00:00Z'), 'no century is added');
  assert.equal(date('0000000000000000'), undefined);
  assert.equal(date('0000000000000000', 4), undefined);
  assert.equal(date('                '), undefined);
  assert.equal(date('\0'.repeat(16)), undefined);
  assert.equal(date('2026'), undefined);
});

test('plain names are shown in lower case, without version 1', () => {
  const cases: [string, string][] = [
    ['README.TXT;1', 'readme.txt'],
    ['README.;1', 'readme'],
    ['README;1', 'readme'],
    ['README.TXT;2', 'readme.txt.2'],
    ['README.TXT', 'readme.txt'],
    ['README.', 'readme.'],
    ['A;B/C.;1', 'a.b.c'],
    ['A;1;1', 'a.1'],
    ['AB\0CD;1', 'ab'],
    [';1', ''],
    ['.;1', ''],
    ['\xc4.TXT;1', '\udcc4.txt'],
  ];
  for (const [stored, shown] of cases) assert.equal(translateName(latin1(stored)), shown, stored);
});

test("Joliet's names lose version 1 and dots at the end", () => {
  const joliet = (text: string) => decodeJolietName(Buffer.from(text, 'utf16le').swap16());
  assert.equal(joliet('Readme.Txt;1'), 'Readme.Txt');
  assert.equal(joliet('Readme.Txt;2'), 'Readme.Txt;2');
  assert.equal(joliet('dots...;1'), 'dots');
  assert.equal(joliet('...'), '.');
  assert.equal(joliet('ab\0cd'), 'ab');
  assert.equal(joliet('漢字😀'), '漢字😀');
  assert.equal(joliet('a\ud83db\ude00'), 'ab');
  assert.equal(decodeJolietName(Buffer.of(0, 0x61, 0)), 'a', 'an odd byte at the end is no character');
  assert.equal(foldJolietName('ABC.Ä..'), 'abc.Ä');
});

/** A system use entry. */
function entry(signature: string, ...data: (number[] | string)[]): Buffer {
  const body = Buffer.concat(data.map((one) => (typeof one === 'string' ? latin1(one) : Buffer.from(one))));
  return Buffer.concat([latin1(signature), Buffer.of(4 + body.length, 1), body]);
}
const both = (value: number): number[] => {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(value, 0);
  bytes.writeUInt32BE(value, 4);
  return [...bytes];
};
const nothing = new MemoryDisk(new Uint8Array(0));
const decode = (...entries: Buffer[]) =>
  decodeRockRidge(readUseEntries(nothing, 2048, Buffer.concat(entries), 0));

test('a field of the primary descriptor continues that of Joliet, byte by byte as Latin-1, up to a NUL', () => {
  const joliet = Buffer.from('Label'.padEnd(8), 'utf16le').swap16();
  assert.equal(mergeField(latin1('LABEL   AND MORE'), joliet), 'Label   AND MORE');
  assert.equal(mergeField(latin1('LABEL   AND \xffORE'), joliet), 'Label   AND ÿORE');
  assert.equal(mergeField(latin1('LABEL   AND \0ORE'), joliet), 'Label   AND ');
  assert.equal(mergeField(latin1('OTHER   AND MORE'), joliet), 'Label   ');
});

test('names come in parts, of which those for . and .. do not count', () => {
  const shown = (...entries: Buffer[]) => Buffer.from(decode(...entries).name ?? []).toString();
  assert.equal(shown(entry('NM', [1], 'one '), entry('NM', [0], 'two')), 'one two');
  assert.equal(shown(entry('NM', [2])), '');
  assert.equal(shown(entry('NM', [4]), entry('NM', [0], 'x')), 'x');
  assert.equal(shown(entry('NM', [0], 'ab\0cd')), 'ab');
  assert.equal(shown(entry('NM')), '');
  assert.equal(shown(entry('NM', [1], 'x'.repeat(240)), entry('NM', [0], 'y'.repeat(240))).length, 255);
  assert.equal(decode(entry('NM', [0])).name, undefined);
});

test('symbolic links are joined from components of every kind', () => {
  const target = (...entries: Buffer[]) => Buffer.from(decode(...entries).symlink ?? []).toString();
  const part = (flags: number, text = ''): string => String.fromCharCode(flags, text.length) + text;
  assert.equal(target(entry('SL', [0], part(0, 'a'), part(0, 'b'))), 'a/b');
  assert.equal(target(entry('SL', [0], part(8), part(0, 'a'))), '/a');
  assert.equal(target(entry('SL', [0], part(8))), '/');
  assert.equal(target(entry('SL', [0], part(4), part(2), part(4), part(0, 'x'))), '.././../x');
  assert.equal(target(entry('SL', [0], part(1, 'lo'), part(0, 'ng'), part(0, 'x'))), 'long/x');
  assert.equal(target(entry('SL', [1], part(1, 'lo')), entry('SL', [0], part(0, 'ng'))), 'long');
  assert.equal(target(entry('SL', [1], part(0, 'a')), entry('SL', [0], part(0, 'b'))), 'a/b');
  assert.equal(target(entry('SL', [0], part(0, 'a'), '\x00\x09ab')), 'a/', 'a component that is cut short');
});

test('times have two forms', () => {
  const short = [126, 11, 2, 12, 30, 15, 0];
  const result = decode(entry('TF', [0x0e], short, [100, 1, 1, 0, 0, 0, 0], [101, 1, 1, 0, 0, 0, 0]));
  assert.equal(result.modified?.seconds, seconds('2026-11-02T12:30:15Z'));
  assert.equal(result.accessed?.seconds, seconds('2000-01-01T00:00:00Z'));
  assert.equal(result.changed?.seconds, seconds('2001-01-01T00:00:00Z'));
  const long = decode(entry('TF', [0x82], '2026110212301550\0'));
  assert.deepEqual(long.modified, { seconds: seconds('2026-11-02T12:30:15Z'), nanoseconds: 500_000_000 });
  assert.equal(decode(entry('TF', [0x0f], short)).modified, undefined, 'cut short');
  assert.notEqual(decode(entry('TF', [0x01], short)).changed, undefined, 'creation stands in for change');
});

test('devices are stored in two ways', () => {
  const device = (high: number, low: number) => {
    const { deviceMajor, deviceMinor } = decode(entry('PN', both(high), both(low)));
    return [deviceMajor, deviceMinor];
  };
  assert.deepEqual(device(1, 3), [1, 3]);
  assert.deepEqual(device(259, 65537), [259, 65537]);
  assert.deepEqual(device(0, (8 << 8) | 17), [8, 17]);
  assert.deepEqual(device(0, 5), [0, 5]);
  assert.deepEqual(device(0, 0x10010301), [259, 1], 'as libisofs stores 259 and 65537: Linux drops bits');
});

test('attributes have a serial number in the later version', () => {
  const px = [...both(0o100644), ...both(2), ...both(1000), ...both(100)];
  for (const more of [[], both(77)]) {
    const { mode, links, uid, gid } = decode(entry('PX', px, more));
    assert.deepEqual([mode, links, uid, gid], [0o100644, 2, 1000, 100]);
  }
  assert.equal(decode(entry('PX', px.slice(0, 8))).mode, undefined);
});

test('entries end at ST, at one that is too long, and at one that is too short', () => {
  const names = (...entries: Buffer[]) =>
    [...readUseEntries(nothing, 2048, Buffer.concat(entries), 0)].map(({ signature }) => signature);
  const [a, b] = [entry('AA'), entry('BB', [1, 2, 3])];
  assert.deepEqual(names(a, b), ['AA', 'BB']);
  assert.deepEqual(names(a, entry('ST'), b), ['AA']);
  assert.deepEqual(names(a, Buffer.from('XX\x00\x01', 'latin1'), b), ['AA']);
  assert.deepEqual(names(a, Buffer.from('XX\x09\x01', 'latin1')), ['AA']);
  assert.deepEqual(names(a, Buffer.of(0)), ['AA'], 'one byte of padding');
});

test('continuations are followed in their block, and no further than a bound', () => {
  const blocks = Buffer.alloc(4 * 2048);
  const follow = (extent: number, offset: number, length: number) =>
    entry('CE', both(extent), both(offset), both(length));
  entry('AA').copy(blocks, 2048 + 100);
  follow(1, 100, 32).copy(blocks, 2048 + 104);
  const disk = new MemoryDisk(blocks);
  const names = (area: Buffer) => [...readUseEntries(disk, 2048, area, 0)].map(({ signature }) => signature);
  assert.equal(names(follow(1, 100, 32)).length, 31, 'a loop');
  assert.deepEqual(names(follow(1, 100, 4)), ['AA']);
  assert.deepEqual(
    names(Buffer.concat([follow(1, 100, 4), entry('BB')])),
    ['BB', 'AA'],
    'after the rest of its area',
  );
  for (const bad of [
    follow(0, 100, 4),
    follow(1, 2040, 32),
    follow(9, 0, 4),
    follow(0xffffffff, 0xffffffff, 0xffffffff),
  ]) {
    assert.deepEqual(names(bad), []);
  }
});

test('the root says how much to skip, also behind the 14 bytes of CD-ROM XA', () => {
  const sharing = entry('SP', [0xbe, 0xef, 14]);
  const er = entry('ER', [0, 0, 0, 1]);
  assert.deepEqual(readSharing(nothing, 2048, Buffer.concat([sharing, er])), { skip: 14, declared: true });
  assert.deepEqual(readSharing(nothing, 2048, Buffer.concat([Buffer.alloc(14), sharing, er])), {
    skip: 14,
    declared: true,
  });
  assert.deepEqual(readSharing(nothing, 2048, entry('SP', [0, 0, 14])), { skip: 0, declared: false });
});

/** A directory record. */
function record(name: string, fields: { flags?: number; extent?: number; length?: number } = {}): Buffer {
  const raw = Buffer.alloc(33 + name.length + ((name.length + 1) % 2));
  raw[0] = raw.length;
  raw.writeUInt32LE(fields.extent ?? 0, 2);
  raw.writeUInt32LE(fields.length ?? 0, 10);
  raw[25] = fields.flags ?? 0;
  raw[32] = name.length;
  raw.write(name, 33, 'latin1');
  return raw;
}

test('records fill sectors; the rest of one is zeroes', () => {
  const sectors = Buffer.alloc(3 * 2048);
  record('ONE;1').copy(sectors, 0);
  record('TWO;1').copy(sectors, 2048);
  record('THREE;1').copy(sectors, 2048 + 38);
  const disk = new MemoryDisk(sectors);
  const names = (end: number) =>
    [...readRecords(disk, 0, end)].map(({ name }) => Buffer.from(name).toString());
  assert.deepEqual(names(3 * 2048), ['ONE;1', 'TWO;1', 'THREE;1']);
  assert.deepEqual(names(2048), ['ONE;1']);
  assert.throws(() => names(4 * 2048), { name: 'CorruptError' });
});

test('a record that is too short, or whose name is too long, is a CorruptError', () => {
  const good = record('NAME;1');
  assert.equal(decodeRecord(good, 0, 0).length, 40);
  for (const length of [0, 1, 33, 38, 41, 255]) {
    const bad = Buffer.from(good);
    bad[0] = length;
    assert.throws(() => decodeRecord(bad, 0, 0), { name: 'CorruptError' }, String(length));
  }
  const long = Buffer.from(good);
  long[32] = 8;
  assert.throws(() => decodeRecord(long, 0, 0), { name: 'CorruptError' });
});
