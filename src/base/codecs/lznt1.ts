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

/** From this distance on what a vector repeats has reached the memory, and need not be waited for. */
const farDistance = 128;

/**
 * `expand(from, end, out, limit)`: expands the tokens from `from` to `end` to the bytes from `out` to at most `limit`.
 * Gives how many came out, or a fault. Up to 15 bytes behind them are written too.
 *
 * Long runs are many matches of one distance, as a match holds few bytes: they are copied together, up to `to`.
 */
function expandCode(): WasmCode[] {
  const { get, set, int, add, subtract, and, when, choose, loop, isBelow, give, shiftRight, shiftLeft } =
    wasm;
  const v = { from: 0, end: 1, out: 2, limit: 3, start: 4, flags: 5, token: 6, to: 7, shift: 8 } as const;
  const { border, distance, length, step, next } = {
    border: 9,
    distance: 10,
    length: 11,
    step: 12,
    next: 13,
  } as const;
  const other = 14;
  const count = (variable: number, by: WasmCode): WasmCode => set(variable, add(get(variable), by));
  const made = subtract(get(v.to), get(v.start));
  /** Of eight times the last match. */
  const groupLength = shiftLeft(get(length), int(3));

  /** A byte, or a vector, that is `step` before `out`, goes there. */
  const source = subtract(get(v.out), get(step));
  const copyByte = wasm.storeByte(get(v.out), wasm.loadByte(source));
  const copyVector = wasm.storeVector(get(v.out), wasm.loadVector(source));
  /** Copies what is behind `out`. What is there repeats with the distance, and with twice as much once that is there. */
  const copy = when(
    isBelow(get(v.out), get(v.to)),
    set(step, get(distance)),
    loop(
      and(isBelow(get(step), int(vectorSize)), isBelow(get(v.out), get(v.to))),
      set(next, add(get(v.out), get(step))),
      wasm.repeat(
        [copyByte, count(v.out, int(1))],
        and(isBelow(get(v.out), get(next)), isBelow(get(v.out), get(v.to))),
      ),
      set(step, shiftLeft(get(step), int(1))),
    ),
    loop(
      and(isBelow(get(step), int(farDistance)), isBelow(get(step), subtract(get(v.to), get(v.out)))),
      set(next, add(get(v.out), get(step))),
      wasm.repeat([copyVector, count(v.out, int(vectorSize))], isBelow(get(v.out), get(next))),
      set(v.out, get(next)),
      set(step, shiftLeft(get(step), int(1))),
    ),
    loop(isBelow(get(v.out), get(v.to)), copyVector, count(v.out, int(vectorSize))),
    set(v.out, get(v.to)),
  );
  const literal = [
    when(wasm.isZero(isBelow(get(v.to), get(v.limit))), give(int(-3))),
    copy,
    wasm.storeByte(get(v.out), wasm.loadByte(get(v.from))),
    count(v.from, int(1)),
    count(v.out, int(1)),
    set(v.to, get(v.out)),
  ];
  const match = [
    when(isBelow(subtract(get(v.end), get(v.from)), int(2)), give(int(-1))),
    when(wasm.isEqual(get(v.to), get(v.start)), give(int(-1))),
    set(v.token, wasm.loadShort(get(v.from))),
    count(v.from, int(2)),
    loop(
      isBelow(get(border), made),
      set(border, shiftLeft(get(border), int(1))),
      set(v.shift, subtract(get(v.shift), int(1))),
    ),
    set(next, add(shiftRight(get(v.token), get(v.shift)), int(1))),
    set(length, add(and(get(v.token), subtract(shiftLeft(int(1), get(v.shift)), int(1))), int(leastMatch))),
    when(isBelow(made, get(next)), give(int(-2))),
    when(isBelow(subtract(get(v.limit), get(v.to)), get(length)), give(int(-3))),
    when(subtract(get(next), get(distance)), set(other, get(next)), copy, set(distance, get(other))),
    count(v.to, get(length)),
  ];
  return [
    set(v.start, get(v.out)),
    set(v.to, get(v.out)),
    set(v.shift, int(lengthBits)),
    set(border, int(leastDistances)),
    loop(
      isBelow(get(v.from), get(v.end)),
      set(v.flags, wasm.or(wasm.loadByte(get(v.from)), int(0x100))),
      count(v.from, int(1)),
      // Runs are groups of the one token that came last: it means the same up to the border.
      when(
        [
          wasm.isEqual(get(v.flags), int(0x1ff)),
          isBelow(int(0), get(length)),
          isBelow(int(2 * 8 - 1), subtract(get(v.end), get(v.from))),
          isBelow(add(made, groupLength), add(get(border), int(1))),
          isBelow(add(get(v.to), groupLength), get(v.limit)),
          wasm.isZero(
            wasm.anyBit(wasm.xorVectors(wasm.loadVector(get(v.from)), wasm.splatShort(get(v.token)))),
          ),
        ].reduce(and),
        count(v.to, groupLength),
        count(v.from, int(2 * 8)),
        set(v.flags, int(1)),
      ),
      // The bit above the eight of the tokens says that they are done.
      loop(
        and(isBelow(int(1), get(v.flags)), isBelow(get(v.from), get(v.end))),
        choose(and(get(v.flags), int(1)), match, literal),
        set(v.flags, shiftRight(get(v.flags), int(1))),
      ),
    ),
    copy,
    give(made),
  ];
}

type Expander = ReturnType<typeof makeExpander>;

const makeExpander = () =>
  needWasm(
    'LZNT1',
    [{ name: 'expand', parameters: 4, variables: 11, result: true, code: expandCode() }],
    2 * 65_536,
  );

let expander: Expander | undefined;

/**
 * Decodes the chunks of a unit of at most `most` bytes: where a chunk has fewer bytes than it may have, zeroes follow up
 * to the next one. The result is valid until more is decoded. What lies behind the last chunk is not looked at.
 */
export function decodeLznt1(packed: Uint8Array, most: number): Uint8Array {
  work.steps.spend(most);
  expander ??= makeExpander();
  const { expand } = expander.functions;
  // The bytes that come out, and behind them the packed ones.
  const packedAt = most + vectorSize;
  const memory = expander.memory(packedAt + packed.length + vectorSize);
  memory.set(packed, packedAt);
  let at = 0;
  let end = 0;
  for (let start = 0; start < most && at + header.size <= packed.length; start += chunkSize) {
    const told = (packed[at] ?? 0) | ((packed[at + 1] ?? 0) << 8);
    if (told === 0) break;
    memory.fill(0, end, start);
    const length = (told & header.lengthMask) + 1;
    at += header.size;
    if (at + length > packed.length) throw new CorruptError(what, 'is cut short', { at, length });
    const limit = Math.min(start + chunkSize, most);
    if ((told & header.compressed) === 0) {
      end = copyLiterals(what, packed, at, memory.subarray(0, limit), start, length);
    } else {
      const made = expand(packedAt + at, packedAt + at + length, start, limit);
      if (made < 0) throw new CorruptError(what, faults[made] ?? '', { at });
      end = start + made;
    }
    at += length;
  }
  return memory.subarray(0, end);
}
