/** Small ISO 9660 images that are written record by record, also such as no program would write. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';

const sector = 2048;

/** A directory record. `at` is a block, `size` in bytes; a directory's own and its parent's names are \0 and \x01. */
export function isoRecord(name: string, at: number, size: number, directory = false): Uint8Array {
  const bytes = Buffer.alloc(33 + name.length + ((name.length + 1) % 2));
  bytes[0] = bytes.length;
  bytes.writeUInt32LE(at, 2);
  bytes.writeUInt32BE(at, 6);
  bytes.writeUInt32LE(size, 10);
  bytes.writeUInt32BE(size, 14);
  bytes[25] = directory ? 2 : 0;
  bytes.writeUInt16LE(1, 28);
  bytes.writeUInt16BE(1, 30);
  bytes[32] = name.length;
  bytes.write(name, 33, 'latin1');
  return bytes;
}

/** A piece of an image: what lies at a block. */
export type IsoPiece = readonly [block: number, bytes: Uint8Array];

/**
 * Writes an image with a root directory of `rootSize` bytes at block 20 and the given pieces; what nothing is said of
 * is a hole. The root's records are one of the pieces.
 */
export function writeIso(path: string, rootSize: number, blocks: number, pieces: readonly IsoPiece[]): void {
  const volume = Buffer.alloc(sector);
  volume[0] = 1;
  volume.write('CD001\x01', 1, 'latin1');
  volume.writeUInt32LE(blocks, 80);
  volume.writeUInt32BE(blocks, 84);
  for (const [at, value] of [
    [120, 1],
    [124, 1],
    [128, sector],
  ] as const) {
    volume.writeUInt16LE(value, at);
    volume.writeUInt16BE(value, at + 2);
  }
  volume.set(isoRecord('\0', 20, rootSize, true), 156);
  volume[881] = 1;
  const end = Buffer.alloc(sector);
  end[0] = 255;
  end.write('CD001\x01', 1, 'latin1');
  const fd = openSync(path, 'w');
  try {
    ftruncateSync(fd, blocks * sector);
    for (const [block, bytes] of [[16, volume], [17, end], ...pieces] as IsoPiece[])
      writeSync(fd, bytes, 0, bytes.length, block * sector);
  } finally {
    closeSync(fd);
  }
}
