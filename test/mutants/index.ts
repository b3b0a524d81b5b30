/** The whole set: the errors that are listed, and of each barrier its absence. */
import { logMutants } from '../fs/ext/log-mutants.js';
import { orderMutants } from '../fs/ext/write/order-mutants.js';
import { barriersOf } from './barriers.js';
import { barrierFiles } from './lists/barriers.js';
import { imageMutants } from './lists/images.js';
import type { Mutant } from './mutant.js';

const ofBarriers = barrierFiles.map(barriersOf);

export const mutants: readonly Mutant[] = [
  ...logMutants.map((each): Mutant => ({ ...each, hunts: [['log', each.kind]] })),
  ...orderMutants.map(
    (each): Mutant => ({ ...each, hunts: each.judges.map((judge) => ['ext', each.kind, judge]) }),
  ),
  ...imageMutants,
  ...ofBarriers.flatMap((each) => each.mutants),
];

/** Barriers without a mutant, as no crash misses them. */
export const left = ofBarriers.flatMap((each) => each.left);
