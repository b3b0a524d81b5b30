/**
 * What a call leaves out of its answer, as it is damaged or cannot be read. Where the tool of libguestfs's appliance that
 * does the action gives the rest and fails, the call delivers the rest and rejects with a PartialError; where the tool gives
 * the rest and succeeds, so does the call; where nothing at all is left of an answer, it rejects in any case.
 */
import { elsewhereOf, type GuestfsError, PartialError } from '../../base/index.js';
import { isDamage } from '../../fs/index.js';
import type { Warnings } from './warnings.js';

export class Damage {
  readonly #warnings: Warnings;
  #count = 0;
  #first: GuestfsError | undefined;
  #firstText = '';

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  /** A call begins. */
  begin(): void {
    this.#count = 0;
    this.#first = undefined;
  }

  /** Leaves something out, with a warning. `path`: of the file or directory, where it is known. */
  leaveOut(error: GuestfsError, path?: string): void {
    const text = path === undefined ? error.message : `${path}: ${error.message}`;
    if (this.#count++ === 0) {
      this.#first = error;
      this.#firstText = text;
    }
    this.#warnings.leaveOut(`${text}: left out`, elsewhereOf(error));
  }

  /** Does what concerns one file; false where damage kept it from being done, which is told. All else is thrown. */
  attempt(path: string, work: () => void): boolean {
    try {
      work();
      return true;
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      this.leaveOut(thrown, path);
      return false;
    }
  }

  /** Of an answer that is empty: throws the first damage, if that is why. */
  failIfEmpty(isEmpty: boolean): void {
    if (isEmpty && this.#first !== undefined) throw this.#first;
  }

  /** All else is delivered: throws a PartialError if anything was left out. */
  failIfPartial(): void {
    if (this.#count === 0) return;
    const what =
      this.#count === 1
        ? 'one file or directory is damaged and not all there'
        : `${this.#count.toLocaleString('en')} files or directories are damaged and not all there`;
    throw new PartialError(`${what}: ${this.#firstText}`, this.#count, { cause: this.#first });
  }
}
