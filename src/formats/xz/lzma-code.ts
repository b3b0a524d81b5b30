/**
 * The inner loop of the LZMA decoder as WebAssembly: the range coder, the literal coder, the length coders and the match
 * distances follow the LZMA specification (Igor Pavlov, "LZMA specification", 2015).
 */
import { type WasmCode, wasm } from '../../base/index.js';

const stateCount = 12;
const positionBitsMax = 4;
const endPositionModelIndex = 14;
const fullDistances = 1 << (endPositionModelIndex >> 1);
const alignBits = 4;
const matchMinimum = 2;
const vectorSize = 16;

// Where the probabilities of each kind begin, in one array.
const isMatch = 0;
const isRep = isMatch + (stateCount << positionBitsMax);
const isRepG0 = isRep + stateCount;
const isRepG1 = isRepG0 + stateCount;
const isRepG2 = isRepG1 + stateCount;
const isRep0Long = isRepG2 + stateCount;
const slots = isRep0Long + (stateCount << positionBitsMax);
const special = slots + 4 * 64;
const align = special + 1 + fullDistances - endPositionModelIndex + 64;
const lengths = align + (1 << alignBits);
// Of the probabilities of lengths.
const lengthLow = 2;
const lengthMiddle = lengthLow + (8 << positionBitsMax);
const lengthHigh = lengthMiddle + (8 << positionBitsMax);
const repLengths = lengths + lengthHigh + 256;
const literals = repLengths + lengthHigh + 256;
/** Probabilities of one literal coder. */
const literalCoder = 0x300;

/** How many probabilities there are. `literalBits`: lc and lp together. */
export const probabilityCount = (literalBits: number): number => literals + (literalCoder << literalBits);

/** The words at the beginning of the memory, by their numbers. Places are addresses in the memory. */
export const words = {
  /** Where the next byte comes out, and where the piece ends. */
  out: 0,
  end: 1,
  /** Where the dictionary begins, which may have been let go of, and where the bytes begin that are held. */
  start: 2,
  held: 3,
  /** Where the next packed byte lies, and where they end. */
  at: 4,
  packedEnd: 5,
  range: 6,
  code: 7,
  state: 8,
  rep0: 9,
  rep1: 10,
  rep2: 11,
  rep3: 12,
  lc: 13,
  literalMask: 14,
  positionMask: 15,
  /** 1 if the end marker is looked for instead of more bytes. */
  marker: 16,
} as const;

/** Where the probabilities lie in the memory: 16 bits each. */
export const probabilitiesAt = 256;
/** Bytes that may be written behind those that come out. */
export const slack = vectorSize;

/** What the code gives: bytes came out, the end marker came, neither did; or what is wrong. */
export const outcomes = { done: 0, marker: 1, other: 2 } as const;
export const faults: Readonly<Record<number, string>> = {
  [-1]: 'a chunk ends too early',
  [-2]: 'a distance reaches before the beginning',
  [-3]: 'a distance reaches beyond the dictionary',
  [-4]: 'a match reaches past its chunk',
};
/** The fault of a match that is longer than what is wanted. */
export const pastEnd = -4;

const { get, set, int, add, subtract, and, or, shiftLeft, shiftRight, isBelow, isEqual, isZero } = wasm;
const { when, choose, loop, repeat, give } = wasm;

// The first variables are the words; these follow.
const first = Object.keys(words).length;
const [probability, bound, model, symbol, position, length, distance, match] = [0, 1, 2, 3, 4, 5, 6, 7].map(
  (i) => first + i,
) as [number, number, number, number, number, number, number, number]; // safe: eight
const [matched, bits, value, target] = [8, 9, 10, 11].map((i) => first + i) as [
  number,
  number,
  number,
  number,
]; // safe: four
const variableCount = first + 12;
const { out, end, start, held, at, packedEnd, range, code, state, rep0, rep1, rep2, rep3 } = words;
const { lc, literalMask, positionMask, marker } = words;

const count = (variable: number, step = 1): WasmCode => set(variable, add(get(variable), int(step)));
const double = (variable: number): WasmCode => shiftLeft(get(variable), int(1));

/**
 * The decoder up to `end`, or up to the end marker. It gives one of {@link outcomes} or {@link faults}. It is put
 * together where it is first wanted, as no start should wait for that.
 */
