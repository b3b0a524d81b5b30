/**
 * A deterministic automaton, built from a program while lines are read: each byte of a line costs one table lookup,
 * whatever the expression. A new state costs as many steps as the program has instructions, so a line is matched in
 * linear time. A back-reference matches any text here: a line that fails here fails.
 */
import { work } from '../../../base/index.js';
import { type Beside, beside, besideOf, holds } from './context.js';
import type { Instruction } from './program.js';

/** The most cached states, and the most instructions in all of them: beyond that, all are dropped and built again. */
const stateLimit = 4096;
const memberLimit = 2_000_000;
/** How many bytes of a line are read between two checkpoints. */
const bytesAtOnce = 65536;

const unknown = 0;
const accepted = -1;

/** A state of the automaton: the instructions to try on the next byte, and the kind of the last byte. */
interface State {
  readonly members: Int32Array;
  readonly before: Beside;
}

export class Automaton {
  readonly #program: readonly Instruction[];
  /** The class of each byte: bytes of a class are in the same sets. The last class means the end of the line. */
  readonly #classOf = new Uint8Array(256);
  readonly #samples: number[] = [];
  readonly #width: number;
  readonly #tellsEdges: boolean;
  readonly #tellsWords: boolean;
  readonly #states: State[] = [];
  readonly #numbers = new Map<string, number>();
  #memberCount = 0;
  /** For each state and class, the row of the next state; a state's row begins at its number times the width. */
  #table = new Int32Array(0);
  readonly #seen: Uint32Array;
  #round = 0;

  constructor(program: readonly Instruction[]) {
    this.#program = program;
    const assertions = program.flatMap((each) => (each.kind === 'assertion' ? [each.assertion] : []));
    this.#tellsWords = assertions.some((assertion) => assertion.includes('ord'));
    this.#tellsEdges = assertions.length > 0;
    this.#classify();
    this.#width = this.#samples.length + 1;
    this.#seen = new Uint32Array(program.length);
    this.#forget();
  }

  /** Whether the expression matches somewhere in a line. */
  matches(line: Uint8Array): boolean {
    const classOf = this.#classOf;
    let row = this.#width;
    for (let at = 0; at < line.length; ) {
      const stop = Math.min(line.length, at + bytesAtOnce);
      if (at > 0) work.checkpoint();
      let table = this.#table;
      for (; at < stop; at++) {
        const kind = classOf[line[at] as number] as number; // safe: a byte, below 256
        let next = table[row + kind] as number; // safe: a row of the table and a class
        if (next === unknown) {
          next = this.#step(row, kind);
          table = this.#table;
        }
        if (next === accepted) return true;
        row = next;
      }
    }
    const end = this.#width - 1;
    const last = this.#table[row + end] as number; // safe: as above
    return (last === unknown ? this.#step(row, end) : last) === accepted;
  }

  /** Bytes are separated by the sets that contain them and, if it matters, by being part of a word. */
  #classify(): void {
    const sets = new Set(this.#program.flatMap((each) => (each.kind === 'set' ? [each.set] : [])));
    let kinds: number[] = Array.from({ length: 256 }, (_, byte) => (this.#tellsWords ? besideOf(byte) : 0));
    for (const set of sets) {
      const numbers = new Map<number, number>();
      kinds = kinds.map((kind, byte) => {
        const key = kind * 2 + (set[byte] ?? 0);
        const number = numbers.get(key) ?? numbers.size;
        numbers.set(key, number);
        return number;
      });
    }
    kinds.forEach((kind, byte) => {
      this.#classOf[byte] = kind;
      this.#samples[kind] ??= byte;
    });
  }

  /** Begins with two states: none, and the one at the beginning of a line. */
  #forget(): void {
    this.#states.length = 0;
    this.#numbers.clear();
    this.#memberCount = 0;
    this.#table = new Int32Array(64 * this.#width);
    this.#states.push({ members: new Int32Array(0), before: beside.edge });
    this.#row({ members: new Int32Array(0), before: this.#tellsEdges ? beside.edge : beside.other });
  }

  /** The row of a state, which is built if needed. */
  #row(state: State): number {
    const key = `${state.before}:${state.members.join()}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#states.push(state) - 1;
      this.#numbers.set(key, number);
      this.#memberCount += state.members.length;
      const needed = (number + 1) * this.#width;
      if (needed > this.#table.length) {
        const larger = new Int32Array(2 * this.#table.length);
        larger.set(this.#table);
        this.#table = larger;
      }
    }
    return number * this.#width;
  }

  /**
   * The row after a byte of a class, or after the end of the line; `accepted` if the expression has matched before.
   */
  #step(row: number, kind: number): number {
    const sample = this.#samples[kind];
    const state = this.#states[row / this.#width] as State; // safe: rows are made by #row alone
    const found = this.#follow(state, sample);
    if (found === undefined) {
      this.#table[row + kind] = accepted;
      return accepted;
    }
    if (this.#states.length >= stateLimit || this.#memberCount > memberLimit) {
      this.#forget();
      return this.#row(found);
    }
    const next = this.#row(found);
    this.#table[row + kind] = next;
    return next;
  }

  /** The state after a byte, or after the end of the line (undefined); undefined if the expression has matched. */
  #follow({ members, before }: State, byte: number | undefined): State | undefined {
    const program = this.#program;
    const after = byte === undefined ? beside.edge : besideOf(byte);
    const round = ++this.#round;
    const reached: number[] = [];
    // The expression may begin at every byte.
    const pending = [...members, 0];
    for (let place = pending.pop(); place !== undefined; place = pending.pop()) {
      if (this.#seen[place] === round) continue;
      work.steps.spend(1);
      this.#seen[place] = round;
      const instruction = program[place] as Instruction; // safe: places lie in the program, which ends with a match
      switch (instruction.kind) {
        case 'match':
          return undefined;
        case 'set':
          if (byte !== undefined && instruction.set[byte] === 1) reached.push(place + 1);
          break;
        case 'assertion':
          if (holds(instruction.assertion, before, after)) pending.push(place + 1);
          break;
        case 'jump':
          pending.push(instruction.to);
          break;
        case 'fork':
          pending.push(place + 1, instruction.to);
          break;
        case 'reference':
          if (byte !== undefined) reached.push(place);
          pending.push(place + 1);
          break;
        default:
          pending.push(place + 1);
      }
    }
    const told = this.#tellsWords ? after : beside.other;
    return { members: Int32Array.from(new Set(reached)).sort(), before: told };
  }
}
