/**
 * Reads .xz files. "The .xz File Format", version 1.2.1: streams of blocks, each of LZMA2 behind filters for machine
 * code. CRC-32 is checked; CRC-64 and SHA-256 are skipped.
 */
import { CorruptError, checksumHolds, crc32, UnsupportedError, viewOf } from '../../base/index.js';
import { branchFilter, branchReach } from './branches.js';
import { Lzma2Decoder } from './lzma2.js';

const magic = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
export const headerLength = 12;
const lzma2Filter = 0x21;
/** Bytes of the check after each block, by its id. Section 2.1.1.2. */
export const checkLengths = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];
export const crc32Check = 1;

export const corruptXz = (problem: string, offset: number): CorruptError =>
  new CorruptError('xz file', problem, { offset });

/** Whether bytes begin as an .xz file does. */
export function isXz(bytes: Uint8Array): boolean {
  return bytes.length >= headerLength && magic.every((byte, index) => bytes[index] === byte);
}

/** A number in the format's own variable length. Section 1.2. */
export function multibyte(bytes: Uint8Array, at: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) break;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) {
      if (value > Number.MAX_SAFE_INTEGER) break;
      return { value, end: at + i + 1 };
    }
  }
  throw corruptXz('has an impossible number', at);
}

/** What a block's header says. */
interface XzBlockHeader {
  /** The offset of its end. */
  readonly end: number;
  /** Bytes of the dictionary. */
  readonly dictionary: number;
  /** What makes the output of LZMA2 the contents of the block, in place; undefined where they are the same. */
  readonly filter: ((output: Uint8Array) => void) | undefined;
}

/** Checks a block's header: LZMA2 must be the last of its filters. */
export function blockHeader(bytes: Uint8Array, at: number): XzBlockHeader {
  const size = ((bytes[at] ?? 0) + 1) * 4;
  const end = at + size;
  if (end > bytes.length) throw corruptXz('is cut short', at);
  if (!checksumHolds(crc32(bytes.subarray(at, end - 4)), viewOf(bytes).getUint32(end - 4, true))) {
    throw corruptXz('a block header has a wrong checksum', at);
  }
  const flags = bytes[at + 1] ?? 0;
  if ((flags & 0x3c) !== 0) throw new UnsupportedError('xz file', [`block flags ${flags}`]);
  let next = at + 2;
  if (flags & 0x40) next = multibyte(bytes, next).end;
  if (flags & 0x80) next = multibyte(bytes, next).end;
  const steps: ((output: Uint8Array) => void)[] = [];
  for (let before = flags & 3; ; before--) {
    const { value: id, end: sizeAt } = multibyte(bytes, next);
    const properties = multibyte(bytes, sizeAt);
    if (properties.value > end - properties.end) throw corruptXz('a block header is cut short', at);
    next = properties.end + properties.value;
    if (before === 0) {
      if (id !== lzma2Filter)
        throw new UnsupportedError('xz file', [`0x${id.toString(16)} as the last filter`]);
      const dictionary = dictionaryBytes(bytes[properties.end] ?? 0);
      const filter = (output: Uint8Array): void => {
        for (const step of steps) step(output);
      };
      return { end, dictionary, filter: steps.length === 0 ? undefined : filter };
    }
    const start = properties.value >= 4 ? viewOf(bytes).getUint32(properties.end, true) : 0;
    const apply = branchFilter(id);
    steps.unshift((output) => apply(output, start));
  }
}

/** LZMA2's one byte of properties. Section 5.3.1. */
function dictionaryBytes(bits: number): number {
  if (bits > 40) throw corruptXz('has an impossible size of the dictionary', bits);
  return bits === 40 ? 2 ** 32 - 1 : (2 + (bits % 2)) * 2 ** (Math.floor(bits / 2) + 11);
}

/** Skips a stream's index and footer. */
function skipIndex(bytes: Uint8Array, start: number): number {
  const records = multibyte(bytes, start + 1);
  let at = records.end;
  // Each record has at least two bytes, so the file's length bounds their number.
  if (records.value * 2 > bytes.length) throw corruptXz('has an impossible index', start);
  for (let i = 0; i < records.value; i++) at = multibyte(bytes, multibyte(bytes, at).end).end;
  at += (4 - ((at - start) % 4)) % 4;
  return at + 4 + headerLength;
}

/**
 * The contents of an .xz file, at most `limit` bytes, valid until more is decoded; more is a CorruptError. With `enough`,
 * a beginning of at least that many bytes, or all: later parts of the file are not read, and may be missing.
 */
export function decodeXz(bytes: Uint8Array, limit: number, enough?: number): Uint8Array {
  const decoder = new Lzma2Decoder(limit, enough === undefined ? {} : { enough: enough + branchReach });
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length; ) {
    if (!isXz(bytes.subarray(at))) throw corruptXz('has no stream header', at);
    const check = (bytes[at + 7] ?? 0) & 0x0f;
    if (!checksumHolds(crc32(bytes.subarray(at + 6, at + 8)), view.getUint32(at + 8, true))) {
      throw corruptXz('a stream header has a wrong checksum', at);
    }
    at += headerLength;
    while (at < bytes.length && bytes[at] !== 0) {
      const { end: start, filter } = blockHeader(bytes, at);
      const before = decoder.length;
      let end = decoder.decode(bytes, start);
      filter?.(decoder.output.subarray(before));
      if (decoder.hasEnough) return decoder.lend().subarray(0, -branchReach);
      end += (4 - ((end - start) % 4)) % 4;
      const length = checkLengths[check] ?? 0;
      if (end + length > bytes.length) throw corruptXz('is cut short', end);
      const isSummed = check === crc32Check;
      if (isSummed && !checksumHolds(crc32(decoder.output.subarray(before)), view.getUint32(end, true))) {
        throw corruptXz('a block has a wrong checksum', at);
      }
      at = end + length;
    }
    if (at >= bytes.length) throw corruptXz('is cut short', at);
    at = skipIndex(bytes, at);
    if (at > bytes.length) throw corruptXz('is cut short', bytes.length);
    // Padding between streams is a multiple of four zero bytes.
    while (at + 4 <= bytes.length && view.getUint32(at, true) === 0) at += 4;
  }
  return decoder.lend();
}
