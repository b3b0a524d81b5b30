/**
 * Compressed images: .gz, .xz and .zst. One is unpacked once, as a whole, into a temporary file; an .xz whose blocks
 * are small is read as it is, by its index.
 */
import { type ByteSource, inflateGzip, UnsupportedError, work } from '../../base/index.js';
import { type Disk, decodeZstdFrames, MappedDisk, Spool } from '../../disk/index.js';
import { readXzBlocks, streamXzBlock, type XzBlock } from '../../formats/index.js';
import type { ContainerCodec } from './probe.js';

/** What unpacking needs. */
export interface UnpackOptions {
  /** Where the temporary file is. */
  readonly directory?: string;
  /** Says in words what is about to be done. */
  tell(message: string): void;
  /** How many of the file's bytes are unpacked. */
  progress(position: number, total: number): void;
}

/** Blocks of an .xz that are read by the index: a small read decodes one of them, and two are kept. */
const mostBlockBytes = 32 * 1024 * 1024;
const keptBytes = 96 * 1024 * 1024;
const pieceSize = 1024 * 1024;
/** `xz -9` has a dictionary of 64 MiB. */
const dictionaryLimit = 64 * 1024 * 1024;
/** A file of zstd is in memory as a whole, and so is what a frame expands to. */
const mostZstdBytes = 1024 ** 3;

/** The contents of a compressed file, as a disk that owns it. */
export function openCompressed(
  file: Disk,
  compression: ContainerCodec,
  name: string,
  unpack: UnpackOptions,
): Disk {
  const blocks = compression === 'xz' ? readXzBlocks(file) : undefined;
  if (blocks?.every(({ decodedSize }) => decodedSize <= mostBlockBytes)) return indexedXz(file, blocks);
  const place = unpack.directory === undefined ? '' : ` in ${unpack.directory}`;
  unpack.tell(
    `${name}: unpacking the ${compression} file into a temporary file${place}; an unpacked copy opens at once`,
  );
  const spool = new Spool(unpack.directory);
  try {
    for (const piece of contents(file, compression, blocks ?? [], unpack)) spool.add(piece);
    const disk = spool.finish();
    file.close();
    return disk;
  } catch (thrown) {
    spool.close();
    throw thrown;
  }
}

function* contents(
  file: Disk,
  compression: ContainerCodec,
  blocks: readonly XzBlock[],
  { progress }: UnpackOptions,
): Generator<Uint8Array, void> {
  const { size } = file;
  if (compression === 'xz') {
    for (const block of blocks) {
      work.entries.spend(1);
      yield* streamXzBlock(watched(file, progress), block, { pieceSize, dictionaryLimit });
    }
  } else if (compression === 'gzip') {
    for (const piece of inflateGzip(watched(file, progress))) {
      // What unpacking costs is bounded by what comes out, which the spool counts.
      work.steps.refund(piece.length);
      yield piece;
    }
  } else {
    if (size > mostZstdBytes)
      throw new UnsupportedError('zstd file', [`files of more than ${mostZstdBytes} bytes`]);
    const packed = new Uint8Array(size);
    file.read(packed, 0);
    for (const { bytes, end } of decodeZstdFrames(packed, mostZstdBytes)) {
      progress(end, size);
      for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize);
    }
  }
}

/** The file, and how far it was read as progress. */
function watched(file: Disk, progress: UnpackOptions['progress']): ByteSource {
  const { size } = file;
  return {
    size,
    read(into, offset) {
      file.read(into, offset);
      progress(offset + into.length, size);
    },
  };
}

function indexedXz(file: Disk, blocks: readonly XzBlock[]): Disk {
  const last = blocks.at(-1);
  const size = last === undefined ? 0 : last.start + last.decodedSize;
  return new MappedDisk(
    size,
    (offset) => {
      let low = 0;
      let high = blocks.length - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        const block = blocks[middle];
        if (block !== undefined && block.start + block.decodedSize <= offset) low = middle + 1;
        else high = middle;
      }
      const block = blocks[low] as XzBlock; // safe: an offset below the size lies in a block
      const skip = offset - block.start;
      return {
        kind: 'encoded',
        length: block.decodedSize - skip,
        unit: {
          key: `${low}`,
          codec: 'xz',
          disk: file,
          offset: block.offset,
          size: block.packedSize,
          decodedSize: block.decodedSize,
        },
        skip,
      };
    },
    { name: 'xz file', owns: [file], keepBytes: keptBytes },
  );
}
