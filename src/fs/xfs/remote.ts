/**
 * Values in blocks of their own: long values of attributes, and long targets of links. Version 5 has a header at the
 * beginning of each block of a value, and at the beginning of each extent of a target; in version 4 there is nothing but
 * the value.
 */
import { CorruptError, viewOf } from '../../base/index.js';
import { ExtentMap } from './extents.js';
import type { Fork, Inode } from './inode.js';
import { remoteAt, remoteHeaderSize, remoteSelf, remoteValueMagic, symlinkMagic } from './layout.js';
import type { XfsVolume } from './volume.js';

/** A value: the fork, its first block there, and its size in bytes, which the caller has bounded. */
interface Remote {
  readonly kind: 'value' | 'target';
  readonly fork: Fork;
  readonly firstBlock: number;
  readonly size: number;
}

/** The bytes of a value. `structure` is for errors. */
export function readRemote(volume: XfsVolume, inode: Inode, remote: Remote, structure: string): Uint8Array {
  const { kind, size } = remote;
  const { features, blockSize } = volume.superblock;
  const map = new ExtentMap(volume, inode, remote.fork);
  const version5 = features.version === 5;
  const value = new Uint8Array(size);
  let logical = remote.firstBlock;
  for (let done = 0; done < size; ) {
    const { block, count } = map.find(logical);
    if (block === undefined) throw new CorruptError(structure, 'has a hole', { block: logical });
    const left = size - done;
    const headers = version5 ? remoteHeaderSize : 0;
    // A target takes the blocks of an extent as one, but no more of them than it needs.
    const blocks = kind === 'value' ? 1 : Math.min(count, Math.ceil((left + headers) / blockSize));
    const bytes = volume.blocks(block, blocks, structure);
    const part = version5 ? partBehindHeader(volume, inode, kind, block, bytes, done, structure) : bytes;
    value.set(part.subarray(0, left), done);
    done += part.length;
    logical += blocks;
  }
  return value;
}

function partBehindHeader(
  volume: XfsVolume,
  inode: Inode,
  kind: Remote['kind'],
  block: number,
  bytes: Uint8Array,
  expected: number,
  structure: string,
): Uint8Array {
  const view = viewOf(bytes);
  if (view.getUint32(remoteAt.magic) !== (kind === 'value' ? remoteValueMagic : symlinkMagic))
    throw new CorruptError(structure, 'a block has no magic number', { block });
  const place = { offset: volume.offsetOf(block), length: bytes.length };
  volume.verify(bytes, remoteSelf, [place], inode.number, structure);
  const offset = view.getUint32(remoteAt.offset);
  const length = view.getUint32(remoteAt.bytes);
  if (offset !== expected || length === 0 || length > bytes.length - remoteHeaderSize)
    throw new CorruptError(structure, 'a block holds another part', { block, offset, length, expected });
  return bytes.subarray(remoteHeaderSize, remoteHeaderSize + length);
}
