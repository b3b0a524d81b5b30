/** What the command shows: escapes, widths, tables, sizes, modes and times. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText, typeOfMode } from '../../src/base/index.js';
import { type FileRecord, recordsJson } from '../../src/cli/guest/file-record.js';
import { modeText, permissionsText, timeText } from '../../src/cli/guest/file-words.js';
import { painter, wantsColor } from '../../src/cli/terminal/colors.js';
import { LineWriter } from '../../src/cli/terminal/line-writer.js';
import type { Output } from '../../src/cli/terminal/output.js';
import { humanSize, parseSize } from '../../src/cli/terminal/sizes.js';
import { alignedLines, factLines, gridLines, tableLines, tableOf } from '../../src/cli/terminal/table.js';
import { visible, visibleJson } from '../../src/cli/terminal/visible.js';
import { cut, padEnd, padStart, widthOf } from '../../src/cli/terminal/width.js';
import { deviceNumbers, HexDump, hexLine } from '../../src/formats/index.js';

test('what a terminal obeys is shown as an escape, and everything else as it is', () => {
  assert.equal(visible('plain é 漢字 \\'), 'plain é 漢字 \\');
  assert.equal(visible('a\x1b[31mb\x07'), 'a\\x1b[31mb\\x07');
  assert.equal(visible('a\nb\tc\rd'), 'a\\nb\\tc\\rd');
  assert.equal(visible('\x9bA\x7f'), '\\x9bA\\x7f');
  assert.equal(visible('x\u202egpj'), 'x\\u{202e}gpj');
  assert.equal(visible('\udcff\udc80'), '\\xff\\x80');
  assert.equal(visible('\ud800'), '\\u{d800}');
});

test('a backslash is doubled only where something else was escaped', () => {
  assert.equal(visible('a\\b'), 'a\\b');
  assert.equal(visible('a\\b\n'), 'a\\\\b\\n');
});

test('JSON keeps the value and holds no character that a terminal obeys', () => {
  const value = { 'a\x9b': ['\x7f\u2028\u202e\udcff\x1b', 1] };
  const json = visibleJson(value);
  assert.deepEqual(JSON.parse(json), value);
  assert.match(json, /^[\x20-\x7e]*$/);
  assert.equal(visibleJson(new Map([['b', 12345678901234567890n]])), '{"b":"12345678901234567890"}');
});

test('a text is as wide as a terminal shows it', () => {
  assert.equal(widthOf('abc'), 3);
  assert.equal(widthOf('漢字'), 4);
  assert.equal(widthOf('e\u0301'), 1);
  assert.equal(widthOf('é'), 1);
  assert.equal(widthOf('😀'), 2);
  assert.equal(widthOf('한국어'), 6);
  assert.equal(widthOf('ｆｕｌｌ'), 8);
  assert.equal(widthOf('a\u200db'), 2);
});

test('padding and cutting count columns, not characters', () => {
  assert.equal(padEnd('漢', 4), '漢  ');
  assert.equal(padStart('漢', 4), '  漢');
  assert.equal(padEnd('longer', 3), 'longer');
  assert.equal(cut('abcdef', 6), 'abcdef');
  assert.equal(cut('abcdef', 4), 'abc…');
  assert.equal(cut('漢字漢字', 4), '漢…');
  assert.equal(cut('abc', 0), '');
});

test('columns of a table stand under their titles', () => {
  const lines = tableLines(
    [{ title: 'NAME' }, { title: 'SIZE', right: true }, { title: 'END' }],
    [
      ['漢字', '1', 'x'],
      ['a\nb', '1234567', 'y'],
    ],
  );
  assert.deepEqual(lines, ['NAME     SIZE  END', '漢字        1  x', 'a\\nb  1234567  y']);
});

test('an optional column that is empty in every row is left out', () => {
  const rows = [{ a: '1', b: '' }];
  const columns = [
    { title: 'A', cell: (row: (typeof rows)[number]) => row.a },
    { title: 'B', optional: true, cell: (row: (typeof rows)[number]) => row.b },
  ];
  assert.deepEqual(tableOf(columns, rows), ['A', '1']);
  assert.deepEqual(tableOf(columns, [{ a: '1', b: '2' }]), ['A  B', '1  2']);
});

test('lines end without blanks', () => {
  assert.deepEqual(
    alignedLines(
      [
        ['a', ''],
        ['bbb', 'c'],
      ],
      [false, false],
    ),
    ['a', 'bbb  c'],
  );
  assert.deepEqual(
    factLines(
      [
        ['Name', 'x'],
        ['Longer', 'y'],
      ],
      ' ',
    ),
    [' Name    x', ' Longer  y'],
  );
});

test('a grid fills its columns downwards and keeps to the width', () => {
  const words = ['aa', 'b', 'ccc', 'd', 'ee'].map((text) => ({ text, shown: text }));
  assert.deepEqual(gridLines(words, 80), ['aa  b  ccc  d  ee']);
  assert.deepEqual(gridLines(words, 10), ['aa   d', 'b    ee', 'ccc']);
  assert.deepEqual(gridLines(words, 3), ['aa', 'b', 'ccc', 'd', 'ee']);
  assert.deepEqual(gridLines([], 80), []);
});

test('a grid of many names with a long one among them is made at once, and loses none', () => {
  const words = Array.from({ length: 50_000 }, (_, index) => {
    const text = index === 7 ? 'x'.repeat(300) : `name${index}`;
    return { text, shown: text };
  });
  const start = performance.now();
  const lines = gridLines(words, 80);
  assert.ok(performance.now() - start < 5000);
  assert.equal(lines.join(' ').split(/\s+/).length, words.length);
});

test('sizes are rounded up, and never to a number that the next unit has a word for', () => {
  const cases: [number, string][] = [
    [0, '0'],
    [1023, '1023'],
    [1024, '1.0K'],
    [1025, '1.1K'],
    [10 * 1024, '10K'],
    [10 * 1024 - 1, '10K'],
    [1024 ** 2 - 1, '1.0M'],
    [1024 ** 3, '1.0G'],
    [1.5 * 1024 ** 4, '1.5T'],
    [Number.MAX_SAFE_INTEGER, '8.0P'],
  ];
  for (const [bytes, text] of cases) assert.equal(humanSize(bytes), text, String(bytes));
});

test('sizes are read in decimal, in hexadecimal and with units', () => {
  const cases: [string, number | undefined][] = [
    ['512', 512],
    ['0x200', 512],
    ['4K', 4096],
    ['4k', 4096],
    ['1MiB', 1048576],
    ['1MB', 1000000],
    ['', undefined],
    ['-1', undefined],
    ['1.5K', undefined],
    ['K', undefined],
    ['9999999E', undefined],
  ];
  for (const [word, bytes] of cases) assert.equal(parseSize(word), bytes, word);
});

test('modes are written as ls writes them', () => {
  assert.equal(modeText(0o100644), '-rw-r--r--');
  assert.equal(modeText(0o104755), '-rwsr-xr-x');
  assert.equal(modeText(0o106644), '-rwSr-Sr--');
  assert.equal(modeText(0o041777), 'drwxrwxrwt');
  assert.equal(modeText(0o041776), 'drwxrwxrwT');
  assert.equal(modeText(0o120777), 'lrwxrwxrwx');
  assert.deepEqual(
    [0o100000, 0o040000, 0o120000, 0o060000, 0o020000, 0o010000, 0o140000, 0o030000].map(typeOfMode),
    ['file', 'directory', 'symlink', 'block', 'character', 'fifo', 'socket', 'unknown'],
  );
  assert.equal(permissionsText(0o104755), '4755');
  assert.equal(permissionsText(0o100007), '0007');
});

test('times are UTC, and reach beyond calendars', () => {
  assert.equal(timeText(1714566896), '2024-05-01 12:34:56');
  assert.equal(timeText(1714566896, 'minutes'), '2024-05-01 12:34');
  assert.equal(timeText(9e15), '@9000000000000000');
  assert.equal(timeText(9e15, 'minutes'), '@9000000000000000');
});

const record: FileRecord = {
  path: '/a',
  mode: 0o100644,
  nlink: 1,
  uid: 0,
  gid: 4294967295,
  size: Number.MAX_SAFE_INTEGER,
  blocks: 2147483648,
  ino: 2147483647,
  dev: 2050,
  rdev: 0,
  atime: 1714566896,
  atimeNanoseconds: 1,
  mtime: -1,
  mtimeNanoseconds: 250_000_000,
  ctime: -5,
  ctimeNanoseconds: 0,
};
const jsonOf = (records: readonly FileRecord[]): string => decodeText(recordsJson(records));

test('a record of JSON has whole numbers and all nanoseconds, also before 1970', () => {
  assert.equal(
    jsonOf([record]),
    '[\n  {"path":"/a","type":"file","mode":"0644","nlink":1,"uid":0,"gid":4294967295,"size":9007199254740991,' +
      '"blocks":2147483648,"ino":2147483647,"dev":2050,"atime":1714566896.000000001,"mtime":-0.750000000,"ctime":-5}\n]\n',
  );
  assert.match(jsonOf([{ ...record, mtime: -5, mtimeNanoseconds: 1 }]), /"mtime":-4\.999999999,/);
  assert.equal(jsonOf([]), '[]\n');
});

test('every name of a record comes back from its JSON', () => {
  const paths = ['/plain', '/"\\', '/\n\x1b\x9b', '/漢字é😀', '/\udcff\udc80', '/\u202e', ''];
  const json = jsonOf(paths.map((path) => ({ ...record, path, target: path, mode: 0o120777 })));
  assert.match(json, /^[\n\x20-\x7e\u00a0-\uffff]*$/);
  const parsed = JSON.parse(json) as { path: string; target: string }[];
  assert.deepEqual(
    parsed.map(({ path }) => path),
    paths,
  );
  assert.deepEqual(
    parsed.map(({ target }) => target),
    paths,
  );
});

test('bytes are put together in order, whatever there is room for', () => {
  for (const capacity of [1, 2, 7, 1000]) {
    const to = new LineWriter(capacity);
    for (const value of [0, 9, 10, 99, 100, 2147483647, 2147483648, -1, 1.5]) {
      to.number(value);
      to.ascii(' ');
    }
    to.digits(42, 5);
    to.text(' é\udcff');
    to.copy(Buffer.from('xyz'), 1, 2);
    const expected = Buffer.concat([
      Buffer.from('0 9 10 99 100 2147483647 2147483648 -1 1.5 00042 é'),
      Buffer.from([0xff]),
      Buffer.from('y'),
    ]);
    assert.equal(to.length, expected.length);
    assert.deepEqual(Buffer.from(to.take()), expected);
    assert.equal(to.length, 0);
  }
});

test('device numbers are taken apart as Linux packs them', () => {
  assert.deepEqual(deviceNumbers(0x103), { major: 1, minor: 3 });
  assert.deepEqual(deviceNumbers(0x801), { major: 8, minor: 1 });
  // what makedev of glibc makes of them
  assert.deepEqual(deviceNumbers(0xfff103ff), { major: 259, minor: 1048575 });
  assert.deepEqual(deviceNumbers(0xab000123cde45), { major: 0xabcde, minor: 0x12345 });
});

test('a line of bytes is as hexdump -C has it', () => {
  const bytes = Buffer.from('0123456789abcde\n');
  assert.equal(
    hexLine(16, bytes),
    '00000010  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 0a  |0123456789abcde.|\n',
  );
  assert.equal(
    hexLine(0, Buffer.from('hi')),
    '00000000  68 69                                             |hi|\n',
  );
});

test('a dump is the same whatever the pieces it comes in', () => {
  const bytes = Buffer.concat([Buffer.from('start'), Buffer.alloc(100), Buffer.from('the end')]);
  const dump = (length: number): string => {
    const lines = new HexDump(0);
    let text = '';
    for (let at = 0; at < bytes.length; at += length) text += lines.add(bytes.subarray(at, at + length));
    return text + lines.end();
  };
  const whole = dump(bytes.length);
  assert.equal(whole.split('\n').length, 6, whole);
  assert.match(whole, /\n\*\n/);
  assert.ok(whole.endsWith('\n00000070\n'));
  for (const length of [1, 7, 16, 17, 33]) assert.equal(dump(length), whole, `pieces of ${length}`);
  assert.equal(new HexDump(0).end(), '');
});

test('colours are for terminals that want them', () => {
  const plain = { isTerminal: false } as Output;
  const terminal = { isTerminal: true } as Output;
  assert.equal(wantsColor(terminal, 'auto', {}), true);
  assert.equal(wantsColor(terminal, 'auto', { NO_COLOR: '1' }), false);
  assert.equal(wantsColor(terminal, 'auto', { NO_COLOR: '' }), true);
  assert.equal(wantsColor(terminal, 'auto', { TERM: 'dumb' }), false);
  assert.equal(wantsColor(terminal, 'never', {}), false);
  assert.equal(wantsColor(plain, 'auto', {}), false);
  assert.equal(wantsColor(plain, 'always', { NO_COLOR: '1' }), true);
  assert.equal(painter(true)('red', 'x'), '\x1b[31mx\x1b[0m');
  assert.equal(painter(false)('red', 'x'), 'x');
});
