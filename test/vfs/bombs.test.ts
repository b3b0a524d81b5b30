/** Files in a guest that ask for much more than they are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSystemroot } from '../../src/inspect/windows.js';
import { expandGlob, MountTable, unpack } from '../../src/vfs/index.js';
import { MemoryFileSystem } from '../support/memory-fs.js';

/** A zstd file of 8 KiB that expands to 256 MiB: blocks that repeat one byte. RFC 8878, 3.1.1.2.2. */
function zstdBomb(): Uint8Array {
  const blocks = 2048;
  const bytes = Buffer.alloc(6 + blocks * 4);
  bytes.writeUInt32LE(0xfd2fb528, 0);
  bytes[5] = 13 << 3;
  for (let block = 0; block < blocks; block++) {
    const header = (128 * 1024 * 8) | (1 << 1) | (block === blocks - 1 ? 1 : 0);
    bytes.writeUIntLE(header, 6 + block * 4, 3);
    bytes[6 + block * 4 + 3] = 0x61;
  }
  return bytes;
}

const sourceOf = (bytes: Uint8Array) => ({
  size: bytes.length,
  read: (into: Uint8Array, offset: number) => into.set(bytes.subarray(offset, offset + into.length)),
});

test('of a compressed file whose beginning is enough, no more than a megabyte is unpacked', () => {
  const bytes = unpack(sourceOf(zstdBomb()), 'bomb', { enough: 4096 });
  assert.ok(bytes !== undefined && bytes.length >= 4096 && bytes.length <= 1024 * 1024, `${bytes?.length}`);
  assert.ok(bytes.every((byte) => byte === 0x61));
  assert.throws(() => unpack(sourceOf(zstdBomb()), 'bomb', { limit: 1024 * 1024 }), /more than/);
});

test('a boot.ini of thousands of systems makes a directory be listed a few times only', () => {
  const roots = Array.from({ length: 5000 }, (_, i) => `multi(0)disk(0)rdisk(0)partition(1)\\X${i}="x"\r\n`);
  const names = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`file${i}`, '']));
  const fileSystem = new MemoryFileSystem({
    ...names,
    'boot.ini': `[boot loader]\r\n[operating systems]\r\n${roots.join('')}`,
  });
  let listed = 0;
  const list = fileSystem.entries.bind(fileSystem);
  fileSystem.entries = (directory) => {
    listed++;
    return list(directory);
  };
  const table = new MountTable();
  table.mount(fileSystem, { source: '/dev/sda', mountpoint: '/' });
  assert.equal(findSystemroot(table.tree), undefined);
  assert.ok(listed < 10, `${listed} times`);
});

test('the paths that a pattern matches are bounded, over all alternatives and all components', () => {
  const table = new MountTable();
  const long = 'f'.repeat(100);
  const files = Array.from({ length: 500 }, (_, i) => [`d/${long}${i}`, ''] as const);
  const fileSystem = new MemoryFileSystem(Object.fromEntries([...files, ['d/a/x', ''], ['d/b/x', '']]));
  table.mount(fileSystem, { source: '/dev/sda', mountpoint: '/' });
  const all = `{${Array.from({ length: 1000 }, () => '*').join(',')}}`;
  assert.throws(() => expandGlob(table.tree, `/d/${all}`), { code: 'E2BIG' });
  const turns = (count: number): string => `/d${'/?/..'.repeat(count)}`;
  assert.equal(expandGlob(table.tree, turns(4)).length, 16);
  // Each turn doubles what there is, and a million of these paths have 100 MiB.
  assert.throws(() => expandGlob(table.tree, turns(20)), { code: 'E2BIG' });
});
