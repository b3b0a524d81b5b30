/** A map that forgets the entry unused for longest once it holds more than its limit. */
export class LruMap<Key, Value> {
  readonly #entries = new Map<Key, Value>();
  readonly #limit: number;
  /** The youngest, if it is known: to ask for it again changes nothing. */
  #youngest: Key | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined && key !== this.#youngest) {
      // A Map iterates in the order of insertion: inserting again makes this the youngest.
      this.#entries.delete(key);
      this.#entries.set(key, value);
      this.#youngest = key;
    }
    return value;
  }

  /** As {@link get}, and the entry gets no younger. */
  peek(key: Key): Value | undefined {
    return this.#entries.get(key);
  }

  set(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#youngest = key;
    if (this.#entries.size > this.#limit) {
      const oldest = this.#entries.keys().next();
      if (!oldest.done) this.#entries.delete(oldest.value);
    }
  }

  /** Removes and returns the value that must go before another is set; undefined while there is room. */
  makeRoom(): Value | undefined {
    if (this.#entries.size < this.#limit) return undefined;
    const oldest = this.#entries.entries().next();
    if (oldest.done) return undefined;
    this.#entries.delete(oldest.value[0]);
    return oldest.value[1];
  }

  delete(key: Key): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
