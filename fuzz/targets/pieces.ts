/** What is told from a few sectors of a large disk: signatures and swap. The fixtures are those sectors alone. */
import type { Disk } from '../../src/disk/index.js';
import { kinds } from '../../src/engine/session/kinds.js';
import { identityOf, recognise } from '../../src/engine/session/recognition.js';
import { identify } from '../../src/engine/words/identify/index.js';
import { readFixture } from '../../test/support/fixtures.js';
import { swapFields } from '../fields.js';
import { part, type Target } from '../target.js';
import { noteRead } from '../trace.js';

interface Pieces {
  readonly size: number;
  readonly pieces: readonly { readonly offset: number; readonly base64: string }[];
}

/** A longer read is that of `file`, which looks at everything; in bytes. */
const longestProbe = 128 * 1024;

/** A disk of zeroes with some pieces on it. */
class PiecesDisk implements Disk {
  readonly size: number;
  readonly sectorSize = 512;
  readonly writable = false;
  readonly #pieces: readonly { readonly offset: number; readonly at: number; readonly bytes: Uint8Array }[];

  /** `bytes`: those of all pieces, one after another; where a damaged input has fewer, the rest is zeroes. */
  constructor({ size, pieces }: Pieces, bytes: Uint8Array) {
    this.size = size;
    let at = 0;
    this.#pieces = pieces.map(({ offset, base64 }) => {
      const length = Buffer.byteLength(base64, 'base64');
      const piece = bytes.subarray(at, at + length);
      at += length;
      return { offset, at: at - length, bytes: piece };
    });
  }

  read(into: Uint8Array, offset: number): void {
    if (offset < 0 || offset + into.length > this.size)
      throw new Error(`a probe read past the end, at ${offset}`);
    into.fill(0);
    for (const piece of this.#pieces) {
      const from = Math.max(piece.offset, offset);
      const to = Math.min(piece.offset + piece.bytes.length, offset + into.length);
      if (from >= to) continue;
      if (into.length <= longestProbe) noteRead(piece.at + from - piece.offset, to - from);
      into.set(piece.bytes.subarray(from - piece.offset, to - piece.offset), from - offset);
    }
  }

  checkWritable(): never {
    throw new Error('a probe wrote');
  }

  write(): never {
    this.checkWritable();
  }

  zero(): never {
    this.checkWritable();
  }

  span(_offset: number, length: number): { length: number; hole: boolean } {
    return { length, hole: false };
  }

  flush(): void {}

  close(): void {}
}

/** A target whose fixtures are the images of one JSON file. Every kind is asked, as by a call. */
function piecesTarget(name: string, file: string): Target {
  const images = JSON.parse(Buffer.from(readFixture(file)).toString()) as Readonly<Record<string, Pieces>>;
  return {
    name,
    fixtures: Object.keys(images),
    load: (fixture) =>
      Buffer.concat((images[fixture]?.pieces ?? []).map(({ base64 }) => Buffer.from(base64, 'base64'))),
    fields:
      name === 'fs/swap' ? () => swapFields().map((place) => ({ ...place, at: place.at - 1024 })) : () => [],
    run(bytes, fixture) {
      const pieces = images[fixture];
      if (pieces === undefined) throw new Error(`there is no image ${fixture}`);
      // `probe` never throws: what comes out of it is a finding, whatever it is.
      const disk = new PiecesDisk(pieces, bytes);
      for (const kind of kinds) {
        try {
          kind.probe(disk);
        } catch (cause) {
          throw new Error(`${kind.name}: the probe threw: ${(cause as Error).message}`, { cause });
        }
      }
      // A disk that is full, and one whose middle is a partition's.
      part(() => identityOf(recognise(disk)));
      part(() => recognise(disk, { whole: false, covered: (offset) => offset > 65_536 }));
      if (name === 'fs/signatures') part(() => identify(disk));
    },
  };
}

export const pieceTargets: readonly Target[] = [
  piecesTarget('fs/signatures', 'signatures/signatures.json.gz'),
  piecesTarget('fs/swap', 'swap/swap.json.gz'),
];
