/**
 * An assembler for small modules of WebAssembly, which are put together where they are used: code of our own for the few
 * loops in which most time goes. "WebAssembly Core Specification" 2.0, section 5. Values are integers of 32 bits, or of
 * 64 (`long`), or vectors of 128. Code is a list of bytes, and expressions are nested: `add(get(0), int(1))`.
 */
import { UnsupportedError } from './errors.js';

// The types of the global that TypeScript keeps in its DOM library.
declare const WebAssembly:
  | {
      readonly Module: new (code: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
      validate(code: Uint8Array): boolean;
    }
  | undefined;

export type WasmCode = readonly number[];

/** A function of integers. It leaves an integer where `result` is true. */
interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  /** Variables beside the parameters, numbered behind them. They begin as 0. */
  readonly variables?: number;
  /** Variables of 64 bits, numbered behind those. */
  readonly longs?: number;
  readonly result?: boolean;
  readonly code: readonly WasmCode[];
}

/** LEB128 without a sign. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

/** LEB128 with a sign. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    if (rest >= -0x40 && rest < 0x40) return [...bytes, rest & 0x7f];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

const vector = (operation: number): number[] => [0xfd, ...unsigned(operation)];
const binary =
  (operation: number) =>
  (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, operation];
const load =
  (...operation: number[]) =>
  (at: WasmCode, offset = 0): WasmCode => [...at, ...operation, 0, ...unsigned(offset)];
const store =
  (...operation: number[]) =>
  (at: WasmCode, value: WasmCode, offset = 0): WasmCode => [
    ...at,
    ...value,
    ...operation,
    0,
    ...unsigned(offset),
  ];
const notZero = (value: WasmCode): WasmCode => [...value, 0x45];

/** Instructions. Comparisons and shifts are those of numbers without a sign. Addresses have an offset added to them. */
export const wasm = {
  get: (variable: number): WasmCode => [0x20, ...unsigned(variable)],
  set: (variable: number, value: WasmCode): WasmCode => [...value, 0x21, ...unsigned(variable)],
  /** Sets a variable, and is its value. */
  tee: (variable: number, value: WasmCode): WasmCode => [...value, 0x22, ...unsigned(variable)],
  int: (value: number): WasmCode => [0x41, ...signed(value)],
  add: binary(0x6a),
  subtract: binary(0x6b),
  multiply: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  shiftLeft: binary(0x74),
  shiftRight: binary(0x76),
  isEqual: binary(0x46),
  isBelow: binary(0x49),
  isZero: notZero,
  loadInt: load(0x28),
  storeInt: store(0x36),
  loadByte: load(0x2d),
  loadShort: load(0x2f),
  storeByte: store(0x3a),
  storeShort: store(0x3b),
  leadingZeroes: (value: WasmCode): WasmCode => [...value, 0x67],
  loadLong: load(0x29),
  orLongs: binary(0x84),
  shiftLongLeft: binary(0x86),
  shiftLongRight: binary(0x88),
  trailingZeroesOfLong: (value: WasmCode): WasmCode => [...value, 0x7a],
  long: (value: number): WasmCode => [0x42, ...signed(value)],
  toLong: (value: WasmCode): WasmCode => [...value, 0xad],
  fromLong: (value: WasmCode): WasmCode => [...value, 0xa7],
  loadVector: load(...vector(0)),
  storeVector: store(...vector(11)),
  /** A vector of eight times the low 16 bits. */
  splatShort: (value: WasmCode): WasmCode => [...value, ...vector(0x10)],
  anyBit: (value: WasmCode): WasmCode => [...value, ...vector(0x53)],
  xorVectors: (left: WasmCode, right: WasmCode): WasmCode => [...left, ...right, ...vector(0x51)],
  when: (condition: WasmCode, ...body: WasmCode[]): WasmCode => [
    ...condition,
    0x04,
    0x40,
    ...body.flat(),
    0x0b,
  ],
  choose: (condition: WasmCode, yes: readonly WasmCode[], no: readonly WasmCode[]): WasmCode => [
    ...condition,
    ...[0x04, 0x40, ...yes.flat(), 0x05, ...no.flat(), 0x0b],
  ],
  /** Does the body, and again for as long as the condition is then true. */
  repeat: (body: readonly WasmCode[], condition: WasmCode): WasmCode => [
    ...[0x03, 0x40, ...body.flat(), ...condition],
    ...[0x0d, 0, 0x0b],
  ],
  /** Does the body for as long as the condition is true before. */
  loop: (condition: WasmCode, ...body: WasmCode[]): WasmCode => [
    ...[0x02, 0x40, 0x03, 0x40, ...notZero(condition), 0x0d, 1],
    ...[...body.flat(), 0x0c, 0, 0x0b, 0x0b],
  ],
  /** Ends the function. */
  give: (value: WasmCode): WasmCode => [...value, 0x0f],
} as const;

const section = (id: number, items: readonly WasmCode[]): number[] => {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
};

const int32 = 0x7f;
const int64 = 0x7e;
/** Of memory, in bytes. */
const pageSize = 65_536;

/** A module of some functions that share a memory. */
function assemble(functions: readonly WasmFunction[], memorySize: number): Uint8Array {
  const nameOf = (name: string): number[] => [name.length, ...Array.from(name, (c) => c.charCodeAt(0))];
  const types = functions.map(({ parameters, result }) => [
    ...[0x60, parameters, ...Array<number>(parameters).fill(int32)],
    ...(result === true ? [1, int32] : [0]),
  ]);
  const bodies = functions.map(({ variables = 0, longs = 0, code }) => {
    const body = [2, ...unsigned(variables), int32, ...unsigned(longs), int64, ...code.flat(), 0x0b];
    return [...unsigned(body.length), ...body];
  });
  const names = functions.map(({ name }, index) => [...nameOf(name), 0, index]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(
      3,
      functions.map((_, index) => [index]),
    ),
    ...section(5, [[0, ...unsigned(Math.ceil(memorySize / pageSize))]]),
    ...section(7, [[...nameOf('memory'), 2, 0], ...names]),
    ...section(10, bodies),
  ]);
}

/** What a module gives: its functions by name, and its memory. */
export interface WasmExports<Name extends string> {
  readonly functions: Readonly<Record<Name, (...values: number[]) => number>>;
  /** All of the memory, of at least so many bytes. What was given before is of no use after it has grown. */
  memory(size: number): Uint8Array;
}

interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** Makes a module of functions. Undefined where this process has no WebAssembly, or none with vectors. */
export function makeWasm<Name extends string>(
  functions: readonly (WasmFunction & { readonly name: Name })[],
  memorySize: number,
): WasmExports<Name> | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const code = assemble(functions, memorySize);
  if (!WebAssembly.validate(code)) return undefined;
  // safe: these are the exports that were assembled
  const made = new WebAssembly.Instance(new WebAssembly.Module(code))
    .exports as WasmExports<Name>['functions'] & {
    memory: WasmMemory;
  };
  const { memory } = made;
  let all = new Uint8Array(memory.buffer);
  return {
    functions: made,
    memory(size) {
      if (size > all.length) {
        memory.grow(Math.ceil((size - all.length) / pageSize));
        all = new Uint8Array(memory.buffer);
      }
      return all;
    },
  };
}

/** The same for what nothing else can do. */
export function needWasm<Name extends string>(
  what: string,
  functions: readonly (WasmFunction & { readonly name: Name })[],
  memorySize: number,
): WasmExports<Name> {
  const made = makeWasm(functions, memorySize);
  if (made === undefined) throw new UnsupportedError(what, ['a process without WebAssembly']);
  return made;
}
