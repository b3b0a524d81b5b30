/**
 * The inner loops of the zstd decoder as WebAssembly: literals by Huffman codes, and sequences of literals and matches.
 * RFC 8878, sections 3.1.1.3.2 and 4.
 *
 * Bits are read from the end of a stream to its beginning. A stream has an address, and a window of the 64 bits there
 * whose unread ones are at its top. The lowest bit of a window is set when it is loaded: the zeroes below it tell how
 * many bits were read. So 56 bits may be read from a new window.
 */
import { type WasmCode, wasm } from '../../wasm.js';

const { get, set, int, add, subtract, or, shiftLeft, shiftRight, isBelow, isZero, when, choose, loop, give } =
  wasm;

const vectorSize = 16;
/** From this distance on what a vector repeats has reached the memory, and need not be waited for. */
const farDistance = 128;
/** Bytes in front of all streams, which a window may reach into; and behind what is written or read. */
export const slack = 64;

/** What the functions give where something is wrong. */
export const zstdFaults: Readonly<Record<number, string>> = {
  [-1]: 'has a stream of bits that ends too early',
  [-2]: 'has a stream of bits that is too long',
  [-3]: 'has more literals than there are',
  [-4]: 'has more bytes than there may be',
  [-5]: 'has a copy from before its beginning',
};

/** The words at the beginning of the memory, by their numbers, for sequences. Places are addresses in the memory. */
export const zstdWords = {
  /** Where the frame begins, where the next byte comes out, and where the block may end. */
  start: 0,
  out: 1,
  limit: 2,
  literal: 3,
  literalEnd: 4,
  /** The last three distances. */
  rep1: 5,
  rep2: 6,
  rep3: 7,
  /** The tables of lengths of literals, distances and lengths of matches, and the bits of their states. */
  literalTable: 8,
  literalBits: 9,
  distanceTable: 10,
  distanceBits: 11,
  matchTable: 12,
  matchBits: 13,
} as const;

const count = (variable: number, by: WasmCode): WasmCode => set(variable, add(get(variable), by));

/** Moves a window so that few of its bits have been read. */
const renew = (at: number, window: number, read: number): WasmCode =>
  [
    set(read, wasm.fromLong(wasm.trailingZeroesOfLong(get(window)))),
    set(at, subtract(get(at), shiftRight(get(read), int(3)))),
    set(
      window,
      wasm.shiftLongLeft(
        wasm.orLongs(wasm.loadLong(get(at)), wasm.long(1)),
        wasm.toLong(wasm.and(get(read), int(7))),
      ),
    ),
  ].flat();

/** The window at the end of a stream, whose highest bit that is set says where the stream ends. */
const begin = (at: number, window: number, end: WasmCode): WasmCode =>
  [
    when(isZero(wasm.loadByte(subtract(end, int(1)))), give(int(-1))),
    set(at, subtract(end, int(8))),
    set(
      window,
      wasm.shiftLongLeft(
        wasm.orLongs(wasm.loadLong(get(at)), wasm.long(1)),
        wasm.toLong(subtract(wasm.leadingZeroes(wasm.loadByte(get(at), 7)), int(23))),
      ),
    ),
  ].flat();

/** Whether a stream has been read beyond its beginning for sure. */
const isBefore = (at: number, start: WasmCode): WasmCode => isBelow(get(at), subtract(start, int(8)));

/** Whether not just all bits of a stream have been read. */
const isUneven = (at: number, window: number, start: WasmCode): WasmCode =>
  subtract(
    add(shiftLeft(subtract(get(at), start), int(3)), int(64)),
    wasm.fromLong(wasm.trailingZeroesOfLong(get(window))),
  );

/** Symbols of at most eleven bits that are read from a window. */
const symbolsPerWindow = 5;

/**
 * `decodeN(table, shift, out, end, size, start, end1 … endN)`: `size` bytes for each of N streams that lie one behind
 * the other from `start` on, from `out` to `end`. The table has two bytes for each value of the next bits, of which there
 * are 64 − `shift`: how many of them are used, and the symbol.
 */
