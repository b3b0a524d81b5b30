/** Makes .xz files: "The .xz File Format", version 1.2.1. Each piece becomes a stream of one block, with a CRC-32. */
import { crc32, viewOf, work } from '../../base/index.js';
import { encodedProperties, LzmaEncoder } from './lzma-encoder.js';

/** The byte that says how large the dictionary is: see `dictionaryBytes` of the decoder. */
const dictionaryBits = 20;
const mostUnpacked = 2 * 1024 * 1024;
const mostPacked = 65_536;
const mostStored = 65_536;

/** LZMA2's control bytes. */
const control = { end: 0, storedFirst: 1, stored: 2, packed: 0x80 } as const;
/** What is forgotten before a packed chunk. */
const forgets = { nothing: 0, state: 0x20, properties: 0x40, all: 0x60 } as const;

/** Places that are compared for each match, by the levels of xz(1). */
const depths = [2, 4, 6, 8, 12, 16, 24, 48, 96, 192] as const;
const usualLevel = 6;

const bigEndian16 = (value: number): [number, number] => [value >>> 8, value & 0xff];

/** LZMA2 chunks: what does not get smaller is stored. */
function encodeChunks(bytes: Uint8Array, depth: number): Uint8Array[] {
  const encoder = new LzmaEncoder(bytes, depth);
  const chunks: Uint8Array[] = [];
  let forgotten: number = forgets.all;
  let isFirst = true;
  while (encoder.position < bytes.length) {
    work.checkpoint();
    const start = encoder.position;
    if (forgotten !== forgets.nothing) encoder.reset();
    const packed = encoder.encode(Math.min(bytes.length, start + mostUnpacked), mostPacked);
    const unpacked = bytes.subarray(start, encoder.position);
    if (packed.length < unpacked.length) {
      const length = unpacked.length - 1;
      chunks.push(
        Uint8Array.from([
          control.packed + forgotten + (length >>> 16),
          ...bigEndian16(length & 0xffff),
          ...bigEndian16(packed.length - 1),
          ...(forgotten >= forgets.properties ? [encodedProperties] : []),
        ]),
        packed.slice(),
      );
      forgotten = forgets.nothing;
    } else {
      for (let at = 0; at < unpacked.length; at += mostStored) {
        const piece = unpacked.subarray(at, at + mostStored);
        const first = isFirst && at === 0 ? control.storedFirst : control.stored;
        chunks.push(Uint8Array.from([first, ...bigEndian16(piece.length - 1)]), piece);
      }
      // The first packed chunk tells the properties, whatever came before.
      forgotten = forgotten >= forgets.properties ? forgets.properties : forgets.state;
    }
    isFirst = false;
  }
  chunks.push(Uint8Array.of(control.end));
  return chunks;
}

/** A number in the format's own variable length. Section 1.2. */
function multibyte(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return [...bytes, rest];
}

const padding = (length: number): number => (4 - (length % 4)) % 4;

/** Bytes with their CRC-32 behind them. */
function summed(bytes: readonly number[]): Uint8Array {
  const all = new Uint8Array(bytes.length + 4);
  all.set(bytes);
  viewOf(all).setUint32(bytes.length, crc32(all.subarray(0, bytes.length)), true);
  return all;
}

const streamFlags = [0x00, 0x01]; // CRC-32

function join(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** A whole stream of at most `xzPieceLength` bytes. `level`: 0 to 9. Streams behind each other are a file, too. */
export function encodeXz(bytes: Uint8Array, level: number = usualLevel): Uint8Array {
  const parts = [Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00), summed(streamFlags)];
  const records: number[] = [];
  if (bytes.length > 0) {
    const header = summed([2, 0, 0x21, 1, dictionaryBits, 0, 0, 0]);
    const chunks = encodeChunks(bytes, depths[level] ?? depths[usualLevel]);
    const packedLength = chunks.reduce((sum, { length }) => sum + length, 0);
    const check = new Uint8Array(4);
    viewOf(check).setUint32(0, crc32(bytes), true);
    parts.push(header, ...chunks, new Uint8Array(padding(packedLength)), check);
    records.push(...multibyte(header.length + packedLength + check.length), ...multibyte(bytes.length));
  }
  const index = [0, ...multibyte(bytes.length > 0 ? 1 : 0), ...records];
  const paddedIndex = summed([...index, ...new Uint8Array(padding(index.length))]);
  const footer = new Uint8Array(12);
  viewOf(footer).setUint32(4, paddedIndex.length / 4 - 1, true);
  footer.set(streamFlags, 8);
  footer.set([0x59, 0x5a], 10);
  viewOf(footer).setUint32(0, crc32(footer.subarray(4, 10)), true);
  return join([...parts, paddedIndex, footer]);
}
