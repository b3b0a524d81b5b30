/** Lists of texts as results, with a memory limit that does not depend on the file or tree. */
import { GuestfsError, work } from '../../base/index.js';

/**
 * The most bytes of a list of strings, as the engine's thread counts them. libguestfs's own limit is 4 MiB, because
 * of its protocol. This limit is far below the thread's heap limit, since the list is built there and copied once.
 */
const listBudget = 96 * 1024 * 1024;
/** What a string takes beside its characters. */
const stringOverhead = 24;

/** Strings that are collected for a result. */
export class TextList {
  readonly items: string[] = [];
  readonly #what: string;
  #bytes = 0;

  /** `what` names in errors what the list is of. */
  constructor(what: string) {
    this.#what = what;
  }

  /** Adds a text. EFBIG if the list is too long for a result. */
  add(text: string): void {
    const bytes = text.length + stringOverhead;
    this.#bytes += bytes;
    work.bytes.spend(bytes);
    if (this.#bytes > listBudget) {
      throw new GuestfsError('EFBIG', `${this.#what}: too many lines for one result; download it instead`);
    }
    this.items.push(text);
  }

  addAll(texts: Iterable<string>): this {
    for (const text of texts) this.add(text);
    return this;
  }
}
