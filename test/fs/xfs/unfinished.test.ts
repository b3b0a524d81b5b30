/** What a crash left begun and not done in a log: what is finished, and what the kernel does not mount for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDisk } from '../../../src/disk/index.js';
import { ExtentMap } from '../../../src/fs/xfs/extents.js';
import { xfs } from '../../../src/fs/xfs/index.js';
import { finishIntents } from '../../../src/fs/xfs/log/finishing/finish.js';
import { Intents } from '../../../src/fs/xfs/log/intents.js';
import { itemTypes } from '../../../src/fs/xfs/log/layout.js';
import type { LogItem } from '../../../src/fs/xfs/log/transactions.js';
import { Remapping } from '../../../src/fs/xfs/pending.js';
import { readSuperblock } from '../../../src/fs/xfs/superblock.js';
import { XfsVolume } from '../../../src/fs/xfs/volume.js';
import { Random } from '../../support/random.js';
import { find } from '../../support/tell.js';
import { openBytes } from '../conformance.js';
import { xfsVolumes } from './suite.js';

const images = new Map<string, Uint8Array>();
/** Nobody changes them. */
function bytesOf(name: string): Uint8Array {
  const bytes = images.get(name) ?? xfsVolumes.read(name);
  images.set(name, bytes);
  return bytes;
}

function warningsOf(name: string): string[] {
  const warnings: string[] = [];
  openBytes(xfs, bytesOf(name), {
    options: { ro: true },
    warn: (message) => warnings.push(message),
  }).close();
  return warnings;
}

test('what was finished as the kernel does is not warned of; where the number of blocks is not known, that is', () => {
  for (const name of ['dirty-mappings', 'dirty-exchange', 'dirty-intents', 'dirty-refcounts'])
    assert.deepEqual(warningsOf(name), [], name);
  const warnings = warningsOf('dirty-attributes');
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^XFS log: inode 69: its number of blocks may be out of date/);
});

test('parts of a fork that were moved are the last that was said of each block', () => {
  const random = new Random(3);
  const remapping = new Remapping();
  const blocks = new Map<number, number | undefined>();
  for (let round = 0; round < 400; round++) {
    const [start, count] = [random.below(200), 1 + random.below(30)];
    const block = random.below(3) === 0 ? undefined : 1000 + random.below(1000);
    remapping.put({ start, count, block, written: true });
    for (let i = 0; i < count; i++) blocks.set(start + i, block === undefined ? undefined : block + i);
    for (let at = 0; at < 240; at++) {
      const piece = remapping.from(at);
      const skip = piece === undefined ? -1 : at - piece.start;
      assert.equal(skip >= 0, blocks.has(at), `whether ${at} is spoken of`);
      if (skip >= 0)
        assert.equal(piece?.block === undefined ? undefined : piece.block + skip, blocks.get(at));
    }
  }
});

/** An intent that the log would have, for an inode of an image. */
const endian = 'little';
const view = (size: number): DataView => new DataView(new ArrayBuffer(size));
function item(type: number, ...regions: (DataView | string)[]): LogItem {
  const bytes = regions.map((region) =>
    typeof region === 'string' ? Buffer.from(region) : new Uint8Array(region.buffer),
  );
  return { type, regions: bytes };
}
function mapping(inode: number, block: number, start: number, count: number, flags: number): LogItem {
  const region = view(48);
  region.setUint32(4, 1, true);
  for (const [at, value] of [
    [16, inode],
    [24, block],
    [32, start],
  ] as const)
    region.setBigUint64(at, BigInt(value), true);
  region.setUint32(40, count, true);
  region.setUint32(44, flags, true);
  return item(itemTypes.bui, region);
}
function attribute(inode: number, operation: number, flags: number, name: string, value = ''): LogItem {
  const region = view(40);
  region.setBigUint64(16, BigInt(inode), true);
  for (const [at, word] of [operation, name.length, value.length, flags].entries())
    region.setUint32(24 + 4 * at, word, true);
  return item(itemTypes.attri, region, ...(name === '' ? [] : [name]), ...(value === '' ? [] : [value]));
}
function exchange(first: number, second: number, generations: [number, number], count: number): LogItem {
  const region = view(88);
  region.setBigUint64(16, BigInt(first), true);
  region.setBigUint64(24, BigInt(second), true);
  generations.forEach((generation, index) => {
    region.setUint32(32 + 4 * index, generation, true);
  });
  region.setBigUint64(56, BigInt(count), true);
  return item(itemTypes.xmi, region);
}

/** An image without a log, and what becomes of it when these are finished. */
function finished(name: string, ...items: LogItem[]): { volume: XfsVolume; warnings: string[] } {
  const warnings: string[] = [];
  const disk = new MemoryDisk(bytesOf(name));
  const replayed = { touches: () => false, newOwners: new Set<number>(), pending: new Map() };
  const volume = new XfsVolume(disk, readSuperblock(disk), { replayed, warn: (text) => warnings.push(text) });
  const intents = new Intents(endian);
  for (const [index, { type, regions }] of items.entries()) {
    regions[0]?.set([index + 1], 8);
    intents.meet({ type, regions });
  }
  finishIntents(volume, replayed, intents);
  return { volume, warnings };
}

