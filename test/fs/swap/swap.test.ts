/** Swap areas made by mkswap, as blkid sees them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { identityOf, recognise } from '../../../src/engine/session/recognition.js';
import { swap, swsuspend } from '../../../src/fs/swap/index.js';
import { readFixtureJson } from '../../support/fixtures.js';
import { Random } from '../../support/random.js';
import { needs } from '../../support/tools.js';
import { asBlkid, askBlkid, decodeExport } from '../support/blkid.js';
import { bytesOf, type ToldPieces } from '../support/pieces.js';

const areas = readFixtureJson<Record<string, ToldPieces>>('swap/swap.json.gz');
const pageSizes = [4096, 8192, 16384, 32768, 65536];

const probe = (image: Uint8Array) => identityOf(recognise(new MemoryDisk(image)));

function area(name: string): Buffer {
  const found = areas[name];
  assert.ok(found, name);
  return bytesOf(found);
}

describe('type, label and UUID are what blkid tells', () => {
  for (const [name, told] of Object.entries(areas)) {
    test(name, () => {
      const blkid = Object.fromEntries(
        Object.entries(told.blkid).map(([fact, value]) => [fact, decodeExport(value)]),
      );
      assert.deepEqual(asBlkid(probe(bytesOf(told))), blkid);
    });
  }
});

test('there are areas of each size of page', () => {
  for (const size of pageSizes) assert.equal(probe(area(`page-${size}`))?.label, `pages of ${size}`);
});

/** Ways to bend an area of 4 KiB pages: the header begins at 1024. */
const bends: [string, (image: Buffer) => void][] = [
  ['the other byte order', (image) => image.subarray(1024, 1036).swap32()],
  ['version 0', (image) => image.write('SWAP-SPACE', 4086)],
  ['version 2 of the header', (image) => image.writeUInt32LE(2, 1024)],
  ['no pages', (image) => image.writeUInt32LE(0, 1028)],
  ['garbage after the label', (image) => image.writeUInt8(1, 1024 + 44 + 32)],
  ['garbage further on', (image) => image.writeUInt8(1, 1024 + 44 + 128)],
  ['garbage in the next word', (image) => image.writeUInt8(1, 1024 + 44 + 135)],
  ['no UUID', (image) => image.fill(0, 1036, 1052)],
  ['a label that is not UTF-8', (image) => image.write('\xe4\xf6', 1052, 'latin1')],
  ['a label of blanks', (image) => image.fill(0x20, 1052, 1068)],
  ['a label of 16 letters', (image) => image.write('sixteen letters!', 1052)],
  ['hibernation by the kernel', (image) => image.write('S1SUSPEND\0', 4086)],
  ['hibernation by the kernel, newer', (image) => image.write('S2SUSPEND\0', 4086)],
  ['hibernation by uswsusp', (image) => image.write('ULSUSPEND\0', 4086)],
  ['hibernation by TuxOnIce', (image) => image.write('\xed\xc3\x02\xe9\x98\x56\xe5\x0c', 0, 'latin1')],
  ['hibernation by an early kernel', (image) => image.write('LINHIB0001', 4086)],
  ['another mark', (image) => image.write('SWAPSPACE3', 4086)],
  ['an old mark behind the first page', (image) => image.fill(0, 4086, 4096).write('SWAPSPACE2', 65526)],
];

test('blkid agrees about bent areas', needs('blkid'), () => {
  for (const [what, bend] of bends) {
    const image = area('page-4096');
    bend(image);
    assert.deepEqual(asBlkid(probe(image)), askBlkid(image), what);
  }
});

test('a hibernated area is told as such, with the label of the swap area', () => {
  const image = area('page-4096');
  image.write('S1SUSPEND\0', 4086);
  const probed = probe(image);
  assert.equal(probed?.type, 'swsuspend');
  assert.equal(probed?.label, 'pages of 4096');
});

test('areas of the other byte order are areas', () => {
  const image = area('page-4096');
  image.subarray(1024, 1036).swap32();
  assert.equal(probe(image)?.type, 'swap');
});

test('short and random disks are no swap', () => {
  const image = area('page-4096');
  for (const length of [0, 1, 1023, 1024, 4085, 4095]) {
    const disk = new MemoryDisk(image.subarray(0, length));
    for (const driver of [swap, swsuspend]) assert.equal(driver.probe(disk), undefined);
  }
  assert.equal(probe(image.subarray(0, 40_959)), undefined);
  assert.equal(probe(image.subarray(0, 40_960))?.type, 'swap');
  const random = new Random(5);
  for (let i = 0; i < 50; i++) {
    assert.equal(probe(Uint8Array.from({ length: 70_000 }, () => random.below(256))), undefined);
  }
});

test('a swap area cannot be opened', () => {
  for (const driver of [swap, swsuspend]) assert.equal(driver.open, undefined);
});
