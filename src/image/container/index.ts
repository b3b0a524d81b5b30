/**
 * What images are shipped in: tar archives (OVA, a cloud's `disk.raw`), and .gz, .xz, .zst, also one in the other. They
 * are looked for where no format of the image is given, and only outermost: no image names a file that lies in one.
 */
import { CorruptError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { isTar } from '../../formats/index.js';
import { readPart, startsWith } from '../signature.js';
import { type ArchivedDisk, openArchive } from './archive.js';
import { type ContainerCodec, openCompressed, type UnpackOptions } from './compressed.js';

export type { UnpackOptions } from './compressed.js';

/** Compressed images in archives that are compressed themselves are the deepest that anybody ships. */
const mostLayers = 4;

const marks: readonly (readonly [ContainerCodec, string])[] = [
  ['gzip', '\x1f\x8b\x08'],
  ['xz', '\xfd7zXZ\0'],
  ['zstd', '\x28\xb5\x2f\xfd'],
];

/** What an image lay in. */
export interface Unwrapped {
  /** The image itself, read-only. It owns the file. */
  readonly file: Disk;
  /** From the outermost one: `ova`, `tar`, `gzip`, …; empty for a plain image. */
  readonly containers: readonly string[];
  readonly archived: Omit<ArchivedDisk, 'disk'> | undefined;
  /** How the file is compressed that lies innermost, where nothing may be unpacked: then the image was not seen. */
  readonly packed: ContainerCodec | undefined;
}

/** Takes an image out of what it lies in. An error leaves the file open, whatever was read of it. */
export function unwrap(file: Disk, name: string, unpack: UnpackOptions | undefined): Unwrapped {
  const containers: string[] = [];
  let archived: ArchivedDisk | undefined;
  let inner = file;
  try {
    for (;;) {
      const head = readPart(inner, 0, 512);
      const compression = marks.find(([, mark]) => startsWith(head, mark))?.[0];
      const found: ArchivedDisk | undefined =
        compression === undefined && isTar(head) ? openArchive(inner) : undefined;
      if (compression === undefined && found === undefined)
        return { file: inner, containers, archived, packed: undefined };
      if (containers.length === mostLayers)
        throw new CorruptError('container', 'lies in too many others', { limit: mostLayers });
      archived = found ?? archived;
      containers.push(found?.container ?? compression ?? '');
      if (found !== undefined) inner = found.disk;
      else if (unpack === undefined) return { file: inner, containers, archived, packed: compression };
      else inner = openCompressed(inner, compression as ContainerCodec, name, unpack); // safe: one of both is there
    }
  } catch (thrown) {
    inner.close();
    throw thrown;
  }
}

/** A file that is no image, without the compressions that it lies in. It owns the file, which an error closes. */
export function openPacked(file: Disk, name: string, unpack: UnpackOptions): Disk {
  let inner = file;
  try {
    for (let depth = 0; depth < mostLayers; depth++) {
      const head = readPart(inner, 0, 512);
      const compression = marks.find(([, mark]) => startsWith(head, mark))?.[0];
      if (compression === undefined) return inner;
      inner = openCompressed(inner, compression, name, unpack);
    }
    throw new CorruptError('container', 'lies in too many others', { limit: mostLayers });
  } catch (thrown) {
    inner.close();
    throw thrown;
  }
}
