/** VHDs that qemu-img makes, and those that it cannot make: what is read equals what qemu-img and 7-Zip read. */
import assert from 'node:assert/strict';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parentNames } from '../../src/image/parents.js';
import { vhd } from '../../src/image/vhd/index.js';
import { readAll } from '../support/gaits.js';
import { openImage, readImageInfo, readImageSummary } from '../support/host-images.js';
import { scratchDirectory } from '../support/scratch.js';
import { sha256 } from '../support/tell.js';
import { testImageConformance } from './conformance.js';
import { readCases, unpackFixtures } from './fixtures.js';

const directory = unpackFixtures('vhd');
const cases = readCases(directory);

testImageConformance({
  format: vhd,
  directory,
  cases,
  compareFacts(info, told) {
    if (told['cluster-size'] !== undefined) assert.equal(info.facts['block-size'], told['cluster-size']);
    assert.match(String(info.facts.subformat), /^(?:fixed|dynamic|differencing)$/);
  },
  damage: {
    images: ['dynamic.vhd', 'fixed.vhd', 'chain-top.vhd', 'small-blocks.vhd'],
    places: (image) => [
      [0, 2048],
      [1536, Math.min(image.length, 8192)],
      [image.length - 512, image.length],
    ],
    milliseconds: 700,
  },
});

const original = (name: string): Buffer => readFileSync(join(directory, name));
/** Copies of the chain, of which the test may change any. */
function chain(): string {
  const copy = scratchDirectory();
  for (const name of ['chain-base.vhd', 'chain-middle.vhd', 'chain-top.vhd'])
    writeFileSync(join(copy, name), original(name));
  return copy;
}

/** Sets bytes of a footer, in both places, and makes its checksum hold. */
function changeFooter(bytes: Buffer, change: (footer: Buffer) => void): void {
  for (const at of [0, bytes.length - 512]) {
    const footer = bytes.subarray(at, at + 512);
    if (footer.toString('latin1', 0, 8) !== 'conectix') continue;
    change(footer);
    footer.writeUInt32BE(0, 64);
    footer.writeUInt32BE(~footer.reduce((sum, byte) => sum + byte, 0) >>> 0, 64);
  }
}

test('the size is that of the geometry or that of the footer, by the program that made the image', () => {
  const path = join(scratchDirectory(), 'x.vhd');
  const sizeBy = (creator: string, cylinders: number): number => {
    const bytes = original('dynamic.vhd');
    changeFooter(bytes, (footer) => {
      footer.write(creator, 28, 'latin1');
      footer.writeBigUInt64BE(5_000_192n, 48);
      footer.writeUInt16BE(cylinders, 56);
      footer.writeUInt8(16, 58);
      footer.writeUInt8(cylinders === 65535 ? 255 : 17, 59);
    });
    writeFileSync(path, bytes);
    return readImageSummary(path).virtualSizeInBytes;
  };
  for (const creator of ['win ', 'qem2', 'd2v ', 'tap\0', 'CTXS', 'wa\0\0'])
    assert.equal(sizeBy(creator, 9), 4_999_680 + 512);
  for (const creator of ['vpc ', 'qemu', 'vbox', '\0\0\0\0'])
    assert.equal(sizeBy(creator, 9), 9 * 16 * 17 * 512);
  assert.equal(sizeBy('qemu', 65535), 5_000_192);
});

test('a damaged copy of the footer is replaced by the one at the end, with a fact about neither', () => {
  const path = join(scratchDirectory(), 'x.vhd');
  const bytes = original('dynamic.vhd');
  bytes.writeUInt8(0x77, 50);
  writeFileSync(path, bytes);
  const told: string[] = [];
  const { disk, info } = openImage(path, { warn: (message) => told.push(message) });
  const expected = cases.find(({ image }) => image === 'dynamic.vhd');
  assert.equal(sha256(readAll(disk)), expected?.sha256);
  assert.equal(info.virtualSizeInBytes, expected?.size);
  disk.close();
  assert.equal(told.length, 0);
  // Where both are damaged, the one at the beginning counts, and the reader hears of it.
  bytes.writeUInt8(0x77, bytes.length - 512 + 100);
  bytes.writeUInt8(0, 50);
  bytes.writeUInt8(1, 100);
  writeFileSync(path, bytes);
  openImage(path, { warn: (message) => told.push(message) }).disk.close();
  assert.match(told.join(), /checksum of the VHD footer/);
});

