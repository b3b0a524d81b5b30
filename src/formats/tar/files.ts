/**
 * Finds the files of a tar archive that can be read anywhere: where the bytes of each lie, also of sparse files, of
 * which an archive holds only the parts that are there.
 */
import type { ByteSource } from '../../base/index.js';
import { type TarInput, tarMembers } from './members.js';

/** A stretch of a file: `length` bytes from `at` on lie in the archive at `offset`. */
interface TarPiece {
  readonly at: number;
  readonly length: number;
  readonly offset: number;
}

/** A file of an archive. Between its pieces are holes. */
export interface TarFile {
  readonly name: string;
  readonly sizeInBytes: number;
  /** In the order of the file, not empty. */
  readonly pieces: readonly TarPiece[];
}

/** Reads a source on, and knows where it is. */
class SourceInput implements TarInput {
  readonly #source: ByteSource;
  position = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  read(into: Uint8Array): number {
    const count = Math.min(into.length, this.#source.size - this.position);
    if (count > 0) this.#source.read(into.subarray(0, count), this.position);
    this.position += count;
    return count;
  }

  skip(length: number): boolean {
    if (length > this.#source.size - this.position) return false;
    this.position += length;
    return true;
  }
}

/** The files of an archive in its order, each as it is asked for. CorruptError where the archive breaks off. */
export function* tarFiles(source: ByteSource): Generator<TarFile, void> {
  const input = new SourceInput(source);
  for (const { type, name, sizeInBytes, parts } of tarMembers(input, { skipsUnknown: true })) {
    if (type !== 'file') continue;
    let offset = input.position;
    const pieces: TarPiece[] = [];
    for (const [at, length] of parts) {
      if (length > 0) pieces.push({ at, length, offset });
      offset += length;
    }
    yield { name, sizeInBytes, pieces };
  }
}
