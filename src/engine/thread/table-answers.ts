/** What the tables alone can answer: which feature groups this engine has, namely those whose every action it does. */
import {
  type ActionName,
  type ActionResult,
  type ActionsBy,
  groups,
  type InternalArguments,
  type InternalResult,
  type InternalsByTable,
  isActionName,
  needsAppliance,
  topics,
} from '../../api/index.js';

/** Every libguestfs has Augeas, so its actions name no group any more; this engine has not. */
const formerMembers: Readonly<Record<string, readonly string[]>> = {
  augeas: Object.keys(topics.augeas.actions),
};

/** As guestfsd answers: 0 there, 1 not there, 2 no such group. */
function featureAnswer(group: string): 0 | 1 | 2 {
  const members: readonly (ActionName | string)[] | undefined = formerMembers[group] ?? groups.get(group);
  if (members === undefined) return 2;
  return members.some((name) => isActionName(name) && needsAppliance(name)) ? 1 : 0;
}

/** The actions and internal calls of which the tables say that they are done by the table. */
export const tableAnswers: {
  readonly [N in ActionsBy<'table'>]: () => ActionResult<N>;
} & {
  readonly [N in InternalsByTable]: (...args: InternalArguments<N>) => InternalResult<N>;
} = {
  /** Every group there is a name for, whether or not it is available; sorted. */
  available_all_groups: () => [...groups.keys()].sort(),
  internal_feature_available: featureAnswer,
};
