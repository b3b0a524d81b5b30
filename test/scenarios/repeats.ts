/**
 * Steps that ask the same of one device after another. To the direct backend they are one: it passes a name on, and the
 * daemon alone knows one device from another. So of those with one kind of answer it has two: the first, and one that
 * each day is another. GUESTFS_TEST_STEPS=all has all of them.
 */
import { type Action, actions } from '../../src/api/index.js';
import type { Outcome } from './outcome.js';
import type { Scenario, Step } from './scenario.js';

const wantsAll = process.env.GUESTFS_TEST_STEPS === 'all';
const day = Math.floor(Date.now() / 86_400_000);

/** What an answer is, whatever the device: an error by its number, a value by its type. */
function kindOf(outcome: Outcome): unknown {
  if (!('value' in outcome)) return 'errno' in outcome ? outcome.errno : 'absent';
  const { value } = outcome;
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0 ? 'none' : 'some';
  return value === '' ? 'empty' : typeof value;
}

/** What is the same of steps that differ in the drive and the number of the partition alone. */
function formOf(step: Step, outcome: Outcome): string {
  const ofPartition = step[0].startsWith('part_');
  const form = step.map((argument) => {
    if (typeof argument === 'string')
      return argument.replace(/^\/dev\/sd[a-z]$/, 'a drive').replace(/^\/dev\/sd[a-z]\d+$/, 'a partition');
    return ofPartition && typeof argument === 'number' ? 'a number' : argument;
  });
  return JSON.stringify([form, kindOf(outcome)]);
}

/** What gives nothing back does something, if only to the session. */
function onlyAsks([name]: Step): boolean {
  const { reads, result }: Action = actions[name];
  return reads === true && result.type !== 'none';
}

/** The numbers of the steps of a scenario that are no repeats, by the answers that are kept. */
export function stepsWithoutRepeats({ steps }: Scenario, outcomes: readonly Outcome[]): number[] {
  const forms = new Map<string, number[]>();
  const all = [...steps.keys()];
  if (wantsAll) return all;
  for (const number of all) {
    // safe: below the length
    const step = steps[number] as Step;
    const form = onlyAsks(step) ? formOf(step, outcomes[number] as Outcome) : String(number);
    forms.set(form, [...(forms.get(form) ?? []), number]);
  }
  return [...forms.values()]
    .flatMap(([first, ...others]) => [first, ...others.slice(day % (others.length || 1)).slice(0, 1)])
    .filter((number) => number !== undefined)
    .sort((one, other) => one - other);
}
