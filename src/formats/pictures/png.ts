/** PNG files: Portable Network Graphics, second edition. The points are stored, not compressed. */
import { concatBytes, crc32, viewOf } from '../../base/index.js';
import type { Picture } from './bitmap.js';

export const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = viewOf(bytes);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) bytes[4 + i] = type.charCodeAt(i);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** The longest stored block of RFC 1951, section 3.2.4. */
const longestStored = 0xffff;

/** A zlib stream (RFC 1950) of stored blocks. */
function zlibStored(data: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x78, 0x01)];
  for (let at = 0; at < data.length; at += longestStored) {
    const piece = data.subarray(at, at + longestStored);
    const head = new Uint8Array(5);
    const view = viewOf(head);
    view.setUint8(0, at + piece.length === data.length ? 1 : 0);
    view.setUint16(1, piece.length, true);
    view.setUint16(3, longestStored - piece.length, true);
    parts.push(head, piece);
  }
  const sum = new Uint8Array(4);
  viewOf(sum).setUint32(0, adler32(data));
  return concatBytes([...parts, sum]);
}

function adler32(data: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (const byte of data) {
    a = (a + byte) % 65_521;
    b = (b + a) % 65_521;
  }
  return b * 0x1_0000 + a;
}

/** A picture as a PNG file of eight bits for each of three colours. */
export function encodePng({ width, height, points }: Picture): Uint8Array {
  const header = new Uint8Array(13);
  const view = viewOf(header);
  view.setUint32(0, width);
  view.setUint32(4, height);
  header.set([8, 2, 0, 0, 0], 8);
  // In front of each row stands the filter, which is none.
  const rows = new Uint8Array(height * (width * 3 + 1));
  for (let row = 0; row < height; row++)
    rows.set(points.subarray(row * width * 3, (row + 1) * width * 3), row * (width * 3 + 1) + 1);
  return concatBytes([
    Uint8Array.from(pngSignature),
    chunk('IHDR', header),
    chunk('IDAT', zlibStored(rows)),
    chunk('IEND', new Uint8Array()),
  ]);
}
