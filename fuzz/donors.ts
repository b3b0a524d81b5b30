/** Inputs that damage takes parts from: of an image only what is not zero is kept, so that all of a target can be. */

export interface Donor {
  readonly length: number;
  subarray(start: number, end?: number): Uint8Array;
}

const pageLength = 4096;

/** A copy of an input without its pages of zeroes. */
export class SparseCopy implements Donor {
  readonly length: number;
  readonly #pages = new Map<number, Uint8Array>();

  constructor(bytes: Uint8Array) {
    this.length = bytes.length;
    const zeroes = new Uint8Array(pageLength);
    for (let at = 0; at < bytes.length; at += pageLength) {
      const page = bytes.subarray(at, at + pageLength);
      if (Buffer.compare(page, zeroes.subarray(0, page.length)) !== 0) this.#pages.set(at, page.slice());
    }
  }

  subarray(start: number, end = this.length): Uint8Array {
    const to = Math.min(end, this.length);
    const copy = new Uint8Array(Math.max(0, to - start));
    for (let at = start - (start % pageLength); at < to; at += pageLength) {
      const page = this.#pages.get(at);
      if (page === undefined) continue;
      const from = Math.max(start, at);
      copy.set(page.subarray(from - at, Math.max(from, to) - at), from - start);
    }
    return copy;
  }
}
