/**
 * The blocks of an .xz file, by the indexes at the ends of its streams: so any part can be read without what lies
 * before it. "The .xz File Format" 1.2.1, sections 2.1.2 and 4.
 */
import {
  type ByteSource,
  CorruptError,
  checksumHolds,
  crc32,
  readUpTo,
  UnsupportedError,
  viewOf,
  work,
} from '../../base/index.js';
import { Lzma2Decoder } from './lzma2.js';
import { blockHeader, checkLengths, corruptXz, crc32Check, headerLength, isXz, multibyte } from './xz.js';

/** A block: its place in the file and in what comes out, all in bytes. */
export interface XzBlock {
  readonly offset: number;
  /** With its header, its padding and its check. */
  readonly packedSize: number;
  readonly start: number;
  readonly decodedSize: number;
}

/** Of one file. A terabyte in blocks of a megabyte has as many. */
const mostBlocks = 1_000_000;
const indexLimit = 64 * 1024 * 1024;
/** A block's header is at most 1024 bytes long, its check 64. */
const headerLimit = 1024;
/** Bytes of a file that are read at once; a chunk has at most 65,536 bytes and its header of six. */
const readAhead = 256 * 1024;
const longestChunk = 65_536 + 6;

/** All blocks in their order. CorruptError for a file without an index, as one that is cut short. */
export function readXzBlocks(source: ByteSource): XzBlock[] {
  const streams: { offset: number; packedSize: number; decodedSize: number }[][] = [];
  let count = 0;
  for (let end = source.size; end > 0; ) {
    work.entries.spend(1);
    const footer = readUpTo(source, Math.max(0, end - headerLength), headerLength);
    const view = viewOf(footer);
    if (end < 2 * headerLength) throw corruptXz('is cut short', end);
    // Padding between streams is a multiple of four zero bytes.
    if (view.getUint32(8, true) === 0) {
      end -= 4;
      continue;
    }
    if (footer[10] !== 0x59 || footer[11] !== 0x5a) throw corruptXz('has no footer: it is cut short', end);
    if (!checksumHolds(crc32(footer.subarray(4, 10)), view.getUint32(0, true)))
      throw corruptXz('a stream footer has a wrong checksum', end);
    const indexSize = (view.getUint32(4, true) + 1) * 4;
    const indexAt = end - headerLength - indexSize;
    if (indexSize > indexLimit || indexAt < headerLength) throw corruptXz('has an impossible index', end);
    const blocks = readIndex(readUpTo(source, indexAt, indexSize), indexAt);
    count += blocks.length;
    if (count > mostBlocks) throw corruptXz('has too many blocks', indexAt);
    let at = indexAt;
    for (const block of blocks) at -= block.packedSize;
    end = at - headerLength;
    if (end < 0 || !isXz(readUpTo(source, end, headerLength)))
      throw corruptXz('has no stream header', Math.max(0, end));
    streams.push(
      blocks.map((block) => {
        const offset = at;
        at += block.packedSize;
        return { offset, ...block };
      }),
    );
  }
  let start = 0;
  return streams
    .reverse()
    .flat()
    .map((block) => {
      const placed = { ...block, start };
      start += block.decodedSize;
      if (!Number.isSafeInteger(start)) throw corruptXz('has an impossible index', block.offset);
      return placed;
    });
}

function readIndex(index: Uint8Array, place: number): { packedSize: number; decodedSize: number }[] {
  const end = index.length - 4;
  if (index[0] !== 0 || !checksumHolds(crc32(index.subarray(0, end)), viewOf(index).getUint32(end, true)))
    throw corruptXz('an index has a wrong checksum', place);
  const records = multibyte(index, 1);
  if (records.value * 2 > index.length) throw corruptXz('has an impossible index', place);
  let at = records.end;
  return Array.from({ length: records.value }, () => {
    const unpadded = multibyte(index, at);
    const decoded = multibyte(index, unpadded.end);
    at = decoded.end;
    return { packedSize: Math.ceil(unpadded.value / 4) * 4, decodedSize: decoded.value };
  });
}

/** The check of the stream that a block is in stands in no block: the length of what follows the data tells it. */
function checkBlock(rest: Uint8Array, crc: number, place: number): void {
  const isCrc32 = rest.length === (checkLengths[crc32Check] ?? 0);
  if (isCrc32 && !checksumHolds(crc, viewOf(rest).getUint32(0, true)))
    throw corruptXz('a block has a wrong checksum', place);
}

/** The contents of a whole block, which are exactly `decodedSize` bytes, valid until more is decoded. */
export function decodeXzBlock(packed: Uint8Array, decodedSize: number): Uint8Array {
  const decoder = new Lzma2Decoder(decodedSize);
  const { end: start, filter } = blockHeader(packed, 0);
  const end = decoder.decode(packed, start);
  filter?.(decoder.output);
  if (decoder.length !== decodedSize)
    throw new CorruptError('xz block', 'has not the length that the index says', { decodedSize });
  checkBlock(packed.subarray(end + ((4 - ((end - start) % 4)) % 4)), crc32(decoder.output), 0);
  return decoder.lend();
}

/**
 * The contents of a block in pieces, each valid until the next is asked for, in memory of twice the dictionary.
 * A dictionary of more than `dictionaryLimit` bytes is an
 * UnsupportedError.
 */
export function* streamXzBlock(
  source: ByteSource,
  block: XzBlock,
  { pieceSize, dictionaryLimit }: { readonly pieceSize: number; readonly dictionaryLimit: number },
): Generator<Uint8Array, void> {
  const end = block.offset + block.packedSize;
  const head = readUpTo(source, block.offset, Math.min(headerLimit, block.packedSize));
  const header = blockHeader(head, 0);
  if (header.filter) throw new UnsupportedError('xz file', ['filters for machine code in so large a block']);
  if (header.dictionary > dictionaryLimit)
    throw new UnsupportedError('xz file', [`dictionaries of ${header.dictionary} bytes`]);
  let at = block.offset + header.end;
  const first = at;
  const dictionary = Math.min(header.dictionary, block.decodedSize);
  const decoder = new Lzma2Decoder(2 * dictionary + 4 * pieceSize + longestChunk * 64, { isStreamed: true });
  decoder.beginBlock();
  let window = new Uint8Array(0);
  let inWindow = 0;
  let made = 0;
  let held = 0;
  for (;;) {
    work.checkpoint();
    if (window.length - inWindow < longestChunk && at + window.length - inWindow < end) {
      window = readUpTo(source, at, Math.min(readAhead, end - at));
      inWindow = 0;
    }
    if (inWindow >= window.length) throw corruptXz('is cut short', at);
    const isEnd = window[inWindow] === 0;
    const next = isEnd ? inWindow + 1 : decoder.decodeChunk(window, inWindow);
    at += next - inWindow;
    inWindow = next;
    if (decoder.length - held >= pieceSize || isEnd) {
      made += decoder.length - held;
      if (made > block.decodedSize) break;
      if (decoder.length > held) yield decoder.output.subarray(held);
      if (decoder.length > 2 * dictionary + pieceSize) decoder.forget(dictionary);
      held = decoder.length;
    }
    if (isEnd) break;
  }
  if (made !== block.decodedSize || at - first > block.packedSize)
    throw new CorruptError('xz block', 'has not the length that the index says', {
      decodedSize: block.decodedSize,
      decoded: made,
    });
}
