/**
 * The filesystem's own addresses: which devices have the bytes of an address, in how many copies, and how a copy is
 * read. Places of the profiles are those of the kernel's fs/btrfs/volumes.c.
 */
import { CorruptError, work } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import type { Chunk, ChunkMap, Stripe } from './chunks.js';
import { rebuild } from './parity.js';

/** A stretch of an address on a device. */
interface Place {
  readonly device: number;
  readonly offset: number;
  /** Bytes that lie there in one piece. */
  readonly length: number;
}

export class AddressSpace {
  readonly #chunks: ChunkMap;
  readonly #devices: ReadonlyMap<number, Disk>;

  constructor(chunks: ChunkMap, devices: ReadonlyMap<number, Disk>) {
    this.#chunks = chunks;
    this.#devices = devices;
  }

  get chunks(): ChunkMap {
    return this.#chunks;
  }

  /** The end of all addresses. */
  get end(): number {
    return this.#chunks.end;
  }

  #chunkAt(address: number, name: string): Chunk {
    const chunk = this.#chunks.find(address);
    if (chunk === undefined) throw new CorruptError(name, 'is in no chunk', { address });
    return chunk;
  }

  /** In how many ways the bytes at an address can be read: copies, or what parity gives. */
  copiesAt(address: number, name: string): number {
    return copiesOf(this.#chunkAt(address, name));
  }

  /**
   * Reads one copy of the bytes at an address. CorruptError if it is on a missing device or outside of one. `name`: what
   * is read, for errors.
   */
  readCopy(into: Uint8Array, address: number, copy: number, name: string): void {
    for (let done = 0; done < into.length; ) {
      work.lookups.spend(1);
      const chunk = this.#chunkAt(address + done, name);
      const inChunk = address + done - chunk.start;
      const wanted = Math.min(into.length - done, chunk.length - inChunk);
      done += this.#readPiece(into.subarray(done, done + wanted), chunk, inChunk, copy, name);
    }
  }

  /** Reads up to the border of a stripe; returns how much that was. */
  #readPiece(into: Uint8Array, chunk: Chunk, inChunk: number, copy: number, name: string): number {
    if (chunk.parity > 0 && copy > 0) return this.#rebuildPiece(into, chunk, inChunk, copy, name);
    const { device, offset, length } = placeOf(chunk, inChunk, copy);
    const count = Math.min(into.length, length);
    this.#device(device, name).read(into.subarray(0, count), offset);
    return count;
  }

  #device(id: number, name: string): Disk {
    const disk = this.#devices.get(id);
    if (disk === undefined) throw new CorruptError(name, 'is on a device that is missing', { device: id });
    return disk;
  }

  /** Reads by parity: see {@link copiesOf}. */
  #rebuildPiece(into: Uint8Array, chunk: Chunk, inChunk: number, copy: number, name: string): number {
    const { dataCount, row, index, within } = rowOf(chunk, inChunk);
    const length = Math.min(into.length, chunk.pieceLength - within);
    const stripeOf = (which: number | 'p' | 'q'): Stripe => {
      const column = which === 'p' ? dataCount : which === 'q' ? dataCount + 1 : which;
      return chunk.stripes[(column + row) % chunk.stripes.length] as Stripe; // safe: modulo the length
    };
    const all: (number | 'p' | 'q')[] = [...Array(dataCount).keys(), 'p'];
    if (chunk.parity > 1) all.push('q');
    const lost = new Set(all.filter((which) => !this.#devices.has(stripeOf(which).device)));
    if (chunk.parity === 1) lost.add('q');
    if (copy === 2) lost.add('p');
    // The further copies each take one of the others for damaged.
    if (copy > 2) lost.add((index + copy - 2) % dataCount);
    const stripes = {
      dataCount,
      length,
      read: (which: number | 'p' | 'q') => {
        const { device, offset } = stripeOf(which);
        const bytes = new Uint8Array(length);
        this.#device(device, name).read(bytes, offset + row * chunk.pieceLength + within);
        return bytes;
      },
    };
    into.set(rebuild(stripes, index, lost));
    return length;
  }
}

/**
 * Copies are counted from 0. With parity, the first is the data itself, the second is what P gives, the third what Q
 * gives, and the others what both give if one more of the data is damaged.
 */
function copiesOf({ copies, parity, stripes }: Chunk): number {
  if (parity === 0) return copies;
  return parity === 1 ? 2 : stripes.length - parity + 2;
}

/** Where a byte of a chunk with parity lies: the row, the number of its data stripe, and the byte of that. */
function rowOf(
  { stripes, parity, pieceLength }: Chunk,
  inChunk: number,
): { dataCount: number; row: number; index: number; within: number } {
  const dataCount = stripes.length - parity;
  const within = inChunk % pieceLength;
  const piece = (inChunk - within) / pieceLength;
  const index = piece % dataCount;
  return { dataCount, row: (piece - index) / dataCount, index, within };
}

/** Where a copy of a byte of a chunk lies. */
function placeOf(chunk: Chunk, inChunk: number, copy: number): Place {
  const { profile, stripes, pieceLength, copies, parity } = chunk;
  const on = (stripe: Stripe | undefined, offset: number, length: number): Place => {
    if (stripe === undefined)
      throw new CorruptError(`btrfs chunk ${chunk.start}`, 'has no such copy', { copy });
    return { device: stripe.device, offset: stripe.offset + offset, length };
  };
  if (profile !== 'raid0' && profile !== 'raid10' && parity === 0)
    return on(stripes[copy], inChunk, chunk.length - inChunk);
  if (parity > 0) {
    const { row, index, within } = rowOf(chunk, inChunk);
    return on(stripes[(index + row) % stripes.length], row * pieceLength + within, pieceLength - within);
  }
  const within = inChunk % pieceLength;
  const piece = (inChunk - within) / pieceLength;
  const columns = stripes.length / copies;
  const column = piece % columns;
  const offset = ((piece - column) / columns) * pieceLength + within;
  return on(stripes[column * copies + copy], offset, pieceLength - within);
}
