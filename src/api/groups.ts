/**
 * Optional groups: actions that need some feature (a kernel module, a tool, a driver). `available` and
 * `featureAvailable` test for it.
 */
import { type ActionName, actionNames, actions } from './actions.js';

/** Groups that once were optional: every backend has them, and no action names them. */
const retiredGroups: readonly string[] = Object.freeze(['augeas', 'realpath']);

let known: ReadonlyMap<string, readonly ActionName[]> | undefined;

/** The actions of every optional group, by its name, sorted; a retired group has none. */
export function groups(): ReadonlyMap<string, readonly ActionName[]> {
  known ??= membersByGroup();
  return known;
}

function membersByGroup(): ReadonlyMap<string, readonly ActionName[]> {
  const members = new Map<string, ActionName[]>(retiredGroups.map((group) => [group, []]));
  for (const name of actionNames) {
    const { group } = actions[name];
    if (group === undefined) continue;
    const list = members.get(group);
    if (list === undefined) members.set(group, [name]);
    else list.push(name);
  }
  return new Map([...members].sort(([a], [b]) => (a < b ? -1 : 1)));
}
