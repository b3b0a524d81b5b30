/**
 * The work of the running call. A thread runs one call at a time, so the call's budgets are the thread's, and code at any depth
 * counts what it does where it does it:
 *
 *     for (const entry of block) {
 *       work.entries.spend(1);
 *
 * In the common case that is a subtraction and a comparison. Every so many units the call's checkpoint is asked, so that
 * whoever counts also hears that the call was cancelled. A budget that is used up throws, and goes on throwing until the
 * call is over. Outside a call (a driver's test, a fuzz target) there is no limit and nothing to ask.
 */
import { GuestfsError } from './errors.js';

/** What a call may use. */
export interface Limits {
  /** Names, records and structures of a disk that a call may look at. Default 1,000,000,000. */
  readonly entries: number;
  /** Questions where a piece of a file, a volume or an image lies. Default 10,000,000,000. */
  readonly lookups: number;
  /** Steps of a search that are not one for each byte: a pattern that goes back, a comparison of all with all. Default 10,000,000,000. */
  readonly steps: number;
  /** Bytes that a call may hold in memory at once: its answer, and what it reads or unpacks on the way. Default 4 GiB. */
  readonly bytes: number;
}

export type LimitName = keyof Limits;

/** More than honest images need: an ext4 filesystem of a terabyte has some 60 million inodes. */
export const defaultLimits: Limits = {
  entries: 1e9,
  lookups: 1e10,
  steps: 1e10,
  bytes: 4 * 1024 ** 3,
};

export const limitNames = Object.keys(defaultLimits) as LimitName[]; // safe: its own keys

/** The code of the error that a used-up budget is. */
const exhausted = 'EDQUOT';

let ask: (() => void) | undefined;

/** One budget of the running call. */
class Budget {
  readonly #name: LimitName;
  /** Units after which the checkpoint is asked: some hundred microseconds of work. */
  readonly #slice: number;
  #limit = Number.POSITIVE_INFINITY;
  /** What may be spent before the checkpoint is asked. */
  #allowance: number;
  /** What is left beside the allowance. */
  #left = Number.POSITIVE_INFINITY;

  constructor(name: LimitName, slice: number) {
    this.#name = name;
    this.#slice = slice;
    this.#allowance = slice;
  }

  /** Counts `count` units. Throws ECANCELED where the call was cancelled, EDQUOT where the budget is used up. */
  spend(count: number): void {
    this.#allowance -= count;
    if (this.#allowance < 0) this.#renew();
  }

  /** Gives back units that are not held any more: memory that was let go. */
  refund(count: number): void {
    this.#left += count;
  }

  /** For the beginning of a call. */
  begin(limit: number): void {
    this.#limit = limit;
    this.#allowance = Math.min(this.#slice, limit);
    this.#left = limit - this.#allowance;
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
  /** For work that no budget counts and that is long: throws ECANCELED where the call was cancelled. */
  checkpoint(): void {
    ask?.();
  },
} as const;

/** Begins a call: full budgets, and what is asked every few hundred microseconds, which throws where the call is to end. */
export function beginWork(limits: Limits, checkpoint: () => void): void {
  ask = checkpoint;
  for (const name of limitNames) work[name].begin(limits[name]);
}

/** Ends the call: until the next one there are no limits. */
export function endWork(): void {
  ask = undefined;
  for (const name of limitNames) work[name].begin(Number.POSITIVE_INFINITY);
}

/**
 * Whether an error ends the whole call: it was cancelled, or a budget is used up. Whoever goes on past what is damaged throws
 * such an error on.
 */
export function endsCall(thrown: unknown): boolean {
  return thrown instanceof GuestfsError && (thrown.code === 'ECANCELED' || thrown.code === exhausted);
}

/**
 * All limits: those of backend settings (`limit_entries=NUMBER`) before those given, and these before the defaults. Throws
 * GuestfsError (EINVAL) for a setting that is no number.
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
