/**
 * The work of the running call. A thread runs one call at a time, so the call's budgets belong to the thread, and
 * code at any depth counts its own work:
 *     for (const entry of block) {
 *       work.entries.spend(1);
 * Usually that is a subtraction and a comparison. Every so many units it runs the call's checkpoint, so that counting
 * also notices a cancellation. A used-up budget throws, again and again until the call is over. Outside a call (a
 * driver's test, a fuzz target) there is no limit and no checkpoint.
 */
import { GuestfsError } from './errors.js';

/** What a call may use. */
export interface Limits {
  /** Names, records and structures of a disk that a call may read. Default 1,000,000,000. */
  readonly entries: number;
  /** Lookups of the place of a piece of a file, a volume or an image. Default 10,000,000,000. */
  readonly lookups: number;
  /**
   * Search steps beyond one for each byte: a pattern that backtracks, a comparison of all with all. Default
   * 10,000,000,000.
   */
  readonly steps: number;
  /**
   * Bytes that a call may hold in memory at once: its answer, and what it reads or unpacks for that. Default 4 GiB.
   */
  readonly bytes: number;
  /**
   * Bytes that a compressed image of a drive may have once it is unpacked, where that is needed to read it. Default
   * 256 GiB.
   */
  readonly unpacked: number;
}

type LimitName = keyof Limits;

/** Far more than honest images need: an ext4 filesystem of a terabyte has about 60 million inodes. */
export const defaultLimits: Limits = {
  entries: 1e9,
  lookups: 1e10,
  steps: 1e10,
  bytes: 4 * 1024 ** 3,
  unpacked: 256 * 1024 ** 3,
};

export const limitNames = Object.keys(defaultLimits) as LimitName[]; // safe: its own keys

/** The code of the error that a used-up budget is. */
const exhausted = 'EDQUOT';

let ask: (() => void) | undefined;

/** One budget of the running call. */
class Budget {
  readonly #name: LimitName;
  /** Units between two checkpoints: a few hundred microseconds of work. */
  readonly #slice: number;
  #limit = Number.POSITIVE_INFINITY;
  /** Units that are left before the next checkpoint. */
  #allowance: number;
  /** What is left beside the allowance. */
  #left = Number.POSITIVE_INFINITY;

  constructor(name: LimitName, slice: number) {
    this.#name = name;
    this.#slice = slice;
    this.#allowance = slice;
  }

  /** Counts `count` units. Throws ECANCELED if the call was cancelled, EDQUOT if the budget is used up. */
  spend(count: number): void {
    this.#allowance -= count;
    if (this.#allowance < 0) this.#renew();
  }

  /** Returns units for memory that was released. */
  refund(count: number): void {
    this.#left += count;
  }

  /** For the beginning of a call. */
  begin(limit: number): void {
    this.#limit = limit;
    this.#allowance = Math.min(this.#slice, limit);
    this.#left = limit - this.#allowance;
  }

  /** Counts nothing until the function that it returns is called. */
  suspend(): () => void {
    const [limit, allowance, left] = [this.#limit, this.#allowance, this.#left];
    this.begin(Number.POSITIVE_INFINITY);
    return () => {
      this.#limit = limit;
      this.#allowance = allowance;
      this.#left = left;
    };
  }

  #renew(): void {
    ask?.();
    const left = this.#left + this.#allowance;
    this.#allowance = Math.min(this.#slice, left);
    this.#left = left - this.#allowance;
    if (left < 0) throw usedUp(this.#name, this.#limit);
  }
}

function usedUp(name: LimitName, limit: number): GuestfsError {
  return new GuestfsError(
    exhausted,
    `the call came to its limit of ${limit} ${name}: an image that asks for so much is damaged or made to harm; ` +
      `the backend setting limit_${name}=NUMBER raises it`,
  );
}

/** The budgets of the running call, and its checkpoint. */
export const work = {
  entries: new Budget('entries', 128),
  lookups: new Budget('lookups', 512),
  steps: new Budget('steps', 16 * 1024),
  bytes: new Budget('bytes', 1024 * 1024),
  unpacked: new Budget('unpacked', 1024 * 1024),
  /** For long work that no budget counts: throws ECANCELED if the call was cancelled. */
  checkpoint(): void {
    ask?.();
  },
} as const;

/** Begins a call with full budgets. `ask` runs every few hundred microseconds, and throws if the call must end. */
export function beginWork(limits: Limits, checkpoint: () => void): void {
  ask = checkpoint;
  for (const name of limitNames) work[name].begin(limits[name]);
}

/**
 * Runs what must not end half way: a cancellation is noticed after it, and what it counts is free. It has to be
 * bounded by itself.
 */
export function undisturbed<T>(run: () => T): T {
  const asked = ask;
  ask = undefined;
  const before = limitNames.map((name) => work[name].suspend());
  try {
    return run();
  } finally {
    ask = asked;
    for (const resume of before) resume();
  }
}

/** Ends the call: until the next one there are no limits. */
export function endWork(): void {
  ask = undefined;
  for (const name of limitNames) work[name].begin(Number.POSITIVE_INFINITY);
}

/**
 * Whether an error ends the whole call: it was cancelled, or a budget is used up. Code that continues after damage
 * must rethrow such an error.
 */
export function endsCall(thrown: unknown): boolean {
  return thrown instanceof GuestfsError && (thrown.code === 'ECANCELED' || thrown.code === exhausted);
}

/**
 * All limits: backend settings (`limit_entries=NUMBER`) override the given ones, and these override the defaults.
 * Throws GuestfsError (EINVAL) for a setting that is no number.
 */
export function readLimits(settings: readonly string[], given: Partial<Limits> = {}): Limits {
  const limits: { -readonly [Name in LimitName]: number } = { ...defaultLimits };
  for (const name of limitNames) {
    limits[name] = given[name] ?? limits[name];
    const prefix = `limit_${name}=`;
    const setting = settings.find((candidate) => candidate.startsWith(prefix))?.slice(prefix.length);
    if (setting === undefined) continue;
    limits[name] = /^[1-9]\d{0,14}$/.test(setting) ? Number(setting) : Number.NaN;
    if (Number.isNaN(limits[name]))
      throw new GuestfsError(
        'EINVAL',
        `the backend setting limit_${name} must be a number, not '${setting}'`,
      );
  }
  return limits;
}
