/** Images that are stored as their pieces which are not zero: `scripts/lib/pieces.mjs` and `signatures.mjs`. */
import { type Disk, MappedDisk, MemoryDisk } from '../../../src/disk/index.js';

/** An image as it is stored. */
export interface Pieces {
  readonly size: number;
  readonly pieces: readonly { readonly offset: number; readonly base64: string }[];
}

/** An image, and what blkid told of it. */
export interface ToldPieces extends Pieces {
  readonly blkid: Readonly<Record<string, string>>;
}

/** The image as a disk: its pieces, and holes between them. */
export function diskOf({ size, pieces }: Pieces): Disk {
  const decoded = pieces.map(({ offset, base64 }) => ({ offset, bytes: Buffer.from(base64, 'base64') }));
  return new MappedDisk(
    size,
    (offset) => {
      const piece = decoded.find((one) => offset < one.offset + one.bytes.length);
      if (piece === undefined) return { kind: 'hole', length: size - offset };
      if (offset < piece.offset) return { kind: 'hole', length: piece.offset - offset };
      const skip = offset - piece.offset;
      return {
        kind: 'data',
        disk: new MemoryDisk(piece.bytes),
        offset: skip,
        length: piece.bytes.length - skip,
      };
    },
    { name: 'pieces' },
  );
}

/** The image's bytes: a fresh copy each time. */
export function bytesOf(pieces: Pieces): Buffer {
  const bytes = Buffer.alloc(pieces.size);
  for (const { offset, base64 } of pieces.pieces) Buffer.from(base64, 'base64').copy(bytes, offset);
  return bytes;
}
