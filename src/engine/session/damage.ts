/**
 * Damaged or unreadable parts that a call leaves out of its answer. If the tool in libguestfs's appliance for this
 * action gives the rest and fails, the call delivers the rest and rejects with a PartialError. If the tool gives the
 * rest and succeeds, so does the call. If nothing is left of an answer, the call rejects in any case.
 */
import { elsewhereOf, type GuestfsError, PartialError } from '../../base/index.js';
import { isDamage } from '../../fs/index.js';
import type { Warnings } from './warnings.js';

export class Damage {
  readonly #warnings: Warnings;
  #count = 0;
  #first: GuestfsError | undefined;
  #firstText = '';
  #firstPath: string | undefined;

  constructor(warnings: Warnings) {
    this.#warnings = warnings;
  }

  /** A call begins. */
  begin(): void {
    this.#count = 0;
    this.#first = undefined;
  }

  /** Leaves something out, with a warning. `path`: of the file or directory, if known. */
  leaveOut(error: GuestfsError, path?: string): void {
    const text = path === undefined ? error.message : `${path}: ${error.message}`;
    if (this.#count++ === 0) {
      this.#first = error;
      this.#firstText = text;
      this.#firstPath = path ?? error.path;
    }
    this.#warnings.leaveOut(`${text}: left out`, elsewhereOf(error));
  }

  /** Does something with one file; false if damage, which is reported, prevented it. Other errors are thrown. */
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

  /** For an empty answer: throws the first damage, if that is the reason. */
  failIfEmpty(isEmpty: boolean): void {
    if (isEmpty && this.#first !== undefined) throw this.#first;
  }

  /** The rest is delivered: throws a PartialError if anything was left out. */
  failIfPartial(): void {
    if (this.#count === 0) return;
    const what =
      this.#count === 1
        ? 'one file or directory is damaged and not all there'
        : `${this.#count.toLocaleString('en')} files or directories are damaged and not all there`;
    throw new PartialError(`${what}: ${this.#firstText}`, this.#count, {
      path: this.#count === 1 ? this.#firstPath : undefined,
      cause: this.#first,
    });
  }
}
