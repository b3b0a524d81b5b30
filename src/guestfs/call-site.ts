/**
 * Where a program made a call. The error of a call that failed later has the stack of that place: its own stack would
 * begin in the handler of a message. The frames are captured while the backend works already, and they become text
 * when somebody reads the stack.
 */

// biome-ignore lint/complexity/noBannedTypes: V8 takes any function
type AnyFunction = Function;

export class CallSite {
  /** Made by V8. */
  declare readonly stack: unknown;

  /** `hidden`: a function on the stack, which is left out together with all that it called. */
  constructor(hidden: AnyFunction) {
    Error.captureStackTrace(this, hidden);
  }

  /** Gives an error the stack of this place. */
  mark(error: Error): void {
    const own = Object.getOwnPropertyDescriptor(error, 'stack');
    let stack: unknown;
    const read = (): unknown => {
      stack ??= this.#stackOf(error) ?? own?.value ?? own?.get?.call(error);
      return stack;
    };
    const write = (value: unknown): void => {
      stack = value;
    };
    Object.defineProperty(error, 'stack', { get: read, set: write, enumerable: false, configurable: true });
  }

  /** Undefined where a program's `Error.prepareStackTrace` makes something else than text. */
  #stackOf({ name, message }: Error): string | undefined {
    const { stack } = this;
    if (typeof stack !== 'string') return undefined;
    const begin = stack.indexOf('\n    at ');
    return `${name}: ${message}${begin < 0 ? '' : stack.slice(begin)}`;
  }
}
