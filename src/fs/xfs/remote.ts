/**
 * Values in blocks of their own: long values of attributes, and long targets of links. Version 5 has a header at the
 * beginning of each block; in version 4 the blocks hold nothing but the value.
 */
import { CorruptError, viewOf } from '../../base/index.js';
import { ExtentMap } from './extents.js';
import type { Fork, Inode } from './inode.js';
import { remoteAt, remoteHeaderSize, remoteSelf } from './layout.js';
import type { XfsVolume } from './volume.js';

/** The `size` bytes that begin at a block of a fork. The caller has bounded them. `structure` is for errors. */
export function readRemote(
  volume: XfsVolume,
  inode: Inode,
  fork: Fork,
  first: number,
  size: number,
  magic: number,
  structure: string,
): Uint8Array {
  const map = new ExtentMap(volume, inode, fork);
  const version5 = volume.superblock.features.version === 5;
  const value = new Uint8Array(size);
  for (let done = 0, logical = first; done < size; logical++) {
    const { block } = map.find(logical);
    if (block === undefined) throw new CorruptError(structure, 'has a hole', { block: logical });
    const bytes = volume.block(block, structure);
    let part = bytes;
    if (version5) {
      const view = viewOf(bytes);
      if (view.getUint32(remoteAt.magic) !== magic)
        throw new CorruptError(structure, 'a block has no magic number', { block });
      const place = { offset: volume.offsetOf(block), length: bytes.length };
      volume.verify(bytes, remoteSelf, [place], inode.number, structure);
      const offset = view.getUint32(remoteAt.offset);
      const length = view.getUint32(remoteAt.bytes);
      if (offset !== done || length === 0 || length > bytes.length - remoteHeaderSize)
        throw new CorruptError(structure, 'a block holds another part', {
          block,
          offset,
          length,
          expected: done,
        });
      part = bytes.subarray(remoteHeaderSize, remoteHeaderSize + length);
    }
    part = part.subarray(0, size - done);
    value.set(part, done);
    done += part.length;
  }
  return value;
}
