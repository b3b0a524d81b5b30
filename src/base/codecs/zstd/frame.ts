/** Frames of zstd and the blocks in them, without their contents. RFC 8878, section 3.1. */
import { CorruptError, UnsupportedError } from '../../errors.js';
import { struct, u8, u32, viewOf } from '../../struct.js';
import { work } from '../../work.js';

const frameMagic = 0xfd2fb528;
/** The beginning of a frame whose descriptor, at 4, is zero: a window follows, and nothing else. */
const frameHead = struct('zstd frame', 'little', 6, () => ({ magic: u32(0), window_descriptor: u8(5) }));
const skippableMagic = 0x184d2a50;
const skippableMask = 0xfffffff0;
export const blockTypeRaw = 0;
export const blockTypeRle = 1;
const blockTypeCompressed = 2;
const blockTypeReserved = 3;
/** The most that one compressed block holds. Section 3.1.1.2.4. */
export const blockContentLimit = 128 * 1024;

/** The largest window that zstd takes unasked. */
const mostWindow = 128 * 1024 * 1024;

/** The header of a frame: the offset of its blocks, and the meaning of its first bytes. */
export function readFrameHeader(
  bytes: Uint8Array,
  at: number,
):
  | { blocksAt: number; descriptor: number; mostInBlock: number; contentSize: number | undefined }
  | { end: number } {
  const view = viewOf(bytes);
  needBytes(bytes, at, at + 8);
  const magic = view.getUint32(at, true);
  if ((magic & skippableMask) >>> 0 === skippableMagic)
    return { end: needBytes(bytes, at, at + 8 + view.getUint32(at + 4, true)) };
  if (magic !== frameMagic) throw new CorruptError('zstd frame', 'has no zstd magic', { offset: at, magic });
  const descriptor = view.getUint8(at + 4);
  const singleSegment = (descriptor >> 5) & 1;
  const contentSizeFlag = descriptor >> 6;
  const contentSizeBytes = contentSizeFlag === 0 ? singleSegment : 1 << contentSizeFlag;
  const dictionaryFlag = descriptor & 3;
  const dictionaryBytes = dictionaryFlag === 3 ? 4 : dictionaryFlag;
  const sizeAt = at + 5 + (singleSegment ? 0 : 1) + dictionaryBytes;
  const blocksAt = sizeAt + contentSizeBytes;
  needBytes(bytes, at, blocksAt);
  const contentSize = contentSizeBytes === 0 ? undefined : readContentSize(view, sizeAt, contentSizeBytes);
  const window = view.getUint8(at + 5);
  const windowSize = singleSegment ? (contentSize ?? 0) : 2 ** (10 + (window >> 3)) * (1 + (window & 7) / 8);
  if (windowSize > mostWindow && singleSegment === 0)
    throw new CorruptError('zstd frame', 'has too large a window', { offset: at, window: windowSize });
  return { blocksAt, descriptor, mostInBlock: Math.min(windowSize, blockContentLimit), contentSize };
}

/** A size of 1, 2, 4 or 8 bytes. */
function readContentSize(view: DataView, at: number, length: number): number {
  if (length === 1) return view.getUint8(at);
  if (length === 2) return view.getUint16(at, true) + 256;
  return length === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
}

function needBytes(bytes: Uint8Array, at: number, end: number): number {
  if (end > bytes.length)
    throw new CorruptError('zstd frame', 'is cut short', { offset: at, size: bytes.length });
  return end;
}

/** A block by its header: its end, its largest contents, and whether it is the last. */
export function readBlockHeader(
  bytes: Uint8Array,
  at: number,
  place: number,
): { type: number; end: number; mostContent: number; last: boolean } {
  const view = viewOf(bytes);
  needBytes(bytes, at, place + 3);
  const header = view.getUint16(place, true) | (view.getUint8(place + 2) << 16);
  const type = (header >> 1) & 3;
  if (type === blockTypeReserved)
    throw new CorruptError('zstd block', 'has the reserved type', { offset: place });
  return {
    type,
    end: needBytes(bytes, at, place + 3 + (type === blockTypeRle ? 1 : header >> 3)),
    mostContent: type === blockTypeCompressed ? blockContentLimit : header >> 3,
    last: (header & 1) === 1,
  };
}

/** The end of the frame at `at`, and the most bytes of its contents: by its header and its block headers. */
export function findFrameEnd(
  bytes: Uint8Array,
  at: number,
): { end: number; skippable: boolean; mostContent: number } {
  const header = readFrameHeader(bytes, at);
  if ('end' in header) return { end: header.end, skippable: true, mostContent: 0 };
  let place = header.blocksAt;
  let mostContent = 0;
  for (let last = false; !last; ) {
    work.steps.spend(1);
    const block = readBlockHeader(bytes, at, place);
    ({ last, end: place } = block);
    mostContent += block.mostContent;
  }
  const hasChecksum = (header.descriptor >> 2) & 1;
  return { end: needBytes(bytes, at, place + (hasChecksum ? 4 : 0)), skippable: false, mostContent };
}

/** A window of 8 MiB: references to earlier bytes reach no further. */
const windowDescriptor = 13 << 3;

/**
 * The first blocks of the frame at `at`, as a frame of their own: at most `limit` bytes of contents, but at least one
 * block; without a content size or a checksum, and with the last block marked as such. A skippable frame gives no
 * frame.
 */
export function frameBeginning(
  bytes: Uint8Array,
  at: number,
  limit: number,
): { frame: Uint8Array; mostContent: number } | { frame: undefined; end: number } {
  const header = readFrameHeader(bytes, at);
  if ('end' in header) return { frame: undefined, end: header.end };
  if ((header.descriptor & 3) !== 0) throw new UnsupportedError('zstd frame', ['dictionaries']);
  let place = header.blocksAt;
  let lastAt = place;
  let mostContent = 0;
  for (let last = false; !last; ) {
    const block = readBlockHeader(bytes, at, place);
    if (mostContent > 0 && mostContent + block.mostContent > limit) break;
    if (block.mostContent > limit)
      throw new CorruptError('zstd block', 'is too long', { offset: place, length: block.mostContent });
    mostContent += block.mostContent;
    lastAt = place;
    ({ last, end: place } = block);
  }
  const head = frameHead.size;
  const frame = new Uint8Array(head + place - header.blocksAt);
  frameHead.encode({ magic: frameMagic, window_descriptor: windowDescriptor }, frame);
  frame.set(bytes.subarray(header.blocksAt, place), head);
  const lastBlock = head + lastAt - header.blocksAt;
  frame[lastBlock] = (frame[lastBlock] ?? 0) | 1;
  return { frame, mostContent };
}