export function makeDecodeFunction() {
  /** Keeps the range large, before a bit and at the end. */
  const normalize: WasmCode = when(
    isBelow(get(range), int(1 << 24)),
    when(isZero(isBelow(get(at), get(packedEnd))), give(int(-1))),
    set(range, shiftLeft(get(range), int(8))),
    set(code, or(shiftLeft(get(code), int(8)), wasm.loadByte(get(at)))),
    count(at),
  );

  /** Decodes a bit by the model at twice `index`, from probability `base` on; what follows depends on it. */
  function bit(index: WasmCode, base: number, zero: readonly WasmCode[], one: readonly WasmCode[]): WasmCode {
    const place = probabilitiesAt + 2 * base;
    const store = (changed: WasmCode): WasmCode => wasm.storeShort(get(model), changed, place);
    return [
      normalize,
      set(probability, wasm.loadShort(wasm.tee(model, index), place)),
      set(bound, wasm.multiply(shiftRight(get(range), int(11)), get(probability))),
      choose(
        isBelow(get(code), get(bound)),
        [
          set(range, get(bound)),
          store(add(get(probability), shiftRight(subtract(int(2048), get(probability)), int(5)))),
          ...zero,
        ],
        [
          set(range, subtract(get(range), get(bound))),
          set(code, subtract(get(code), get(bound))),
          store(subtract(get(probability), shiftRight(get(probability), int(5)))),
          ...one,
        ],
      ),
    ].flat();
  }

  /** A tree of some bits: `symbol` is its leaf, with a one in front. `index` is twice the place behind `base`. */
  function tree(index: WasmCode, base: number, depth: number): WasmCode {
    const step = bit(
      add(index, double(symbol)),
      base,
      [set(symbol, double(symbol))],
      [set(symbol, or(double(symbol), int(1)))],
    );
    return [set(symbol, int(1)), ...Array<WasmCode>(depth).fill(step)].flat();
  }

  /** Adds `bits` bits, the lowest first, to `distance`. */
  function reverseTree(index: WasmCode, base: number): WasmCode {
    const next = (one: readonly WasmCode[], leaf: WasmCode): WasmCode[] => [
      ...one,
      set(symbol, leaf),
      set(value, double(value)),
      set(bits, subtract(get(bits), int(1))),
    ];
    return [
      set(symbol, int(1)),
      set(value, int(1)),
      loop(
        get(bits),
        bit(
          add(index, double(symbol)),
          base,
          next([], double(symbol)),
          next([set(distance, add(get(distance), get(value)))], or(double(symbol), int(1))),
        ),
      ),
    ].flat();
  }

  /** `length`, without the least length of a match. `position` is that in the dictionary. */
  function matchLength(base: number): WasmCode {
    // Twice eight probabilities for each position.
    const ofPosition = shiftLeft(and(get(position), get(positionMask)), int(4));
    const short = (which: number, offset: number): WasmCode[] => [
      tree(ofPosition, base + which, 3),
      set(length, add(get(symbol), int(offset - 8))),
    ];
    return bit(int(0), base, short(lengthLow, 0), [
      bit(int(0), base + 1, short(lengthMiddle, 8), [
        tree(int(0), base + lengthHigh, 8),
        set(length, add(get(symbol), int(16 - 256))),
      ]),
    ]);
  }

  /** Twice the state, and twice the state with the position. */
  const ofState = shiftLeft(get(state), int(1));
  const ofStateAndPosition = shiftLeft(
    add(shiftLeft(get(state), int(positionBitsMax)), and(get(position), get(positionMask))),
    int(1),
  );
  const setState = (low: number, high: number): WasmCode =>
    choose(isBelow(get(state), int(7)), [set(state, int(low))], [set(state, int(high))]);

  /** A distance lies in the dictionary, and in what is held of it. */
  const checkDistance: WasmCode = [
    when(isBelow(get(position), get(distance)), give(int(-2))),
    when(isBelow(subtract(get(out), get(held)), get(distance)), give(int(-3))),
  ].flat();

  const literal: WasmCode[] = [
    when(isZero(isBelow(get(out), get(end))), give(int(outcomes.other))),
    set(value, int(0)),
    when(get(position), set(value, wasm.loadByte(subtract(get(out), int(1))))),
    // Twice the place of the literal coder.
    set(
      value,
      wasm.multiply(
        add(
          shiftLeft(and(get(position), get(literalMask)), get(lc)),
          shiftRight(get(value), subtract(int(8), get(lc))),
        ),
        int(2 * literalCoder),
      ),
    ),
    choose(
      isBelow(get(state), int(7)),
      [tree(get(value), literals, 8)],
      [
        // After a match the byte at its distance tells what is likely, until the first bit that differs.
        set(distance, add(get(rep0), int(1))),
        checkDistance,
        set(match, wasm.loadByte(subtract(get(out), get(distance)))),
        set(matched, int(0x100)),
        set(symbol, int(1)),
        repeat(
          [
            set(match, double(match)),
            set(target, and(get(match), get(matched))),
            bit(
              add(get(value), shiftLeft(add(add(get(matched), get(target)), get(symbol)), int(1))),
              literals,
              [set(symbol, double(symbol)), when(get(target), set(matched, int(0)))],
              [set(symbol, or(double(symbol), int(1))), when(isZero(get(target)), set(matched, int(0)))],
            ),
          ],
          isBelow(get(symbol), int(0x100)),
        ),
      ],
    ),
    wasm.storeByte(get(out), get(symbol)),
    count(out),
    choose(
      isBelow(get(state), int(4)),
      [set(state, int(0))],
      [
        choose(
          isBelow(get(state), int(10)),
          [set(state, subtract(get(state), int(3)))],
          [set(state, subtract(get(state), int(6)))],
        ),
      ],
    ),
  ];

  /** The distance of a new match, whose length is known. */
  const newDistance: WasmCode[] = [
    set(value, get(length)),
    when(isBelow(int(3), get(value)), set(value, int(3))),
    tree(shiftLeft(get(value), int(7)), slots, 6),
    set(distance, subtract(get(symbol), int(64))),
    when(
      isBelow(int(3), get(distance)),
      set(match, get(distance)),
      set(bits, subtract(shiftRight(get(match), int(1)), int(1))),
      set(distance, shiftLeft(or(int(2), and(get(match), int(1))), get(bits))),
      choose(
        isBelow(get(match), int(endPositionModelIndex)),
        [
          set(matched, shiftLeft(subtract(get(distance), get(match)), int(1))),
          reverseTree(get(matched), special),
        ],
        [
          set(bits, subtract(get(bits), int(alignBits))),
          set(value, int(0)),
          repeat(
            [
              normalize,
              set(range, shiftRight(get(range), int(1))),
              set(value, double(value)),
              when(
                isZero(isBelow(get(code), get(range))),
                set(code, subtract(get(code), get(range))),
                set(value, or(get(value), int(1))),
              ),
            ],
            wasm.tee(bits, subtract(get(bits), int(1))),
          ),
          set(distance, add(get(distance), shiftLeft(get(value), int(alignBits)))),
          set(bits, int(alignBits)),
          reverseTree(int(0), align),
        ],
      ),
    ),
  ];

  /** What ends the code: the range coder comes to rest, and the words are as they are now. */
  const save: WasmCode[] = [
    normalize,
    ...[out, at, range, code, state, rep0, rep1, rep2, rep3].map((word) => storeWord(word, get(word))),
  ];
  function storeWord(word: number, changed: WasmCode): WasmCode {
    return wasm.storeInt(int(4 * word), changed);
  }

  const newMatch: WasmCode[] = [
    matchLength(lengths),
    ...newDistance,
    when(isEqual(get(distance), int(-1)), ...save, give(int(outcomes.marker))),
    set(rep3, get(rep2)),
    set(rep2, get(rep1)),
    set(rep1, get(rep0)),
    set(rep0, get(distance)),
    setState(7, 10),
  ];

  /** A match at one of the last four distances, which becomes the first. */
  const repeatedMatch: WasmCode[] = [
    set(length, int(-1)),
    bit(
      ofState,
      isRepG0,
      // A single byte, or more.
      [
        bit(
          ofStateAndPosition,
          isRep0Long,
          [setState(9, 11), set(length, int(1 - matchMinimum))],
          [set(length, int(0))],
        ),
      ],
      [
        set(value, get(rep0)),
        bit(
          ofState,
          isRepG1,
          [set(rep0, get(rep1))],
          [
            bit(ofState, isRepG2, [set(rep0, get(rep2))], [set(rep0, get(rep3)), set(rep3, get(rep2))]),
            set(rep2, get(rep1)),
          ],
        ),
        set(rep1, get(value)),
        set(length, int(0)),
      ],
    ),
    when(isZero(get(length)), matchLength(repLengths), setState(8, 11)),
  ];

  const copyMatch: WasmCode[] = [
    set(distance, add(get(rep0), int(1))),
    checkDistance,
    set(length, add(get(length), int(matchMinimum))),
    when(isBelow(subtract(get(end), get(out)), get(length)), give(int(pastEnd))),
    set(target, add(get(out), get(length))),
    choose(
      isBelow(get(distance), int(vectorSize)),
      // Source and target may overlap, which repeats the bytes between them.
      [
        repeat(
          [wasm.storeByte(get(out), wasm.loadByte(subtract(get(out), get(distance)))), count(out)],
          isBelow(get(out), get(target)),
        ),
      ],
      [
        repeat(
          [
            wasm.storeVector(get(out), wasm.loadVector(subtract(get(out), get(distance)))),
            count(out, vectorSize),
          ],
          isBelow(get(out), get(target)),
        ),
        set(out, get(target)),
      ],
    ),
  ];

  return {
    name: 'decode',
    parameters: 0,
    variables: variableCount,
    result: true,
    code: [
      ...Object.values(words).map((word) => set(word, wasm.loadInt(int(4 * word)))),
      loop(
        or(isBelow(get(out), get(end)), get(marker)),
        set(position, subtract(get(out), get(start))),
        bit(ofStateAndPosition, isMatch, literal, [
          bit(ofState, isRep, newMatch, repeatedMatch),
          ...copyMatch,
        ]),
      ),
      ...save,
      int(outcomes.done),
    ],
  } as const;
}
