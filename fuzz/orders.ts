/** What the campaign and the process that runs its rounds say to each other. */

/** Above these a round is a finding. */
export interface Limits {
  /** Processor time of one round. */
  readonly milliseconds: number;
  /** Memory that one round adds to the process, at its peak. */
  readonly bytes: number;
}

/** Rounds with the seeds from `seed` on: so many, or until the time is over; at least one. */
export interface Order {
  readonly target: string;
  readonly fixture: string;
  readonly seed: number;
  readonly rounds: number;
  readonly milliseconds: number;
  readonly limits: Limits;
}

export type FindingKind = 'error' | 'time' | 'memory' | 'end';

/** What is wrong with a round. */
export interface Problem {
  readonly seed: number;
  readonly kind: FindingKind;
  readonly text: string;
}

/** What came of an order. A problem ends it, with the round that has it as its last. */
export interface Outcome {
  /** Rounds that were run. */
  readonly rounds: number;
  readonly problem?: Problem;
  /** Processor time of all rounds, and of making the fixture ready; in milliseconds. */
  readonly milliseconds: number;
  /** The round that took most processor time. */
  readonly longest: { readonly milliseconds: number; readonly seed: number };
  /** The most that the process had, over what it had before the first round; in bytes. */
  readonly peakBytes: number;
  readonly inputBytes: number;
}

/** The descriptor on which a runner writes which seed it is at, so that it is known when the runner is gone. */
export const stateDescriptor = 4;
export const stateLength = 8;
/** Stands for the seed while the fixture is made ready. */
export const preparing = -1;
