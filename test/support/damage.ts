/** The one mutator: damage to images, and what must come of it: the two errors that name it, and nothing else. */
import assert from 'node:assert/strict';
import { beginWork, CorruptError, endWork, type Limits, UnsupportedError } from '../../src/base/index.js';
import { MemoryDisk } from '../../src/disk/index.js';
import type { Random } from './random.js';

/** Bytes that are changed. */
export interface Patch {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** A part of an image, in bytes. */
export type Range = readonly [from: number, to: number];

/** A disk with some bytes changed. It shares the memory of the image, of which there is no copy. */
export class PatchedDisk extends MemoryDisk {
  readonly #patches: readonly Patch[];

  constructor(image: Uint8Array, patches: readonly Patch[]) {
    super(image);
    this.#patches = patches;
  }

  override read(into: Uint8Array, offset: number): void {
    super.read(into, offset);
    for (const { at, bytes } of this.#patches) {
      const from = Math.max(at, offset);
      const to = Math.min(at + bytes.length, offset + into.length);
      if (from < to) into.set(bytes.subarray(from - at, to - at), from - offset);
    }
  }
}

/** Places that hold structures: not empty, and not the text of files. In units of 64 bytes. */
export function usedPlaces(image: Uint8Array): Range[] {
  const isText = (byte: number): boolean => byte === 0x0a || (byte >= 0x20 && byte < 0x7f);
  const places: Range[] = [];
  for (let at = 0; at + 64 <= image.length; at += 64) {
    const piece = image.subarray(at, at + 64);
    if (piece.some((byte) => byte !== 0) && !piece.every(isText)) places.push([at, at + 64]);
  }
  return places;
}

/** Bytes that are zeroed together. */
export const unitSize = 64;

/** The units of {@link unitSize} bytes in some places, each once; their offsets. */
export function unitsOf(places: readonly Range[], end: number): number[] {
  const units = new Set<number>();
  for (const [from, to] of places)
    for (let at = from - (from % unitSize); at < Math.min(to, end); at += unitSize) units.add(at);
  return [...units].sort((a, b) => a - b);
}

/** Numbers that bounds are made of. */
const telling = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

function patch(image: Uint8Array, places: readonly Range[], random: Random): Patch {
  const place = (): number => {
    const [from, to] = random.pick(places);
    return from + random.below(to - from);
  };
  const at = place();
  switch (random.below(6)) {
    case 0:
      return { at, bytes: Uint8Array.of(random.below(256)) };
    case 1:
      return { at, bytes: Uint8Array.of((image[at] ?? 0) ^ (1 << random.below(8))) };
    case 2:
      return { at, bytes: new Uint8Array(4).fill(random.pick([0, 1, 0x7f, 0x80, 0xff])) };
    case 3: {
      const from = place();
      return { at, bytes: image.slice(from, from + random.pick([8, 32, 64, 128])) };
    }
    default: {
      const word = new Uint8Array(4);
      const value = random.below(5) === 0 ? random.below(4096) : random.pick(telling);
      const little = random.below(5) > 0;
      new DataView(word.buffer).setUint32(0, value, little);
      const width = random.pick([2, 4]);
      const low = little ? word.subarray(0, width) : word.subarray(4 - width);
      return { at: at - (at % width), bytes: low };
    }
  }
}

/** A few changes at random in these places: bytes, bits, numbers at their limits, copies of other places. */
export function mutate(image: Uint8Array, places: readonly Range[], random: Random): Patch[] {
  const count = 1 + Math.floor(random.next() * random.next() * 24);
  return Array.from({ length: count }, () => patch(image, places, random)).filter(
    ({ at, bytes }) => at + bytes.length <= image.length,
  );
}

/** A copy of the image with the changes. */
export function patched(image: Uint8Array, patches: readonly Patch[]): Uint8Array {
  const copy = Uint8Array.from(image);
  for (const { at, bytes } of patches) copy.set(bytes, at);
  return copy;
}

/** Runs what may only fail in the two ways; gives the error, if there was one. */
export function tolerate(action: () => void): CorruptError | UnsupportedError | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    if (error instanceof CorruptError || error instanceof UnsupportedError) return error;
    throw error;
  }
}

/** What one use of a damaged image may take: far more than a whole one takes. */
const limits: Limits = {
  entries: 2_000_000,
  lookups: 4_000_000,
  steps: 20_000_000,
  bytes: 512 * 1024 * 1024,
  unpacked: 512 * 1024 * 1024,
};
/** In milliseconds of processor time: others may be busy on the machine. */
const patience = 5000;

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs the use of a damaged image within a budget of work and of processor time; what goes beyond fails. */
export function withinBudget<T>(use: () => T): T {
  const began = processorTime();
  const check = (): void => {
    const took = Math.round(processorTime() - began);
    if (took > patience) throw new Error(`the use of a damaged image takes too long: ${took} ms`);
  };
  beginWork(limits, check);
  try {
    const result = use();
    check();
    return result;
  } finally {
    endWork();
  }
}

/** Uses damaged images until the time is over, at least `leastRuns`. A failure names the seed, which alone repeats it. */
export function damageAtRandom(
  { milliseconds, leastRuns = 25 }: { readonly milliseconds: number; readonly leastRuns?: number },
  use: (seed: number) => void,
): void {
  const only = process.env.FUZZ_SEED;
  const end = performance.now() + Number(process.env.FUZZ_MILLISECONDS ?? milliseconds);
  let runs = 0;
  for (let seed = Number(only ?? 1); runs < leastRuns || performance.now() < end; seed++) {
    try {
      use(seed);
    } catch (cause) {
      throw new Error(`FUZZ_SEED=${seed}: ${(cause as Error).stack ?? String(cause)}`, { cause });
    }
    runs++;
    if (only !== undefined) break;
  }
  assert.ok(runs > 0);
}
