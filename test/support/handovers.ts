/**
 * Which hand-overs to the appliance are tested, since each takes a launch. GUESTFS_TEST_HANDOVERS says it: `all`, a seed,
 * or a seed and how many: `7x300`; or `states`, for those that hand over another state than the ones before them.
 */
import { Random } from './random.js';

const wanted = process.env.GUESTFS_TEST_HANDOVERS ?? '1';
const parts = /^(\d+)(?:x(\d+))?$/.exec(wanted);
if (wanted !== 'all' && wanted !== 'states' && parts === null)
  throw new Error(`GUESTFS_TEST_HANDOVERS=${wanted} is neither all, nor states, nor SEED, nor SEEDxCOUNT`);

export const allHandOvers = wanted === 'all';
export const onlyStates = wanted === 'states';

/** Some of all, in an order that depends on the seed alone. `usual`: how many, if nobody says it. */
export function chooseHandOvers<T>(all: readonly T[], usual: number): readonly T[] {
  if (parts === null) return all;
  const random = new Random(Number(parts[1]));
  return all
    .map((each) => ({ each, order: random.next() }))
    .sort((one, other) => one.order - other.order)
    .slice(0, Number(parts[2] ?? usual))
    .map(({ each }) => each);
}
