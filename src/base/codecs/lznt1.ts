/**
 * LZNT1, the compression of NTFS: chunks of 4 KiB, each of which stands for itself. Specification: [MS-XCA] 2.5.
 *
 * A chunk has a header of two bytes, and then groups of eight tokens with a byte that says which of them are literals. A
 * match is two bytes, of which the more tell the distance the further the chunk has come. Tokens are expanded by
 * WebAssembly, which copies matches 16 bytes at a time.
 */
import { CorruptError } from '../errors.js';
import { needWasm, type WasmCode, wasm } from '../wasm.js';
import { work } from '../work.js';
import { copyLiterals } from './copies.js';

const chunkSize = 4096;
const header = { size: 2, lengthMask: 0x0fff, compressed: 0x8000 } as const;
const leastMatch = 3;
/** A match has twelve bits for its length at the start of a chunk, and one less with each doubling from here on. */
const leastDistances = 16;
const lengthBits = 12;
const vectorSize = 16;

const what = 'LZNT1 chunk';

/** What is wrong with a chunk, by what `expand` gives for it. */
const faults: Readonly<Record<number, string>> = {
  [-1]: 'has a match that is none',
  [-2]: 'has a copy from before its beginning',
  [-3]: 'holds more than a chunk can',
};

/**
 * `expand(from, end, out, limit)`: expands the tokens from `from` to `end` to the bytes from `out` to at most `limit`.
 * Gives how many came out, or a fault. Up to 15 bytes behind them are written too.
 */
function expandCode(): WasmCode[] {
  const { get, set, int, add, subtract, and, when, choose, loop, isBelow, give, shiftRight, shiftLeft } =
    wasm;
  const v = { from: 0, end: 1, out: 2, limit: 3, start: 4, flags: 5, token: 6, match: 7, shift: 8 } as const;
  const { border, distance, length } = { border: 9, distance: 10, length: 11 } as const;
  const count = (variable: number, step: WasmCode): WasmCode => set(variable, add(get(variable), step));
  const made = subtract(get(v.out), get(v.start));

  /** A byte, or a vector, that is `distance` before `out`, goes there. */
  const source = subtract(get(v.out), get(distance));
  const copyByte = wasm.storeByte(get(v.out), wasm.loadByte(source));
  const copyVector = wasm.storeVector(get(v.out), wasm.loadVector(source));
  const literal = [
    when(wasm.isZero(isBelow(get(v.out), get(v.limit))), give(int(-3))),
    wasm.storeByte(get(v.out), wasm.loadByte(get(v.from))),
    count(v.from, int(1)),
    count(v.out, int(1)),
  ];
  const copyMatch = [
    when(isBelow(subtract(get(v.end), get(v.from)), int(2)), give(int(-1))),
    when(wasm.isEqual(get(v.out), get(v.start)), give(int(-1))),
    set(v.match, wasm.loadShort(get(v.from))),
    count(v.from, int(2)),
    loop(
      isBelow(get(border), made),
      set(border, shiftLeft(get(border), int(1))),
      set(v.shift, subtract(get(v.shift), int(1))),
    ),
    set(distance, add(shiftRight(get(v.match), get(v.shift)), int(1))),
    set(length, add(and(get(v.match), subtract(shiftLeft(int(1), get(v.shift)), int(1))), int(leastMatch))),
    when(isBelow(made, get(distance)), give(int(-2))),
    when(isBelow(subtract(get(v.limit), get(v.out)), get(length)), give(int(-3))),
    // What is there repeats with the distance, and so it does with twice as much once that is there.
    set(v.match, add(get(v.out), get(length))),
    loop(
      and(isBelow(get(distance), int(vectorSize)), isBelow(get(v.out), get(v.match))),
      set(length, add(get(v.out), get(distance))),
      wasm.repeat(
        [copyByte, count(v.out, int(1))],
        and(isBelow(get(v.out), get(length)), isBelow(get(v.out), get(v.match))),
      ),
      set(distance, shiftLeft(get(distance), int(1))),
    ),
    loop(isBelow(get(v.out), get(v.match)), copyVector, count(v.out, int(vectorSize))),
    set(v.out, get(v.match)),
  ];
  return [
    set(v.start, get(v.out)),
    set(v.shift, int(lengthBits)),
    set(border, int(leastDistances)),
    loop(
      isBelow(get(v.from), get(v.end)),
      set(v.flags, wasm.or(wasm.loadByte(get(v.from)), int(0x100))),
      count(v.from, int(1)),
      // The bit above the eight of the tokens says that they are done.
      loop(
        and(isBelow(int(1), get(v.flags)), isBelow(get(v.from), get(v.end))),
        choose(and(get(v.flags), int(1)), copyMatch, literal),
        set(v.flags, shiftRight(get(v.flags), int(1))),
      ),
    ),
    give(made),
  ];
}

type Expander = ReturnType<typeof makeExpander>;

const makeExpander = () =>
  needWasm(
    'LZNT1',
    [{ name: 'expand', parameters: 4, variables: 8, result: true, code: expandCode() }],
    2 * 65_536,
  );

let expander: Expander | undefined;

/**
 * Decodes the chunks of a unit into `into`: where a chunk has fewer bytes than it may have, zeroes follow. Returns up to
 * where bytes came out. What lies behind the last chunk of the unit is not looked at.
 */
export function decodeLznt1(packed: Uint8Array, into: Uint8Array): number {
  work.steps.spend(into.length);
  expander ??= makeExpander();
  const { expand } = expander.functions;
  // The packed bytes, and behind them those that come out.
  const memory = expander.memory(packed.length + into.length + vectorSize);
  memory.set(packed);
  const outAt = packed.length;
  let at = 0;
  let end = 0;
  /** Where the chunks begin that lie in the memory and not yet in `into`. */
  let held = 0;
  const take = (to: number): void => {
    into.set(memory.subarray(outAt + held, outAt + to), held);
  };
  for (let start = 0; start < into.length && at + header.size <= packed.length; start += chunkSize) {
    const told = (packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8);
    if (told === 0) break;
    const length = (told & header.lengthMask) + 1;
    at += header.size;
    if (at + length > packed.length) throw new CorruptError(what, 'is cut short', { at, length });
    const limit = Math.min(start + chunkSize, into.length);
    if ((told & header.compressed) === 0) {
      take(start);
      end = copyLiterals(what, packed, at, into.subarray(0, limit), start, length);
      into.fill(0, end, limit);
      held = limit;
    } else {
      const made = expand(at, at + length, outAt + start, outAt + limit);
      if (made < 0) throw new CorruptError(what, faults[made] ?? '', { at });
      end = start + made;
      if (end < limit) {
        take(end);
        into.fill(0, end, limit);
        held = limit;
      }
    }
    at += length;
  }
  if (held < end) take(end);
  return end;
}
