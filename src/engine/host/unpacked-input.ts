/** A compressed file of the host, unpacked as it is read. */
import { inflateGzip, UnsupportedError } from '../../base/index.js';
import { type Disk, Spool } from '../../disk/index.js';
import { readXzBlocks, streamXzBlock, type TarInput } from '../../formats/index.js';
import type { Call } from '../thread/call.js';
import { type DataSource, receive } from './copy-data.js';

/** The largest dictionary of an .xz file that is held, in bytes: that of `xz -9`, and twice as much. */
const dictionaryLimit = 128 * 1024 * 1024;
const pieceSize = 256 * 1024;

/** Pieces, read in other lengths. */
function inputOf(pieces: Iterator<Uint8Array, unknown>): TarInput {
  let rest = new Uint8Array(0);
  return {
    read(into) {
      while (rest.length === 0) {
        const next = pieces.next();
        if (next.done === true) return 0;
        rest = next.value as Uint8Array<ArrayBuffer>;
      }
      const count = Math.min(into.length, rest.length);
      into.set(rest.subarray(0, count));
      rest = rest.subarray(count);
      return count;
    },
  };
}

function* xzPieces(disk: Disk): Generator<Uint8Array, void> {
  for (const block of readXzBlocks(disk)) yield* streamXzBlock(disk, block, { pieceSize, dictionaryLimit });
}

/**
 * Runs `work` with what a source holds, unpacked from a compression; without one, with the source itself. Compressed
 * bytes are kept in a file meanwhile, as the decoders go back and forth in them.
 */
export function withUnpacked(
  call: Call,
  source: DataSource,
  compression: string | undefined,
  work: (input: TarInput) => void,
): void {
  if (compression === undefined) {
    let position = 0;
    return work({
      read(into) {
        call.progress(position, source.sizeInBytes ?? 0);
        const count = source.read(into);
        position += count;
        return count;
      },
    });
  }
  const decode = compression === 'gzip' ? inflateGzip : compression === 'xz' ? xzPieces : undefined;
  if (decode === undefined)
    throw new UnsupportedError('compression', [compression], { elsewhere: 'appliance' });
  const spool = new Spool(call.session.config.tmpdir);
  let disk: Disk | undefined;
  try {
    receive(call, source, { keepsHoles: false, write: (bytes) => spool.add(bytes), hole() {} });
    disk = spool.finish();
    work(inputOf(decode(disk)));
  } finally {
    if (disk === undefined) spool.close();
    else disk.close();
  }
}