function literalsFunction<Name extends string>(name: Name, streams: 1 | 4) {
  const [table, shift, out, end, size, start] = [0, 1, 2, 3, 4, 5] as const;
  const parameters = 6 + streams;
  const ends = Array.from({ length: streams }, (_, i) => 6 + i);
  const at = ends.map((_, i) => parameters + i);
  const to = ends.map((_, i) => parameters + streams + i);
  const read = parameters + 2 * streams;
  const entry = read + 1;
  const longs = entry + 1;
  const window = ends.map((_, i) => longs + i);
  const all = ends.map((_, i) => i);
  // safe: i is one of all, and each list has as many
  const of = (list: readonly number[], i: number): number => list[i] as number;
  const startOf = (i: number): WasmCode => get(i === 0 ? start : of(ends, i - 1));

  const symbol = (i: number, offset: number): WasmCode =>
    [
      set(
        entry,
        wasm.loadShort(
          add(
            get(table),
            shiftLeft(
              wasm.fromLong(wasm.shiftLongRight(get(of(window, i)), wasm.toLong(get(shift)))),
              int(1),
            ),
          ),
        ),
      ),
      // The number of bits is in the six lowest, which alone matter to a shift.
      set(of(window, i), wasm.shiftLongLeft(get(of(window, i)), wasm.toLong(get(entry)))),
      wasm.storeByte(get(of(to, i)), shiftRight(get(entry), int(8)), offset),
    ].flat();
  /** The end of the last stream, which has the fewest symbols. */
  const last = streams - 1;
  const finish = (i: number): WasmCode =>
    [
      loop(
        isBelow(get(of(to, i)), i === last ? get(end) : add(get(out), wasm.multiply(get(size), int(i + 1)))),
        when(isBefore(of(at, i), startOf(i)), give(int(-1))),
        renew(of(at, i), of(window, i), read),
        symbol(i, 0),
        count(of(to, i), int(1)),
      ),
      when(isUneven(of(at, i), of(window, i), startOf(i)), give(int(-2))),
    ].flat();
  return {
    name,
    parameters,
    variables: 2 * streams + 2,
    longs: streams,
    result: true,
    code: [
      ...all.map((i) => begin(of(at, i), of(window, i), get(of(ends, i)))),
      ...all.map((i) => set(of(to, i), add(get(out), wasm.multiply(get(size), int(i))))),
      loop(
        isBelow(add(get(of(to, last)), int(symbolsPerWindow - 1)), get(end)),
        when(all.map((i) => isBefore(of(at, i), startOf(i))).reduce(or), give(int(-1))),
        ...all.map((i) => renew(of(at, i), of(window, i), read)),
        ...Array.from({ length: symbolsPerWindow }, (_, n) => all.flatMap((i) => symbol(i, n))),
        ...all.map((i) => count(of(to, i), int(symbolsPerWindow))),
      ),
      ...all.map(finish),
      int(0),
    ],
  } as const;
}

/** Copies `length` bytes to `out`, which goes on; up to 15 more are written. `from` is an expression of `out`. */
const copyVectors = (out: number, from: WasmCode, end: number): WasmCode =>
  [
    wasm.repeat(
      [wasm.storeVector(get(out), wasm.loadVector(from)), count(out, int(vectorSize))],
      isBelow(get(out), get(end)),
    ),
  ].flat();

/**
 * `sequences(at, end, count)`: decodes so many sequences, at least one, from the bits between two addresses, and does
 * what they say. An entry of a table has the least value, how many bits are added to it, and the next state: how many
 * bits of it are read, and the entry that these are added to, as an offset in the table.
 */
