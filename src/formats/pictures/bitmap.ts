/** A device-independent bitmap of Windows as rows of red, green and blue. */
import { viewOf } from '../../base/index.js';
import { BI_RGB, bitmapHeader } from './layout.js';

/** A picture with three bytes for each of its points, the uppermost row first. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly points: Uint8Array;
}

/** The longest side, in points: no icon is larger. */
const longestSide = 1024;

/** The picture; undefined for compressed bitmaps, for those of 16 bits a point, and for other data. */
export function readBitmap(bytes: Uint8Array): Picture | undefined {
  if (bytes.length < bitmapHeader.size) return undefined;
  const { biSize, biWidth, biHeight, biBitCount, biCompression, biClrUsed } = bitmapHeader.decode(bytes);
  const width = biWidth;
  const height = Math.abs(biHeight);
  const isSmall = width > 0 && height > 0 && Math.max(width, height) <= longestSide;
  if (biSize < bitmapHeader.size || !isSmall || biCompression !== BI_RGB) return undefined;
  const hasPalette = biBitCount === 1 || biBitCount === 4 || biBitCount === 8;
  if (!hasPalette && biBitCount !== 24 && biBitCount !== 32) return undefined;
  const colours = hasPalette && biClrUsed === 0 ? 2 ** biBitCount : biClrUsed;
  const rowsAt = biSize + 4 * colours;
  const rowLength = Math.ceil((width * biBitCount) / 32) * 4;
  if (rowsAt + rowLength * height > bytes.length) return undefined;
  const palette = bytes.subarray(biSize, rowsAt);
  const points = new Uint8Array(width * height * 3);
  const view = viewOf(bytes);
  for (let row = 0; row < height; row++) {
    const start = rowsAt + rowLength * (biHeight > 0 ? height - 1 - row : row);
    for (let column = 0; column < width; column++) {
      const at = hasPalette
        ? 4 * indexAt(view, start, column, biBitCount)
        : start + column * (biBitCount / 8);
      const from = hasPalette ? palette : bytes;
      const to = (row * width + column) * 3;
      // Blue comes first. A colour that the palette has not is black.
      for (let part = 0; part < 3; part++) points[to + part] = from[at + 2 - part] ?? 0;
    }
  }
  return { width, height, points };
}

/** The number of a point's colour; the first of several points in a byte has its highest bits. */
function indexAt(view: DataView, row: number, column: number, bits: number): number {
  const inByte = 8 / bits;
  const byte = view.getUint8(row + Math.floor(column / inByte));
  return Math.floor(byte / 2 ** (8 - bits * ((column % inByte) + 1))) % 2 ** bits;
}

/** The uppermost rows of a picture; undefined if there are fewer. */
export function upperPart({ width, height, points }: Picture, rows: number): Picture | undefined {
  return height < rows ? undefined : { width, height: rows, points: points.subarray(0, rows * width * 3) };
}
