/**
 * The private data area: named values that callers store in a handle. The library never reads, copies or frees the
 * values.
 *
 * Names that begin with `_` are reserved for bindings built on this library, which use {@link bindingKey}.
 */

declare const valueType: unique symbol;

/** A name with the type of its value. At run time it is only the name. */
export type PrivateKey<T> = string & { readonly [valueType]: T };

/** The type for a name that begins with `_`: nothing accepts it. */
interface ReservedName {
  readonly problem: 'names that begin with _ belong to bindings: use bindingKey';
}

/** A name for everyone: any string except a literal that begins with `_`, and except a typed key. */
export type OrdinaryName<Name extends string> = Name extends `_${string}` | { readonly [valueType]: unknown }
  ? never
  : Name;

/**
 * A typed key for the private data area: `const jobKey = privateKey<Job>('myapp.job')`. Put your program's name into
 * the key, because all users of a handle share its area. Two keys of one name are the same key.
 */
export function privateKey<_T>(name: `_${string}`): ReservedName;
export function privateKey<T>(name: string): PrivateKey<T>;
export function privateKey(name: string): unknown {
  return name;
}

/**
 * A typed key for a binding built on this library, whose names must not collide with those of its users:
 * `bindingKey<State>('_mybinding.state')`. Programs use {@link privateKey}.
 */
export function bindingKey<T>(name: `_${string}`): PrivateKey<T> {
  return name as PrivateKey<T>;
}

/**
 * The area of one handle. A JavaScript Map keeps entries in insertion order, and entries may be removed and added
 * during iteration. `births` ends an iteration before entries that are newer than itself, so that a loop that sets a
 * new name in each round ends.
 */
export class PrivateData {
  readonly #values = new Map<string, unknown>();
  /**
   * When the names were set that are newer than the first walk; undefined before that, because most areas are never
   * walked.
   */
  #births: Map<string, number> | undefined;
  #birthCount = 0;
  #cursor: Iterator<[string, unknown]> | undefined;

  /** Keeps a value under a name, in place of an earlier one; `null` or undefined removes it. */
  set(key: string, value: unknown): void {
    if (value === null || value === undefined) {
      this.#values.delete(key);
      this.#births?.delete(key);
      return;
    }
    if (this.#births !== undefined && !this.#values.has(key)) this.#births.set(key, this.#birthCount++);
    this.#values.set(key, value);
  }

  /** The value of a name, or null. */
  get(key: string): unknown {
    return this.#values.get(key) ?? null;
  }

  /**
   * The names and values, each name once. Entries removed during the walk, and new names, are left out; a replaced
   * value appears as the new one. The order has no meaning.
   */
  *entries(): Generator<[string, unknown], void, undefined> {
    this.#births ??= new Map();
    const births = this.#births;
    const count = this.#birthCount;
    for (const [key, value] of this.#values) {
      if ((births.get(key) ?? -1) >= count) return; // entries are in the order of birth: all that follow are newer
      yield [key, value];
    }
  }

  /** Begins a walk for {@link next} and drops an earlier one: the first name and value, or null. */
  first(): [string, unknown] | null {
    this.#cursor = this.entries();
    return this.next();
  }

  /** The next name and value of the walk; null at its end, and without a walk. */
  next(): [string, unknown] | null {
    const step = this.#cursor?.next();
    if (step === undefined || step.done === true) {
      this.#cursor = undefined;
      return null;
    }
    return step.value;
  }

  /** Forgets everything. */
  clear(): void {
    this.#values.clear();
    this.#births?.clear();
    this.#cursor = undefined;
  }
}
