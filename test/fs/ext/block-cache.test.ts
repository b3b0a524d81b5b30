/** Metadata in pieces whose memory is used again, and what outlives them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BlockCache } from '../../../src/disk/block-cache.js';
import type { ExtFileSystem } from '../../../src/fs/ext/filesystem.js';
import { WatchedDisk } from '../../disk/support.js';
import { noise } from '../../support/random.js';
import { openFixture } from './fixture.js';

const pieceSize = 65536;
const kept = 128;

test('pieces are read once while they are kept, and right after their memory was another piece', () => {
  const bytes = noise((kept + 20) * pieceSize + 5000);
  const disk = new WatchedDisk(bytes);
  const pieces = new BlockCache(disk);
  const check = (index: number): void => {
    const at = index * pieceSize + 4096;
    assert.deepEqual(pieces.bytes(at, 512, 'test').slice(), bytes.slice(at, at + 512), `piece ${index}`);
  };
  for (let index = 0; index < kept; index++) check(index);
  for (let index = kept - 1; index >= 0; index--) check(index);
  assert.equal(disk.reads.length, kept);
  for (let index = kept; index < kept + 20; index++) check(index); // those unused for longest go
  for (const index of [kept - 1, kept - 2, 3, kept - 1, kept + 19, 3, 0, kept - 3]) check(index);
  const last = pieces.at((kept + 20) * pieceSize, 'test');
  assert.deepEqual(last.bytes, bytes.slice(-5000));
  assert.equal(last.view.byteLength, 5000);
  assert.throws(() => pieces.at((kept + 21) * pieceSize, 'test'), /outside the disk/);
});

test('what was taken of an inode or a block holds while the memory of its piece is another one', () => {
  const { volume } = openFixture('ext2-1k') as ExtFileSystem;
  const inode = volume.inode(2);
  const { blockArea, record } = inode;
  const block = volume.block(1, 'test');
  const taken = [blockArea.slice(), record.slice(), block.slice()];
  for (let offset = 0; offset < volume.disk.size; offset += pieceSize)
    volume.pieces.at(offset, 'test').bytes.fill(0xaa);
  assert.deepEqual([blockArea, record, block], taken);
  volume.pieces.clear();
  assert.deepEqual([inode.blockArea, inode.record, volume.block(1, 'test')], taken);
  assert.deepEqual(volume.peekBlock(1, 'test'), block);
});
