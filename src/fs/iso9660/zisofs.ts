/**
 * zisofs: files compressed in blocks, each of which is a stream in zlib format. "zisofs" format version 1, as
 * zisofs-tools and libisofs write it and Linux reads it: a header, then 32-bit pointers, one more than there are
 * blocks, then the blocks. A block whose two pointers are equal is all zeroes.
 */
import { CorruptError, UnsupportedError, viewOf } from '../../base/index.js';
import { type Disk, MappedDisk } from '../../disk/index.js';
import type { Compression } from './rock-ridge.js';

const magic = [0x37, 0xe4, 0x53, 0x96, 0xc9, 0xdb, 0xd6, 0x07];
const headerFixedSize = 16;
/** Blocks of 32 KiB to 128 KiB: Linux reads no larger ones. */
const blockSizes = [15, 16, 17].map((log2) => 2 ** log2);
/** Pointers that are read at once. */
const pointersPerPage = 4096;

/** The contents of the compressed file whose stored bytes are `stored`. `key` names the file for caches. */
export function openCompressed(stored: Disk, compression: Compression, key: string): Disk {
  const what = `zisofs file ${key}`;
  const { algorithm, headerSize, blockSize, size } = compression;
  if (algorithm !== 'pz') throw new UnsupportedError(what, [`ZF algorithm ${algorithm}`]);
  if (!blockSizes.includes(blockSize)) throw new UnsupportedError(what, [`block size ${blockSize}`]);
  if (size === 0) return new MappedDisk(0, () => ({ kind: 'hole', length: 1 }), { name: what });
  if (stored.size < headerFixedSize) throw new CorruptError(what, 'is cut short', { size: stored.size });
  const header = new Uint8Array(headerFixedSize);
  stored.read(header, 0);
  if (!magic.every((byte, i) => header[i] === byte)) throw new CorruptError(what, 'has no header');
  const fields = viewOf(header);
  if (
    fields.getUint32(8, true) !== size ||
    (header[12] ?? 0) * 4 !== headerSize ||
    2 ** (header[13] ?? 0) !== blockSize
  ) {
    throw new CorruptError(what, 'has a header that is not what its ZF entry says');
  }
  const blocks = Math.ceil(size / blockSize);
  if (headerSize < headerFixedSize || headerSize + (blocks + 1) * 4 > stored.size) {
    throw new CorruptError(what, 'has no room for its pointers', { blocks, headerSize, size: stored.size });
  }
  let page = -1;
  let pointers = new DataView(new ArrayBuffer(0));
  /** The pointers of a block: its own, and that of the block after. */
  const pointersOf = (block: number): [start: number, end: number] => {
    const wanted = Math.floor(block / pointersPerPage);
    if (wanted !== page) {
      const first = wanted * pointersPerPage;
      const count = Math.min(pointersPerPage, blocks - first) + 1;
      const raw = new Uint8Array(count * 4);
      stored.read(raw, headerSize + first * 4);
      pointers = new DataView(raw.buffer);
      page = wanted;
    }
    const at = (block % pointersPerPage) * 4;
    return [pointers.getUint32(at, true), pointers.getUint32(at + 4, true)];
  };
  return new MappedDisk(
    size,
    (offset) => {
      const block = Math.floor(offset / blockSize);
      const skip = offset - block * blockSize;
      const decodedSize = Math.min(blockSize, size - block * blockSize);
      const length = decodedSize - skip;
      const [start, end] = pointersOf(block);
      if (start === end) return { kind: 'hole', length };
      if (end < start || end > stored.size || end - start > 2 * blockSize) {
        throw new CorruptError(what, 'has a bad pointer', { block, start, end, size: stored.size });
      }
      const unit = {
        key: `${key}:${block}`,
        codec: 'zlib',
        disk: stored,
        offset: start,
        size: end - start,
        decodedSize,
      } as const;
      return { kind: 'encoded', length, unit, skip };
    },
    { name: what },
  );
}