function inodeOf(name: string, path: string): number {
  const fs = openBytes(xfs, bytesOf(name), { options: { ro: true } });
  const found = find(fs, path);
  fs.close();
  return found;
}

test('what the kernel refuses to finish is an error, with the inode of which it is', () => {
  const name = 'v5-4k';
  const inode = inodeOf(name, 'sizes/13000');
  const refused: [RegExp, LogItem][] = [
    [/no such inode/, mapping(2 ** 40, 100, 0, 1, 1)],
    [/no magic number/, mapping(inode + 4000, 100, 0, 1, 1)],
    [/outside the filesystem/, mapping(inode, 2 ** 33, 0, 1, 1)],
    [/outside the filesystem/, mapping(inode, 100, 0, 2 ** 31, 1)],
    [/way that is not known/, mapping(inode, 100, 0, 1, 3)],
    [/way that is not known/, mapping(inode, 100, 0, 1, 0x1001)],
    [/no file has/, mapping(inode, 100, 0, 0, 1)],
    [/no file has/, mapping(inode, 100, Number.MAX_SAFE_INTEGER, 2, 2)],
    [/fork that is not there/, mapping(inode, 100, 0, 1, 0x8000_0001)],
    [/another by now/, exchange(inode, inode, [1, 1], 5)],
    [/does not log/, attribute(inode, 1, 0, 'name', 'value')],
    [/does not log/, attribute(inode, 4, 8, 'name', 'twelve bytes')],
    [/way that is not known/, attribute(inode, 7, 0, 'name', 'value')],
    [/no known namespace/, attribute(inode, 1, 6, 'name', 'value')],
    [/no known namespace/, attribute(inode, 1, 0x80, 'name', 'value')],
    [/XFS log intent of a mapping/, item(itemTypes.bui, view(20))],
  ];
  for (const [message, intent] of refused)
    assert.throws(() => finished(name, intent), { code: 'EIO', message }, String(message));
  const logged = 'dirty-attributes';
  const file = inodeOf(logged, 'attributed');
  for (const [message, intent] of [
    [/without a name/, attribute(file, 1, 0, '')],
    [
      /parts are missing/,
      item(
        itemTypes.attri,
        new DataView(attribute(file, 1, 0, 'name').regions[0]?.slice().buffer as ArrayBuffer),
      ),
    ], // safe: it has a region
    [/parts are missing/, attribute(file, 1, 0, 'n'.repeat(256))],
  ] as const)
    assert.throws(() => finished(logged, intent), { code: 'EIO', message }, String(message));
});

test('a mapping whose place is taken is left out with a warning; one of a large file takes no time', () => {
  const name = 'v5-4k';
  const inode = inodeOf(name, 'sizes/13000');
  const huge = inodeOf(name, 'sizes/huge');
  const { volume, warnings } = finished(name, mapping(inode, 100, 0, 1, 1));
  assert.match(warnings.join(), /contents may miss a change/);
  assert.equal(
    volume.anyInode(inode).stat.blockCount512,
    finished(name).volume.anyInode(inode).stat.blockCount512,
  );
  const generation = (number: number): number =>
    new DataView(volume.inodeRecord(number).buffer).getUint32(92);
  const count = 2 ** 52;
  const exchanged = finished(
    name,
    exchange(inode, huge, [generation(inode), generation(huge)], count),
  ).volume;
  const before = finished(name).volume;
  for (const [one, other] of [
    [inode, huge],
    [huge, inode],
  ] as const)
    assert.equal(exchanged.anyInode(one).stat.blockCount512, before.anyInode(other).stat.blockCount512);
});

test('mappings into a file, one by one and out again, keep its number of blocks', () => {
  const name = 'v5-4k';
  const inode = inodeOf(name, 'sizes/holes');
  const before = finished(name).volume.anyInode(inode);
  // Beyond what fits into the inode, so that a tree is made, and after that given up again.
  const starts = Array.from({ length: 40 }, (_, index) => 100_000 + index * 2);
  const into = starts.map((start, index) => mapping(inode, 1000 + index * 2, start, 1, 1));
  const grown = finished(name, ...into).volume.anyInode(inode);
  assert.equal(grown.stat.blockCount512 - before.stat.blockCount512, (40 + 1) * 8);
  const out = starts.map((start, index) => mapping(inode, 1000 + index * 2, start, 1, 2));
  const { volume, warnings } = finished(name, ...into, ...out);
  assert.deepEqual(warnings, []);
  assert.deepEqual(volume.anyInode(inode).stat, before.stat);
  const map = new ExtentMap(volume, volume.anyInode(inode), volume.anyInode(inode).data);
  assert.deepEqual(
    [...map.extents()].reduce((sum, { count }) => sum + count, 0),
    before.stat.blockCount512 / 8,
  );
});
