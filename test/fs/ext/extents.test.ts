/** Extent trees, block maps and lists of extents, at the edges that no small filesystem reaches. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CorruptError, viewOf } from '../../../src/base/index.js';
import { MemoryDisk } from '../../../src/disk/index.js';
import { ExtentMap } from '../../../src/fs/ext/extents.js';
import { IndirectMap } from '../../../src/fs/ext/indirect.js';
import type { Inode } from '../../../src/fs/ext/inode.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import { ExtentList } from '../../../src/fs/ext/write/extent-list.js';
import { readFixture } from './fixture.js';

type Entry = readonly [logical: number, block: number, count?: number];

/** A node: its header and its entries; index entries have no count. */
function node(
  depth: number,
  entries: readonly Entry[],
  options: { size?: number; max?: number } = {},
): Uint8Array {
  const bytes = new Uint8Array(options.size ?? 1024);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xf30a, true);
  view.setUint16(2, entries.length, true);
  view.setUint16(4, options.max ?? Math.floor(bytes.length / 12) - 1, true);
  view.setUint16(6, depth, true);
  entries.forEach(([logical, block, count], index) => {
    const at = 12 + index * 12;
    view.setUint32(at, logical, true);
    if (depth > 0) view.setUint32(at + 4, block, true);
    else {
      view.setUint16(at + 4, count ?? 1, true);
      view.setUint32(at + 8, block, true);
    }
  });
  return bytes;
}

/** A volume without checksums in which blocks from 3000 on hold these nodes, and an inode with this root. */
function mapOf(root: Uint8Array, blocks: Readonly<Record<number, Uint8Array>> = {}): ExtentMap {
  const image = readFixture('ext4-hash-tea-unsigned');
  for (const [number, bytes] of Object.entries(blocks)) image.set(bytes, Number(number) * 1024);
  return new ExtentMap(volumeOf(image), { number: 99, blockView: viewOf(root) } as Inode);
}

function volumeOf(image: Uint8Array): ExtVolume {
  const disk = new MemoryDisk(image);
  const first = readSuperblockBytes(disk);
  assert.ok(first);
  return new ExtVolume(disk, decodeSuperblock(first, disk.size), { warn: () => {}, strict: true });
}

const root = (depth: number, entries: readonly Entry[]): Uint8Array => node(depth, entries, { size: 60 });

test('extents, holes between them, and what is unwritten', () => {
  const map = mapOf(
    root(0, [
      [2, 3000, 3],
      [10, 3100, 32768 + 5], // unwritten
      [15, 3200, 1],
    ]),
  );
  assert.deepEqual(map.find(0), { block: undefined, count: 2 });
  assert.deepEqual(map.find(3), { block: 3001, count: 2 });
  assert.deepEqual(map.find(5), { block: undefined, count: 5 });
  assert.deepEqual(map.find(11), { block: undefined, count: 4 });
  assert.deepEqual(map.find(15), { block: 3200, count: 1 });
  assert.deepEqual(map.find(16), { block: undefined, count: 2 ** 32 - 16 });
  assert.deepEqual(mapOf(root(0, [])).find(7), { block: undefined, count: 2 ** 32 - 7 });
});

test('a tree of five levels is followed, a deeper one refused', () => {
  const blocks: Record<number, Uint8Array> = {};
  for (let depth = 1; depth <= 4; depth++) blocks[3000 + depth] = node(depth, [[0, 3000 + depth - 1]]);
  blocks[3000] = node(0, [
    [0, 4000, 1],
    [70, 4001, 2],
  ]);
  const map = mapOf(root(5, [[0, 3004]]), blocks);
  assert.deepEqual(map.find(71), { block: 4002, count: 1 });
  assert.deepEqual(
    [...map.treeBlocks()].map(({ block }) => block),
    [3004, 3003, 3002, 3001, 3000],
  );
  assert.equal([...map.extents()].length, 2);
  assert.throws(() => mapOf(root(6, [[0, 3004]]), blocks), /too deep/);
});