test('a parent that is missing, that is another disk or that is damaged is an error that names both', () => {
  const copy = chain();
  const top = join(copy, 'chain-top.vhd');
  const base = join(copy, 'chain-base.vhd');
  const other = Buffer.from(original('chain-base.vhd'));
  changeFooter(other, (footer) => footer.fill(0xbd, 68, 84));
  writeFileSync(base, other);
  assert.throws(() => openImage(top), {
    name: 'CorruptError',
    message: /chain-middle\.vhd.*‘chain-base\.vhd’.*expected=b0b0b0b0-.*found=bdbdbdbd-/,
  });
  writeFileSync(base, Buffer.alloc(4096));
  assert.throws(() => openImage(top), { name: 'CorruptError', message: /chain-base\.vhd: VHD footer/ });
  unlinkSync(base);
  assert.throws(() => openImage(top), {
    code: 'ENOENT',
    message: /‘chain-base\.vhd’ of .*chain-middle\.vhd.*no such file/i,
  });
  assert.equal(readImageInfo(top).backingFile, 'chain-middle.vhd');
  assert.equal(readImageSummary(top).hasBackingFile, true);
});

test('a difference that names itself as its parent ends', () => {
  const copy = chain();
  const path = join(copy, 'chain-middle.vhd');
  const bytes = original('chain-top.vhd');
  bytes.fill(0xb2, 512 + 40, 512 + 56); // over itself
  bytes.writeUInt32BE(0, 512 + 36);
  writeFileSync(path, bytes);
  assert.throws(() => openImage(path), { name: 'CorruptError', message: /comes back to/ });
});

test('a name of Windows stands for a file near the difference', () => {
  assert.deepEqual(parentNames(['.\\a.vhd', 'C:\\vm\\a.vhd']), ['a.vhd']);
  assert.deepEqual(parentNames(['..\\base\\b.vhd', '\\\\?\\Volume{1}\\x\\c.vhd']), [
    '../base/b.vhd',
    'b.vhd',
    'c.vhd',
  ]);
  assert.deepEqual(parentNames(['', '..', 'C:', '\\\\server\\share\\d.vhdx']), ['..', 'd.vhdx']);
});

test('the relative name comes first, and a file outside the directory is refused without trust', () => {
  const copy = chain();
  const path = join(copy, 'chain-middle.vhd');
  const bytes = original('chain-middle.vhd');
  const at = bytes.indexOf(Buffer.from('.\\chain-base.vhd', 'utf16le'));
  bytes.write('..\\xhain-base.vh', at, 'utf16le');
  // No other name leads anywhere.
  for (const encoded of [Buffer.from('chain-base', 'utf16le'), Buffer.from('chain-base', 'utf16le').swap16()])
    for (let place = bytes.indexOf(encoded); place >= 0; place = bytes.indexOf(encoded, place + 1))
      bytes.fill(encoded.length === 0 ? 0 : encoded.subarray(0, 2), place, place + 20);
  writeFileSync(path, bytes);
  assert.throws(() => openImage(path), { code: 'EPERM' });
  assert.throws(() => openImage(path, { policy: 'trusted' }), { code: 'ENOENT' });
});

test('a table that is too small, a block size that is none and a table past the end are refused', () => {
  const path = join(scratchDirectory(), 'x.vhd');
  const variant = (at: number, value: number): void => {
    const bytes = original('dynamic.vhd');
    bytes.writeUInt32BE(value, 512 + at);
    writeFileSync(path, bytes);
  };
  for (const [at, value] of [
    [28, 1],
    [32, 3000],
    [32, 256],
    [20, 1537],
  ] as const) {
    variant(at, value);
    assert.throws(() => openImage(path), { name: 'CorruptError' }, `${at}`);
  }
  variant(20, 0x7fff_fe00);
  const { disk } = openImage(path);
  assert.throws(() => readAll(disk), { name: 'CorruptError', message: /block allocation table/ });
  disk.close();
});
