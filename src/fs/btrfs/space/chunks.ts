/**
 * Chunks: stretches of the filesystem's own addresses, and the stripes on its devices that hold them. The superblock
 * has those of the chunk tree itself; that tree has all.
 */
import { CorruptError, isPowerOfTwo, viewOf, work } from '../../../base/index.js';
import { chunkItem, chunkTypes, itemTypes, keySize, profileBits, stripe } from '../layout.js';
import type { RawSuperblock } from '../superblock.js';
import { offsetAt, typeAt } from '../tree/keys.js';
import type { Item } from '../tree/node.js';

type Profile = keyof typeof profileBits | 'single';

/** How the kernel bounds a profile's stripes, and how many devices may be missing. */
interface ProfileRules {
  readonly least: number;
  readonly most: number;
  /** Copies of each byte; of the profiles with parity one, and parity. */
  readonly copies: number;
  readonly parity: number;
}

const many = 65535;
const profiles: Readonly<Record<Profile, ProfileRules>> = {
  single: { least: 1, most: 1, copies: 1, parity: 0 },
  dup: { least: 2, most: 2, copies: 2, parity: 0 },
  raid0: { least: 1, most: many, copies: 1, parity: 0 },
  raid1: { least: 2, most: 2, copies: 2, parity: 0 },
  raid1c3: { least: 3, most: 3, copies: 3, parity: 0 },
  raid1c4: { least: 4, most: 4, copies: 4, parity: 0 },
  raid10: { least: 2, most: many, copies: 2, parity: 0 },
  raid5: { least: 2, most: many, copies: 1, parity: 1 },
  raid6: { least: 3, most: many, copies: 1, parity: 2 },
};

export interface Stripe {
  readonly device: number;
  /** In bytes on that device. */
  readonly offset: number;
}

export interface Chunk {
  /** An address of the filesystem. */
  readonly start: number;
  /** In bytes. */
  readonly length: number;
  readonly types: number;
  readonly profile: Profile;
  /** Bytes of one piece of a stripe. */
  readonly pieceLength: number;
  readonly stripes: readonly Stripe[];
  readonly copies: number;
  readonly parity: number;
}

/** The size of a piece of a stripe has never been another than 64 KiB; bounds keep the arithmetic exact. */
const pieceLengths = [4096, 2 ** 30] as const;
/** More chunks than a filesystem of exabytes has. */
const mostChunks = 2 ** 22;

/** Decodes the chunk whose bytes begin at `at` of a view, and end at or before `end`. */
function decodeChunk(view: DataView, at: number, end: number, start: number): { chunk: Chunk; size: number } {
  const corrupt = (problem: string, details: Record<string, number> = {}): CorruptError =>
    new CorruptError(`btrfs chunk ${start}`, problem, details);
  if (at + chunkItem.size > end) throw corrupt('is cut short');
  const raw = chunkItem.decode(view, at);
  const size = chunkItem.size + raw.num_stripes * stripe.size;
  if (at + size > end) throw corrupt('has stripes outside of it', { stripes: raw.num_stripes });
  const { length, stripe_len: pieceLength, type_low: types, num_stripes: count } = raw;
  const [least, most] = pieceLengths;
  if (length === 0 || !Number.isSafeInteger(start + length)) throw corrupt('is empty or endless', { length });
  if (!isPowerOfTwo(pieceLength) || pieceLength < least || pieceLength > most)
    throw corrupt('has an impossible length of stripes', { pieceLength });
  if (raw.type_high !== 0 || (types & chunkTypes.all) === 0) throw corrupt('has an unknown type', { types });
  const profile = profileOf(types);
  if (profile === undefined) throw corrupt('has an unknown profile', { types });
  const rules = profiles[profile];
  if (count < rules.least || count > rules.most)
    throw corrupt(`has a number of stripes that ${profile} cannot have`, { stripes: count });
  if (profile === 'raid10' && (raw.sub_stripes !== rules.copies || count % rules.copies !== 0))
    throw corrupt('has halves of stripes', { stripes: count, sub_stripes: raw.sub_stripes });
  const stripes = Array.from({ length: count }, (_, i) => {
    const { devid, offset } = stripe.decode(view, at + chunkItem.size + i * stripe.size);
    return { device: devid, offset };
  });
  const { copies, parity } = rules;
  return { chunk: { start, length, types, profile, pieceLength, stripes, copies, parity }, size };
}

function profileOf(types: number): Profile | undefined {
  const bits = (types & ~chunkTypes.all) >>> 0;
  if (bits === 0) return 'single';
  return Object.entries(profileBits).find(([, bit]) => bit === bits)?.[0] as Profile | undefined; // safe: its own key
}

/** The chunks of the superblock: keys and chunks, one after the other. */
export function systemChunks(raw: RawSuperblock): Chunk[] {
  const { sys_chunk_array: bytes, sys_chunk_array_size: end } = raw;
  const view = viewOf(bytes);
  const chunks: Chunk[] = [];
  for (let at = 0; at < end; ) {
    if (at + keySize > end)
      throw new CorruptError('btrfs superblock', 'its list of chunks is cut short', { at });
    if (typeAt(view, at) !== itemTypes.chunkItem)
      throw new CorruptError('btrfs superblock', 'its list of chunks has something else in it', { at });
    const { chunk, size } = decodeChunk(view, at + keySize, end, offsetAt(view, at));
    chunks.push(chunk);
    at += keySize + size;
  }
  return chunks;
}

/** The chunks by address. */
export class ChunkMap {
  readonly #chunks: readonly Chunk[];
  #last: Chunk | undefined;

  /** CorruptError for chunks that overlap. */
  constructor(chunks: readonly Chunk[]) {
    this.#chunks = [...chunks].sort((a, b) => a.start - b.start);
    let end = 0;
    for (const { start, length } of this.#chunks) {
      if (start < end) throw new CorruptError(`btrfs chunk ${start}`, 'overlaps the one before it');
      end = start + length;
    }
  }

  get all(): readonly Chunk[] {
    return this.#chunks;
  }

  /** The end of the last chunk: all addresses lie below it. */
  get end(): number {
    const last = this.#chunks.at(-1);
    return last === undefined ? 0 : last.start + last.length;
  }

  /** The chunk of an address; undefined where there is none. */
  find(address: number): Chunk | undefined {
    const last = this.#last;
    if (last !== undefined && address >= last.start && address < last.start + last.length) return last;
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const chunk = this.#chunks[middle] as Chunk; // safe: low ≤ middle < high ≤ length
      if (chunk.start + chunk.length <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.#chunks[low];
    if (found === undefined || address < found.start) return undefined;
    this.#last = found;
    return found;
  }
}

/** All chunks of the chunk tree. */
export function readChunks(items: Iterable<Item>): ChunkMap {
  const chunks: Chunk[] = [];
  for (const item of items) {
    work.entries.spend(1);
    if (item.type !== itemTypes.chunkItem) continue;
    if (chunks.length >= mostChunks)
      throw new CorruptError('btrfs chunk tree', 'has too many chunks', { most: mostChunks });
    chunks.push(decodeChunk(item.view, item.start, item.end, item.offset).chunk);
  }
  if (chunks.length === 0) throw new CorruptError('btrfs chunk tree', 'has no chunks');
  return new ChunkMap(chunks);
}