test('trees that break the rules are corrupt', () => {
  const leaf = node(0, [[0, 4000, 1]]);
  const cases: [string, () => unknown][] = [
    ['no magic number', () => mapOf(new Uint8Array(60))],
    ['too many entries', () => mapOf(node(0, [[0, 1]], { size: 60, max: 9 }))],
    ['no room', () => mapOf(node(0, [], { size: 60, max: 0 }))],
    ['an index with nothing in it', () => mapOf(root(1, []))],
    ['an empty extent', () => mapOf(root(0, [[0, 4000, 0]]))],
    [
      'overlap',
      () =>
        mapOf(
          root(0, [
            [0, 4000, 4],
            [3, 4100, 1],
          ]),
        ),
    ],
    [
      'out of order',
      () =>
        mapOf(
          root(0, [
            [9, 4000, 1],
            [3, 4100, 1],
          ]),
        ),
    ],
    ['behind the end of the filesystem', () => mapOf(root(0, [[0, 0xfffffff, 1]]))],
    ['half behind the end', () => mapOf(root(0, [[0, 5119, 2]]))],
    ['block 0', () => mapOf(root(0, [[0, 0, 1]]))],
    ['beyond 2^32', () => mapOf(root(0, [[0xffffffff, 4000, 2]]))],
    ['a child at the wrong depth', () => mapOf(root(2, [[0, 3000]]), { 3000: leaf }).find(0)],
    ['a loop', () => mapOf(root(2, [[0, 3000]]), { 3000: node(1, [[0, 3000]]) }).find(0)],
    ['another beginning than the parent says', () => mapOf(root(1, [[5, 3000]]), { 3000: leaf }).find(5)],
    [
      'into its neighbour',
      () =>
        mapOf(
          root(1, [
            [0, 3000],
            [2, 3001],
          ]),
          { 3000: node(0, [[0, 4000, 3]]) },
        ).find(0),
    ],
    [
      'one leaf in two places',
      () => [
        ...mapOf(
          root(1, [
            [0, 3000],
            [7, 3000],
          ]),
          { 3000: leaf },
        ).extents(),
      ],
    ],
    ['larger than 2^32 blocks', () => mapOf(root(0, [])).find(2 ** 32)],
  ];
  for (const [what, action] of cases) assert.throws(action, CorruptError, what);
});

test('a loop of indirect blocks costs no more than the file is long, and is told when counted', () => {
  const image = readFixture('ext4-hash-tea-unsigned');
  const loop = new DataView(image.buffer, 3000 * 1024, 1024);
  for (let at = 0; at < 1024; at += 4) loop.setUint32(at, 3000, true);
  const area = new Uint8Array(60);
  new DataView(area.buffer).setUint32(14 * 4, 3000, true); // the triple indirect pointer
  const map = new IndirectMap(volumeOf(image), { number: 99, blockView: viewOf(area) } as Inode);
  assert.deepEqual(map.find(12 + 256 + 65536, 10), { block: 3000, count: 1 });
  assert.deepEqual(map.find(0, 5), { block: undefined, count: 5 });
  assert.deepEqual(map.find(12, 5), { block: undefined, count: 256 });
  assert.throws(() => map.find(12 + 256 + 65536 + 2 ** 24, 1), /larger than a block map/);
  assert.throws(() => map.blocksFrom(0), /used twice/);
});

test('lists of extents are cut and joined as ranges come and go', () => {
  const list = new ExtentList([{ logical: 0, count: 10, block: 100, written: true }]);
  assert.deepEqual(list.remove(3, 4), [{ logical: 3, count: 4, block: 103, written: true }]);
  assert.deepEqual(list.extents, [
    { logical: 0, count: 3, block: 100, written: true },
    { logical: 7, count: 3, block: 107, written: true },
  ]);
  list.set({ logical: 2, count: 6, block: 500, written: false });
  assert.deepEqual(list.from(2), { logical: 2, count: 6, block: 500, written: false });
  assert.deepEqual(list.before(2), { logical: 0, count: 2, block: 100, written: true });
  assert.deepEqual(list.from(8), { logical: 8, count: 2, block: 108, written: true });
  list.set({ logical: 2, count: 6, block: 102, written: true });
  assert.deepEqual(list.extents, [{ logical: 0, count: 10, block: 100, written: true }]);
  list.remove(0, 2 ** 32);
  assert.equal(list.extents.length, 0);
  assert.throws(() => list.set({ logical: 0, count: 0, block: 1, written: true }), CorruptError);
  list.set({ logical: 1, count: 40_000, block: 1, written: false });
  assert.deepEqual(
    list.extents.map(({ count }) => count),
    [32767, 7233],
  );
});
