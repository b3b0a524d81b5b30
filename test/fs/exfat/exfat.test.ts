/** What is exFAT's own: valid bytes, zones of times, case, the backup of the boot region, and flags. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exfat } from '../../../src/fs/exfat/index.js';
import type { FileSystem } from '../../../src/fs/index.js';
import { readAll } from '../../support/gaits.js';
import { openBytes } from '../conformance.js';
import { exfatVolumes } from './suite.js';

const entrySize = 32;

function get(fs: FileSystem, ...names: readonly string[]): number {
  let inode = fs.root;
  for (const name of names) inode = fs.lookup(inode, name) ?? assert.fail(`there is no ${name}`);
  return inode;
}

/** The volume with a change in the entries of a file, whose first one is at the place that its number says. */
function changed(name: string, file: string, change: (entries: Buffer) => void): FileSystem {
  const bytes = exfatVolumes.readBuffer('clusters-4k');
  const at = get(openBytes(exfat, bytes), name, file) * entrySize;
  change(bytes.subarray(at, at + 3 * entrySize));
  return openBytes(exfat, bytes);
}

test('a file has as many bytes as it claims, and those behind its valid data are zeroes and a hole', () => {
  const path = ['Long directory name', 'file in it'] as const;
  const whole = openBytes(exfat, exfatVolumes.read('clusters-4k'));
  const told = readAll(whole.data(get(whole, ...path)));
  const fs = changed(...path, (entries) => entries.writeBigUInt64LE(3n, entrySize + 8));
  const data = fs.data(get(fs, ...path));
  assert.equal(data.size, told.length);
  assert.deepEqual([...readAll(data)], [...told.subarray(0, 3), ...new Uint8Array(told.length - 3)]);
  assert.deepEqual(data.span(0, data.size), { length: 3, hole: false });
  assert.deepEqual(data.span(3, data.size - 3), { length: data.size - 3, hole: true });
  const more = changed(...path, (entries) => entries.writeBigUInt64LE(1000n, entrySize + 8));
  assert.throws(() => more.data(get(more, ...path)), { name: 'CorruptError', message: /valid/ });
});

test('times have hundredths of a second, and a zone of quarters of an hour', () => {
  const path = ['Long directory name', 'file in it'] as const;
  const time = (change: (entries: Buffer) => void) => {
    const fs = changed(...path, change);
    return fs.stat(get(fs, ...path)).modified;
  };
  const stored = Date.UTC(2021, 6, 31, 23, 59, 58) / 1000;
  const nanoseconds = 370_000_000;
  assert.deepEqual(
    time(() => {}),
    { seconds: stored, nanoseconds },
  );
  // Two hours before UTC, a quarter of an hour behind, and none.
  assert.deepEqual(
    time((entries) => entries.writeUInt8(0x80 | 8, 23)),
    { seconds: stored - 7200, nanoseconds },
  );
  assert.deepEqual(
    time((entries) => entries.writeUInt8(0x80 | 0x7f, 23)),
    { seconds: stored + 900, nanoseconds },
  );
  assert.deepEqual(
    time((entries) => entries.writeUInt8(0, 23)),
    { seconds: stored, nanoseconds },
  );
  assert.deepEqual(
    time((entries) => entries.writeUInt8(199, 21)),
    { seconds: stored + 1, nanoseconds: 990_000_000 },
  );
});

test('names are found in any case of any script, and with dots at their ends', () => {
  const fs = openBytes(exfat, exfatVolumes.read('clusters-512'));
  for (const [name, other] of [
    ['lower.txt', 'LOWER.TXT'],
    ['Ünïcödé.TXT', 'üNÏCÖDÉ.txt'],
    ['Ελληνικά', 'ΕΛΛΗΝΙΚΆ'],
    ['lower.txt', 'Lower.txt...'],
  ] as const)
    assert.equal(get(fs, other), get(fs, name), other);
  assert.equal(fs.lookup(fs.root, 'lower.txt '), undefined);
  const exact = openBytes(exfat, exfatVolumes.read('clusters-512'), { options: { keep_last_dots: true } });
  assert.equal(exact.lookup(exact.root, 'lower.txt.'), undefined);
});

test('a boot region with a wrong checksum is replaced by its backup, with a warning; without one it is refused', () => {
  const bytes = exfatVolumes.readBuffer('clusters-4k');
  bytes.writeUInt8(bytes.readUInt8(120) ^ 1, 120);
  const warnings: string[] = [];
  const fs = openBytes(exfat, bytes, { warn: (message) => warnings.push(message) });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /wrong checksum.*backup/);
  assert.ok(get(fs, 'deep', 'a', 'b'));
  bytes.writeUInt8(1, 12 * 512 + 120);
  assert.throws(() => openBytes(exfat, bytes), { name: 'CorruptError', message: /wrong checksum/ });
});

test('what the flags say is warned of, and changes no checksum', () => {
  const bytes = exfatVolumes.readBuffer('empty');
  bytes.writeUInt16LE(6, 106);
  const warnings: string[] = [];
  openBytes(exfat, bytes, { warn: (message) => warnings.push(message) });
  assert.equal(warnings.length, 2);
  assert.match(warnings.join(), /not cleanly unmounted.*failures/);
});

test('a directory that contains itself has one number, and sharing clusters ends', () => {
  const bytes = exfatVolumes.readBuffer('clusters-4k');
  const whole = openBytes(exfat, bytes);
  const [a, b] = [get(whole, 'deep', 'a'), get(whole, 'deep', 'a', 'b')];
  // The stream of `b` is made that of `a`, so that b is in itself.
  bytes.copyWithin(b * entrySize + entrySize + 20, a * entrySize + entrySize + 20, (a + 2) * entrySize);
  const fs = openBytes(exfat, bytes);
  const first = get(fs, 'deep', 'a', 'b');
  assert.equal(get(fs, 'deep', 'a', 'b', 'b', 'b'), first);
});

test('an up-case table that is damaged is warned of, and names are found by Unicode', () => {
  const bytes = exfatVolumes.readBuffer('clusters-4k');
  const table = bytes.indexOf(Buffer.from('000001000200030004000500', 'hex'));
  assert.ok(table > 0);
  bytes.writeUInt16LE(7, table + 4);
  const warnings: string[] = [];
  const fs = openBytes(exfat, bytes, { warn: (message) => warnings.push(message) });
  assert.ok(get(fs, 'ÜNÏCÖDÉ.TXT'));
  assert.match(warnings.join(), /up-case table.*checksum.*Unicode/);
});

test('mount options are those of Linux', () => {
  const bytes = exfatVolumes.read('clusters-512');
  const fs = openBytes(exfat, bytes, {
    options: { uid: '7', gid: '8', fmask: '077', dmask: '022', time_offset: '-60' },
  });
  const { uid, gid, mode } = fs.stat(get(fs, 'lower.txt'));
  assert.deepEqual([uid, gid, mode], [7, 8, 0o100700]);
  assert.equal(fs.stat(get(fs, 'read-only')).mode, 0o100500);
  assert.equal(fs.stat(fs.root).mode, 0o040755);
  assert.throws(() => openBytes(exfat, bytes, { options: { shortname: 'lower' } }), { code: 'EINVAL' });
  assert.throws(() => openBytes(exfat, bytes, { options: { iocharset: 'cp437' } }), {
    name: 'UnsupportedError',
  });
});
