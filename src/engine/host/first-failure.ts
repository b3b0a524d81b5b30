/** Work in parts of which each may fail: the rest is done, and the first error is thrown at the end. */
import { endsCall, GuestfsError } from '../../base/index.js';

export class FirstFailure {
  readonly #isLast: (error: GuestfsError) => boolean;
  #first: GuestfsError | undefined;

  /** `isLast`: an error behind which nothing more is tried. The end of the call and mistakes of our own always are. */
  constructor(isLast: (error: GuestfsError) => boolean = () => false) {
    this.#isLast = isLast;
  }

  attempt(part: () => void): void {
    try {
      part();
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError) || endsCall(thrown)) throw thrown;
      if (this.#isLast(thrown)) throw thrown;
      this.#first ??= thrown;
    }
  }

  /** Throws the first error, if there was one. */
  end(): void {
    if (this.#first !== undefined) throw this.#first;
  }
}
