/**
 * An assembler for small modules of WebAssembly, which are put together where they are used: code of our own for the few
 * loops that need vectors of 128 bits. "WebAssembly Core Specification" 2.0, section 5. Code is a list of bytes.
 */

// The types of the global that TypeScript keeps in its DOM library.
declare const WebAssembly:
  | {
      readonly Module: new (code: Uint8Array) => object;
      readonly Instance: new (module: object) => { readonly exports: unknown };
      validate(code: Uint8Array): boolean;
    }
  | undefined;

export type WasmCode = readonly number[];

/** A function that takes integers of 32 bits and returns none. */
interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly code: WasmCode;
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

/** Instructions. Addresses are taken from the stack; `offset` is added to them. */
export const wasm = {
  get: (local: number): WasmCode => [0x20, ...unsigned(local)],
  set: (local: number): WasmCode => [0x21, ...unsigned(local)],
  /** Sets a local variable and leaves its value. */
  tee: (local: number): WasmCode => [0x22, ...unsigned(local)],
  int: (value: number): WasmCode => [0x41, ...signed(value)],
  add: [0x6a],
  isBelow: [0x49],
  loadVector: (offset: number): WasmCode => [...vector(0), 0, ...unsigned(offset)],
  storeVector: (offset: number): WasmCode => [...vector(11), 0, ...unsigned(offset)],
  xorVectors: vector(0x51),
  /** Repeats the body for as long as it leaves something else than 0. */
  repeat: (...body: WasmCode[]): WasmCode => [0x03, 0x40, ...body.flat(), 0x0d, 0, 0x0b],
} as const;

const section = (id: number, items: readonly WasmCode[]): number[] => {
  const content = [...unsigned(items.length), ...items.flat()];
  return [id, ...unsigned(content.length), ...content];
};

/** A module of some functions that share a memory. `memory` is its size in bytes, a multiple of 64 KiB. */
function assemble(functions: readonly WasmFunction[], memory: number): Uint8Array {
  const nameOf = (name: string): number[] => [name.length, ...Array.from(name, (c) => c.charCodeAt(0))];
  const int32 = 0x7f;
  const pages = unsigned(memory / 65_536);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      functions.map(({ parameters }) => [0x60, parameters, ...Array<number>(parameters).fill(int32), 0]),
    ),
    ...section(
      3,
      functions.map((_, index) => [index]),
    ),
    ...section(5, [[1, ...pages, ...pages]]),
    ...section(7, [[...nameOf('memory'), 2, 0], ...functions.map(({ name }, i) => [...nameOf(name), 0, i])]),
    ...section(
      10,
      functions.map(({ code }) => [...unsigned(code.length + 2), 0, ...code, 0x0b]),
    ),
  ]);
}

/** What a module gives: its functions by name, and its memory. */
interface WasmExports {
  readonly memory: Uint8Array;
  readonly functions: Readonly<Record<string, (...values: number[]) => void>>;
}

/** Makes a module of functions. Undefined where this process has no WebAssembly, or none with vectors. */
export function makeWasm(functions: readonly WasmFunction[], memory: number): WasmExports | undefined {
  if (typeof WebAssembly === 'undefined') return undefined;
  const code = assemble(functions, memory);
  if (!WebAssembly.validate(code)) return undefined;
  // safe: these are the exports that were assembled
  const made = new WebAssembly.Instance(new WebAssembly.Module(code)).exports as WasmExports['functions'] & {
    memory: { buffer: ArrayBuffer };
  };
  return { memory: new Uint8Array(made.memory.buffer), functions: made };
}
