/** Which feature groups this engine has: those whose every action it does. Asked of the client, which has the tables. */
import { type ActionName, groups, topics } from '../../api/index.js';
import { applianceOnly } from './appliance-only.js';
import { applianceReaders } from './appliance-readers.js';

const lacking = new Set<string>(applianceOnly);

/** Whether an action is one that this engine leaves to the appliance. */
export function needsAppliance(action: ActionName): boolean {
  return lacking.has(action);
}

/** Whether an action is for changing what is on a disk: it needs the appliance, and drives that are open for writing. */
export function changesDisks(action: ActionName): boolean {
  return lacking.has(action) && !applianceReaders.has(action);
}

/** Every libguestfs has Augeas, so its actions name no group any more; this engine has not. */
const formerMembers: Readonly<Record<string, readonly string[]>> = {
  augeas: Object.keys(topics.augeas.actions),
};

/** As guestfsd's `internal_feature_available` answers: 0 there, 1 not there, 2 no such group. */
export function featureAnswer(group: string): 0 | 1 | 2 {
  const members: readonly (ActionName | string)[] | undefined = formerMembers[group] ?? groups.get(group);
  if (members === undefined) return 2;
  return members.some((name) => lacking.has(name)) ? 1 : 0;
}

/** Every group there is a name for, whether or not it is available; sorted. */
export function allGroups(): string[] {
  return [...groups.keys()].sort();
}
