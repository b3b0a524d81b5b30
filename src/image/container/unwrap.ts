/** Takes an image out of what it is shipped in, which may lie in another such thing. */
import { CorruptError, GuestfsError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type ArchivedDisk, openArchive } from './archive.js';
import { openCompressed, type UnpackOptions } from './compressed.js';
import { type ContainerCodec, findContainer } from './probe.js';

/** Compressed images in archives that are compressed themselves are the deepest that anybody ships. */
const mostLayers = 4;

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

/**
 * Takes an image out of what it lies in: of an archive the disk that is named `member`, or the first. An error leaves
 * the file open, whatever was read of it.
 */
export function unwrap(
  file: Disk,
  name: string,
  unpack: UnpackOptions | undefined,
  member: string | undefined,
): Unwrapped {
  const containers: string[] = [];
  let archived: ArchivedDisk | undefined;
  let inner = file;
  try {
    for (;;) {
      const kind = findContainer(inner);
      const found: ArchivedDisk | undefined =
        kind === 'tar' ? diskIn(inner, name, archived === undefined ? member : undefined) : undefined;
      const compression = kind === 'tar' ? undefined : kind;
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

/** The disk in an archive. An error about a name that is not there says of which file. */
function diskIn(archive: Disk, name: string, member: string | undefined): ArchivedDisk | undefined {
  try {
    return openArchive(archive, member);
  } catch (thrown) {
    throw thrown instanceof GuestfsError && thrown.code === 'ENOENT' ? thrown.within(name, name) : thrown;
  }
}

/** A file that is no image, without the compressions that it lies in. It owns the file, which an error closes. */
export function openPacked(file: Disk, name: string, unpack: UnpackOptions): Disk {
  let inner = file;
  try {
    for (let depth = 0; depth < mostLayers; depth++) {
      const kind = findContainer(inner);
      if (kind === undefined || kind === 'tar') return inner;
      inner = openCompressed(inner, kind, name, unpack);
    }
    throw new CorruptError('container', 'lies in too many others', { limit: mostLayers });
  } catch (thrown) {
    inner.close();
    throw thrown;
  }
}
