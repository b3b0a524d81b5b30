/**
 * CRC-32C of long data by folding, at some 20 GB a second. A polynomial is a multiple of the sum's own if the sum of what
 * it stands for is 0. One of few terms, with exponents that are whole bytes, says which bytes further on have the same
 * sum as a byte: adding (exclusive or) a byte to these few places does away with it. So data shrinks to its last bytes,
 * 16 at a time, with neither tables nor multiplications. Raising a polynomial to its 8th power multiplies its exponents
 * by eight; so multiples of small degree were searched for, by meeting in the middle, and are used as bytes.
 */
import { viewOf } from '../struct.js';
import { makeWasm, type WasmCode, wasm } from '../wasm.js';

/** How far from a byte the places lie that have its sum together; the nearest first. All are above {@link stride}. */
type Distances = readonly [number, ...number[]];

/** x^5321 + x^3574 + x^2491 + 1: four terms are the fewest, and 5275 the least degree of such. */
const far: Distances = [1747, 2830, 5321];
/** x^629 + x^158 + x^115 + x^65 + x^58 + 1, for what the first leaves. */
const near: Distances = [471, 514, 564, 571, 629];
const reachOf = (distances: Distances): number => Math.max(...distances);

/** Bytes that one round of the loop does away with. */
const stride = 64;
const vectorSize = 16;
/** Bytes that are folded together: with the memory around them they stay in a processor's own cache. */
const pieceSize = 512 * 1024;
// The memory: a copy of the last bytes that were done away with, zeroes, and the piece.
const copyEnd = 8192;
const pieceAt = 16_384;
const memorySize = 9 * 65_536;

/** Shorter data is not worth a call. */
export const leastFolded = 2048;

const { get, int, loadVector, storeVector, xorVectors } = wasm;

/**
 * A loop over the bytes from the first parameter, which is `reach` before the data, to the second: to each 16 of them,
 * those are added whose places they are.
 */
function foldCode(distances: Distances): WasmCode {
  const reach = reachOf(distances);
  const body = Array.from({ length: stride / vectorSize }, (_, i) => {
    const at = reach + i * vectorSize;
    const sum = distances.reduce(
      (all, distance) => xorVectors(all, loadVector(get(0), at - distance)),
      loadVector(get(0), at),
    );
    return storeVector(get(0), sum, at);
  });
  return wasm.repeat(body, wasm.isBelow(wasm.tee(0, wasm.add(get(0), int(stride))), get(1)));
}

/** Adds the vectors from the second parameter on to those from the first on, up to the third. */
const addCode: WasmCode = wasm.repeat(
  [
    storeVector(get(0), xorVectors(loadVector(get(0)), loadVector(get(1)))),
    wasm.set(1, wasm.add(get(1), int(vectorSize))),
  ],
  wasm.isBelow(wasm.tee(0, wasm.add(get(0), int(vectorSize))), get(2)),
);

/** Continues a sum over bytes of a view. */
type Update = (crc: number, view: DataView, start: number, end: number) => number;

/** The sum of data of any length from {@link leastFolded} on; undefined where there is no WebAssembly with vectors. */
export function foldingCrc32c(update: Update): Update | undefined {
  const made = makeWasm(
    [
      { name: 'far', parameters: 2, code: [foldCode(far)] },
      { name: 'near', parameters: 2, code: [foldCode(near)] },
      { name: 'add', parameters: 3, code: [addCode] },
    ],
    memorySize,
  );
  if (made === undefined) return undefined;
  const memory = made.memory(memorySize);
  const all = viewOf(memory);
  const { add, ...folds } = made.functions;

  /** Does away with bytes from `start` on. Returns where those begin that are left: fewer than reach and stride. */
  const fold = (name: 'far' | 'near', distances: Distances, start: number, end: number): number => {
    const reach = reachOf(distances);
    const rest = start + Math.floor((end - start - reach) / stride) * stride;
    if (rest <= start) return start;
    memory.fill(0, start - reach, start);
    folds[name](start - reach, rest - reach);
    // What is left gets what is its own from the last bytes before it, and zeroes behind them.
    memory.copyWithin(copyEnd - reach, rest - reach, rest);
    for (const distance of distances) add(rest, copyEnd - distance, rest + distance);
    return rest;
  };

  return (crc, view, start, end) => {
    let sum = crc;
    for (let at = start; at < end; at += pieceSize) {
      const length = Math.min(pieceSize, end - at);
      const pieceEnd = pieceAt + length;
      memory.set(new Uint8Array(view.buffer, view.byteOffset + at, length), pieceAt);
      if (length < leastFolded) return update(sum, view, at, end);
      all.setUint32(pieceAt, all.getUint32(pieceAt, true) ^ sum, true);
      const rest = fold('near', near, fold('far', far, pieceAt, pieceEnd), pieceEnd);
      sum = update(0, all, rest, pieceEnd);
    }
    return sum;
  };
}
