/** Events as an iterable: `for await (const progress of g.events('progress', { until: copy }))`. */

export interface EventStreamOptions {
  /** Ends the iteration without an error when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Ends the iteration when this promise settles, in either way: usually a call that is being watched. */
  readonly until?: Promise<unknown> | undefined;
}

/**
 * An asynchronous iterable of values. All values are kept for a slow reader. The stream is open from its creation
 * until it ends by itself or its reader leaves the loop.
 */
export class EventStream<T> implements AsyncIterableIterator<T> {
  readonly #values: T[] = [];
  readonly #readers: ((result: IteratorResult<T, undefined>) => void)[] = [];
  #ended = false;
  readonly #signal: AbortSignal | undefined;
  readonly #stop: () => void;
  readonly #end = (): void => this.end();

  /** `stop` ends the supply; called once. */
  constructor(stop: () => void, { signal, until }: EventStreamOptions = {}) {
    this.#stop = stop;
    this.#signal = signal;
    if (signal?.aborted === true) this.end();
    signal?.addEventListener('abort', this.#end, { once: true });
    until?.then(this.#end, this.#end);
  }

  push(value: T): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#values.push(value);
    else reader({ value, done: false });
  }

  /** No more values follow. Values that arrived before can still be read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#end);
    this.#stop();
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true });
  }

  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.#values.length > 0) return { value: this.#values.shift() as T, done: false };
    if (this.#ended) return { value: undefined, done: true };
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    this.#values.length = 0;
    this.end();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