function sequencesFunction() {
  const [start, streamEnd, left] = [0, 1, 2] as const;
  const first = 3;
  const word = (name: keyof typeof zstdWords): number => first + zstdWords[name];
  const [base, out, limit] = [word('start'), word('out'), word('limit')];
  const [literal, literalEnd] = [word('literal'), word('literalEnd')];
  const [rep1, rep2, rep3] = [word('rep1'), word('rep2'), word('rep3')];
  const own = first + Object.keys(zstdWords).length;
  const [at, read, literals, length, distance, entry, to, step] = [
    own,
    own + 1,
    own + 2,
    own + 3,
    own + 4,
    own + 5,
    own + 6,
    own + 7,
  ] as const;
  const [literalState, matchState, distanceState] = [own + 8, own + 9, own + 10] as const;
  const window = own + 11;

  /** The next bits, at most 31, of which the six lowest bits of an expression are the number. */
  const peek = (bits: WasmCode): WasmCode =>
    wasm.fromLong(
      wasm.shiftLongRight(
        wasm.shiftLongRight(get(window), wasm.long(1)),
        wasm.toLong(subtract(int(63), bits)),
      ),
    );
  const drop = (bits: WasmCode): WasmCode => set(window, wasm.shiftLongLeft(get(window), wasm.toLong(bits)));
  /** A value by the entry of a state. */
  const value = (into: number, state: number): WasmCode =>
    [
      set(entry, wasm.loadByte(get(state), 4)),
      set(into, add(wasm.loadInt(get(state)), peek(get(entry)))),
      drop(get(entry)),
    ].flat();
  const next = (state: number, table: number): WasmCode =>
    [
      set(entry, wasm.loadByte(get(state), 5)),
      set(state, add(add(get(table), wasm.loadShort(get(state), 6)), shiftLeft(peek(get(entry)), int(3)))),
      drop(get(entry)),
    ].flat();
  const firstState = (state: number, table: number, bits: number): WasmCode =>
    [set(state, add(get(table), shiftLeft(peek(get(bits)), int(3)))), drop(get(bits))].flat();

  /** The distance of a value: a new one, or one of the last three, by another number where no literals come before. */
  const findDistance = choose(
    isBelow(int(3), get(distance)),
    [set(rep3, get(rep2)), set(rep2, get(rep1)), set(rep1, subtract(get(distance), int(3)))],
    [
      set(distance, add(get(distance), isZero(get(literals)))),
      when(
        isBelow(int(1), get(distance)),
        choose(
          wasm.isEqual(get(distance), int(2)),
          [set(entry, get(rep2))],
          [
            choose(
              wasm.isEqual(get(distance), int(3)),
              [set(entry, get(rep3))],
              [set(entry, subtract(get(rep1), int(1)))],
            ),
            set(rep3, get(rep2)),
          ],
        ),
        set(rep2, get(rep1)),
        set(rep1, get(entry)),
      ),
    ],
  );
  const copyLiterals = [
    when(isBelow(subtract(get(literalEnd), get(literal)), get(literals)), give(int(-3))),
    when(isBelow(subtract(get(limit), get(out)), add(get(literals), get(length))), give(int(-4))),
    set(to, add(get(out), get(literals))),
    set(step, subtract(get(literal), get(out))),
    copyVectors(out, add(get(out), get(step)), to),
    set(out, get(to)),
    count(literal, get(literals)),
  ];
  const source = subtract(get(out), get(step));
  const copyMatch = [
    set(step, get(rep1)),
    // No distance is 0, and none reaches beyond the beginning.
    when(isZero(isBelow(subtract(get(step), int(1)), subtract(get(out), get(base)))), give(int(-5))),
    set(to, add(get(out), get(length))),
    // What is there repeats with the distance, and so it does with twice as much once that is there.
    loop(
      wasm.and(isBelow(get(step), int(vectorSize)), isBelow(get(out), get(to))),
      set(entry, add(get(out), get(step))),
      wasm.repeat(
        [wasm.storeByte(get(out), wasm.loadByte(source)), count(out, int(1))],
        wasm.and(isBelow(get(out), get(entry)), isBelow(get(out), get(to))),
      ),
      set(step, shiftLeft(get(step), int(1))),
    ),
    loop(
      wasm.and(isBelow(get(step), int(farDistance)), isBelow(get(step), subtract(get(to), get(out)))),
      set(entry, add(get(out), get(step))),
      copyVectors(out, source, entry),
      set(out, get(entry)),
      set(step, shiftLeft(get(step), int(1))),
    ),
    when(isBelow(get(out), get(to)), copyVectors(out, source, to)),
    set(out, get(to)),
  ];
  const store = (name: keyof typeof zstdWords): WasmCode =>
    wasm.storeInt(int(4 * zstdWords[name]), get(word(name)));
  return {
    name: 'sequences',
    parameters: 3,
    variables: window - 3,
    longs: 1,
    result: true,
    code: [
      ...Object.values(zstdWords).map((number) => set(first + number, wasm.loadInt(int(4 * number)))),
      begin(at, window, get(streamEnd)),
      firstState(literalState, word('literalTable'), word('literalBits')),
      firstState(distanceState, word('distanceTable'), word('distanceBits')),
      firstState(matchState, word('matchTable'), word('matchBits')),
      wasm.repeat(
        [
          when(isBefore(at, get(start)), give(int(-1))),
          renew(at, window, read),
          value(distance, distanceState),
          // So many bits are left for the lengths.
          when(isBelow(int(24), wasm.loadByte(get(distanceState), 4)), renew(at, window, read)),
          value(length, matchState),
          value(literals, literalState),
          findDistance,
          ...copyLiterals,
          ...copyMatch,
          set(left, subtract(get(left), int(1))),
          when(
            get(left),
            renew(at, window, read),
            next(literalState, word('literalTable')),
            next(matchState, word('matchTable')),
            next(distanceState, word('distanceTable')),
          ),
        ],
        get(left),
      ),
      when(isUneven(at, window, get(start)), give(int(-2))),
      ...(['out', 'literal', 'rep1', 'rep2', 'rep3'] as const).map(store),
      int(0),
    ],
  } as const;
}

/** All functions. They are put together where they are first wanted. */
export const zstdFunctions = () =>
  [literalsFunction('literals1', 1), literalsFunction('literals4', 4), sequencesFunction()] as const;
