/** What a backend is known to answer otherwise than libguestfs 1.48.6 in its appliance. */
import type { ErrnoName } from '../../src/base/index.js';
import type { Step, Suite } from './scenario.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export interface Difference {
  /** Why it is right to. */
  readonly because: string;
  /** The scenario, where the same step is in others that agree. */
  readonly scenario?: string;
  readonly steps: readonly Step[];
  /** What ours answers: an error by its code, a value, or what is true of it. */
  readonly ours: ErrnoName | { readonly value: Json } | ((value: Json) => boolean);
}

export const isText = (pattern: RegExp) => (value: Json) => typeof value === 'string' && pattern.test(value);

/** The known difference of a step, if it has one. */
export function findDifference(
  differences: readonly Difference[],
  scenario: string,
  step: Step,
): Difference | undefined {
  const text = JSON.stringify(step);
  return differences.find(
    (each) =>
      (each.scenario === undefined || each.scenario === scenario) &&
      each.steps.some((listed) => JSON.stringify(listed) === text),
  );
}

/** The steps of differences that no scenario has any more. */
export function staleSteps(differences: readonly Difference[], suites: readonly Suite[]): string[] {
  const steps = new Set(
    suites.flatMap(({ scenarios }) =>
      scenarios.flatMap((scenario) => scenario.steps.map((step) => JSON.stringify(step))),
    ),
  );
  return differences
    .flatMap((difference) => difference.steps.map((step) => JSON.stringify(step)))
    .filter((step) => !steps.has(step));
}
