/** Icons in programs of Windows, as the tools that libguestfs asks see them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inflateSync } from 'node:zlib';
import { iconCandidates, iconIn } from '../../src/formats/index.js';
import { readBitmap } from '../../src/formats/pictures/bitmap.js';
import { encodePng } from '../../src/formats/pictures/png.js';
import { bitmapResource } from '../../src/formats/pictures/resource.js';
import { readFixtureBuffer } from '../support/fixtures.js';

const program = readFixtureBuffer('pictures/program.exe.gz');

/** Width, height and points of a PPM file with eight bits a colour. */
function readPpm(bytes: Buffer): { width: number; height: number; points: Uint8Array } {
  const [, width, height] = /^P6\n(\d+) (\d+)\n255\n/.exec(bytes.subarray(0, 20).toString('latin1')) ?? [];
  const points = bytes.subarray(bytes.length - Number(width) * Number(height) * 3);
  return { width: Number(width), height: Number(height), points: Uint8Array.from(points) };
}

/** The same of a PNG file, as this project writes it. */
function readPng(bytes: Buffer): { width: number; height: number; points: Uint8Array } {
  const width = bytes.readUInt32BE(16);
  const height = bytes.readUInt32BE(20);
  assert.deepEqual([...bytes.subarray(24, 29)], [8, 2, 0, 0, 0]);
  const length = bytes.readUInt32BE(33);
  assert.equal(bytes.toString('latin1', 37, 41), 'IDAT');
  const rows = inflateSync(bytes.subarray(41, 41 + length));
  const points = Buffer.concat(
    Array.from({ length: height }, (_, row) =>
      rows.subarray(row * (width * 3 + 1) + 1, (row + 1) * (width * 3 + 1)),
    ),
  );
  return { width, height, points: Uint8Array.from(points) };
}

test('bitmaps of each depth are as wrestool and netpbm see them', () => {
  for (const number of [1, 4, 8, 24, 143]) {
    const bitmap = bitmapResource(program, number);
    const picture = bitmap && readBitmap(bitmap);
    assert.ok(picture !== undefined, `${number}`);
    const truth = readPpm(readFixtureBuffer(`pictures/${number}.ppm.gz`));
    assert.deepEqual(picture, truth, `${number}`);
    assert.deepEqual(readPng(Buffer.from(encodePng(picture))), truth, `${number}`);
  }
  assert.equal(bitmapResource(program, 2), undefined);
});

const windows = (majorVersion: number, minorVersion: number) => ({
  type: 'windows',
  distro: 'windows',
  majorVersion,
  minorVersion,
  windowsSystemroot: '/WINNT',
});

test('XP and 7 have their icons in the explorer, and 8 in a file; others have none that is known', () => {
  const [xp] = iconCandidates(windows(5, 1), { favicon: false });
  assert.equal(xp?.path, '/WINNT/explorer.exe');
  assert.deepEqual(
    readPng(Buffer.from(iconIn(program, xp) ?? [])),
    readPpm(readFixtureBuffer('pictures/143.ppm.gz')),
  );
  const seven = iconCandidates(windows(6, 1), { favicon: false });
  assert.deepEqual(
    seven.map(({ path }) => path),
    ['/WINNT/SysWOW64/explorer.exe', '/WINNT/explorer.exe'],
  );
  for (const icon of seven)
    assert.deepEqual(
      readPng(Buffer.from(iconIn(program, icon) ?? [])),
      readPpm(readFixtureBuffer('pictures/6801.ppm.gz')),
    );
  const [eight] = iconCandidates(windows(6, 2), { favicon: false });
  assert.equal(eight?.path, '/ProgramData/Microsoft/Windows Live/WLive48x48.png');
  assert.deepEqual(iconCandidates(windows(10, 0), { favicon: false }), []);
  assert.deepEqual(iconCandidates(windows(5, 1), { highQuality: true }), []);
});

test('a program without the picture, or a damaged one, has no icon', () => {
  const [xp] = iconCandidates(windows(5, 1), { favicon: false });
  assert.ok(xp !== undefined);
  for (let length = 0; length < program.length; length += 61)
    assert.doesNotThrow(() => iconIn(program.subarray(0, length), xp));
  // Each number of the headers at its least and at its most.
  for (let at = 0x3c; at < 0x700; at += 2)
    for (const value of [0, 0xffff, 0x7fff]) {
      const damaged = Buffer.from(program);
      damaged.writeUInt16LE(value, at);
      assert.doesNotThrow(() => iconIn(damaged, xp), `${value} at ${at}`);
    }
  assert.equal(iconIn(Buffer.from('MZ'), xp), undefined);
});
