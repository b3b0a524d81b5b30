/**
 * The first names of a directory behind a given one, in the order of their bytes, found in one pass over all names with
 * memory for few of them: how directories of any size are told in pages.
 */
import { compareBytewise } from '../base/index.js';

/** A run of entries in the order of their names. */
export interface NameRun<Entry> {
  readonly entries: readonly Entry[];
  /** Whether there are entries behind these. */
  readonly more: boolean;
}

export class NameRunFinder<Entry extends { readonly name: string }> {
  readonly #after: string;
  readonly #most: number;
  #kept: Entry[] = [];
  /** The last name that can still belong to the run. */
  #bound: string | undefined;
  #more = false;

  /** `after`: the name before the run; empty for the beginning. `most`: how long the run may be. */
  constructor(after: string, most: number) {
    this.#after = after;
    this.#most = most;
  }

  add(entry: Entry): void {
    const { name } = entry;
    if (this.#after !== '' && compareBytewise(name, this.#after) <= 0) return;
    if (this.#bound !== undefined && compareBytewise(name, this.#bound) > 0) {
      this.#more = true;
      return;
    }
    this.#kept.push(entry);
    // At twice the length, so that each name is sorted few times.
    if (this.#kept.length >= 2 * this.#most) this.#cut();
  }

  #cut(): void {
    this.#kept.sort((one, other) => compareBytewise(one.name, other.name));
    if (this.#kept.length <= this.#most) return;
    this.#kept.length = this.#most;
    this.#more = true;
    this.#bound = this.#kept.at(-1)?.name;
  }

  run(): NameRun<Entry> {
    this.#cut();
    return { entries: this.#kept, more: this.#more };
  }
}
