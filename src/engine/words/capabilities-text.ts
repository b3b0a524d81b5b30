/**
 * File capabilities from text, in the form of cap_from_text(3), as the attribute `security.capability` has them
 * (linux/capability.h, `vfs_cap_data` of revision 2).
 */
import { GuestfsError, viewOf } from '../../base/index.js';
import { capabilityCount, capabilityNames, effectiveFlag } from './capabilities.js';

const revision2 = 0x0200_0000;
const lengthOfRevision2 = 20;

/** Bits of a capability's state. */
const flags: Readonly<Record<string, number>> = { e: 1, p: 2, i: 4 };

const refuse = (text: string, why: string): GuestfsError =>
  new GuestfsError('EINVAL', `could not parse cap string: ${text}: ${why}`);

/** The numbers that a list of names means; the empty one and `all` mean all. */
function numbersOf(list: string, text: string): number[] {
  if (list === '' || list.toLowerCase() === 'all')
    return Array.from({ length: capabilityCount }, (_, n) => n);
  return list.split(',').map((name) => {
    const number = /^[0-9]{1,2}$/.test(name)
      ? Number(name)
      : capabilityNames.findIndex((known) => `cap_${known}` === name.toLowerCase());
    if (number < 0 || number >= capabilityCount) throw refuse(text, `'${name}' is no capability`);
    return number;
  });
}

/** One clause: names, and what is done to them. */
function apply(states: number[], clause: string, text: string): void {
  const [, list = '', operations = ''] = /^([^=+-]*)((?:[=+-][eip]*)+)$/.exec(clause) ?? [];
  if (operations === '') throw refuse(text, `'${clause}' says nothing of them`);
  if (list === '' && !operations.startsWith('=')) throw refuse(text, `'${clause}' names none`);
  const numbers = numbersOf(list, text);
  for (const [, operator = '', letters = ''] of operations.matchAll(/([=+-])([eip]*)/g)) {
    const bits = [...letters].reduce((sum, letter) => sum | (flags[letter] ?? 0), 0);
    for (const number of numbers) {
      const before = operator === '=' ? 0 : (states[number] ?? 0);
      states[number] = operator === '-' ? before & ~bits : before | bits;
    }
  }
}

/** The value of the attribute. EINVAL for a text that is no set, and for one that a file cannot have. */
export function parseCapabilities(text: string): Uint8Array {
  const states = new Array<number>(64).fill(0);
  const clauses = text.split(/\s+/).filter((clause) => clause !== '');
  if (clauses.length === 0) throw refuse(text, 'it is empty');
  for (const clause of clauses) apply(states, clause, text);
  const isEffective = states.some((state) => (state & 1) !== 0);
  // A file has one flag for all: each capability that is held is in effect, or none.
  if (isEffective && states.some((state) => ((state & 1) !== 0) !== ((state & 6) !== 0)))
    throw refuse(text, 'all capabilities of a file are in effect or none');
  const value = new Uint8Array(lengthOfRevision2);
  const view = viewOf(value);
  view.setUint32(0, revision2 + (isEffective ? effectiveFlag : 0), true);
  for (const [set, bit] of [
    [0, 2],
    [1, 4],
  ] as const) {
    for (const half of [0, 1]) {
      let word = 0;
      for (let n = 0; n < 32; n++) if (((states[half * 32 + n] ?? 0) & bit) !== 0) word += 2 ** n;
      view.setUint32(4 + half * 8 + set * 4, word, true);
    }
  }
  return value;
}
