/** Extents: where the contents of a file lie. An item describes one; what has no item is a hole. */
import { CorruptError, UnsupportedError } from '../../base/index.js';
import type { Inode } from './inode.js';
import { inodeName } from './inode.js';
import {
  fileExtentAt as at,
  compressions,
  fileExtentSize,
  fileExtentTypes,
  itemTypes,
  mostUncompressed,
} from './layout.js';
import { signed64 } from './tree/keys.js';
import type { Item } from './tree/node.js';

/** How an extent is compressed. */
export type Compression = Exclude<keyof typeof compressions, 'none'>;

/** An extent of a file. Offsets and lengths are in bytes. */
export type Extent =
  | { readonly kind: 'hole'; readonly offset: number; readonly length: number }
  | {
      readonly kind: 'inline';
      readonly offset: number;
      readonly length: number;
      readonly compression: Compression | undefined;
      /** As stored; a view of the leaf. */
      readonly bytes: Uint8Array;
    }
  | {
      readonly kind: 'data';
      readonly offset: number;
      readonly length: number;
      readonly compression: Compression | undefined;
      /** Where the whole extent is stored, an address, and how long it is there. */
      readonly address: number;
      readonly storedLength: number;
      /** How many bytes the whole extent is, and how far in these begin. */
      readonly wholeLength: number;
      readonly skip: number;
    };

const compressionNames = new Map<number, Compression | undefined>([
  [compressions.none, undefined],
  [compressions.zlib, 'zlib'],
  [compressions.lzo, 'lzo'],
  [compressions.zstd, 'zstd'],
]);

/** The extent that has the byte at `offset`, or the hole there; `end`: where the search for the next extent ends. */
export function extentAt(inode: Inode, offset: number, end: number): Extent {
  const { tree, number } = inode;
  const item = tree.floor(number, itemTypes.extentData, offset);
  if (item !== undefined) {
    const extent = decodeExtent(item, inode);
    if (offset < extent.offset + extent.length) return extent;
  }
  const next = tree.ceiling(number, itemTypes.extentData, offset);
  return { kind: 'hole', offset, length: (next === undefined ? end : next.offset) - offset };
}

function decodeExtent(item: Item, { tree, number, stat }: Inode): Extent {
  const { view, start, size, offset } = item;
  const corrupt = (problem: string, details: Record<string, number> = {}): CorruptError =>
    new CorruptError(inodeName(tree, number), `an extent ${problem}`, { offset, ...details });
  if (size < at.inline) throw corrupt('is cut short', { size });
  const type = view.getUint8(start + at.type);
  const packing = view.getUint8(start + at.compression);
  const compression = compressionNames.get(packing);
  if (!compressionNames.has(packing)) throw corrupt('has an unknown compression', { packing });
  if (view.getUint8(start + at.encryption) !== 0 || view.getUint16(start + at.other_encoding, true) !== 0)
    throw new UnsupportedError(inodeName(tree, number), ['encrypted extents']);
  const wholeLength = signed64(view, start + at.ram_bytes);
  if (offset < 0) throw corrupt('is beyond 2^53');
  if (type === fileExtentTypes.inline) {
    if (offset !== 0) throw corrupt('lies in its item and not at the beginning');
    if (wholeLength <= 0 || wholeLength > mostUncompressed)
      throw corrupt('has an impossible length', { length: wholeLength });
    const bytes = item.bytes(at.inline);
    if (compression === undefined && bytes.length !== wholeLength)
      throw corrupt('has an item of another length', { length: wholeLength, size: bytes.length });
    return { kind: 'inline', offset, length: wholeLength, compression, bytes };
  }
  if (type !== fileExtentTypes.regular && type !== fileExtentTypes.prealloc)
    throw corrupt('has an unknown type', { type });
  if (size < fileExtentSize) throw corrupt('is cut short', { size });
  const [address, storedLength, skip, length] = [
    signed64(view, start + at.disk_bytenr),
    signed64(view, start + at.disk_num_bytes),
    signed64(view, start + at.offset),
    signed64(view, start + at.num_bytes),
  ];
  if (length <= 0 || !Number.isSafeInteger(offset + length))
    throw corrupt('has an impossible length', { length, file: stat.sizeInBytes });
  if (address === 0 || type === fileExtentTypes.prealloc) return { kind: 'hole', offset, length };
  if (address < 0 || storedLength <= 0 || skip < 0 || wholeLength <= 0)
    throw corrupt('is at an impossible place', { address });
  if (skip + length > (compression === undefined ? storedLength : wholeLength))
    throw corrupt('shows more than it has', { skip, length });
  if (compression !== undefined && (wholeLength > mostUncompressed || storedLength > mostUncompressed))
    throw corrupt('is too long for a compressed one', { wholeLength, storedLength });
  return { kind: 'data', offset, length, compression, address, storedLength, wholeLength, skip };
}
