/** Answers from the tables alone: the feature groups of this engine, which are those whose every action it does. */
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

/** Every libguestfs has Augeas, so its actions name no group any more; this engine lacks it. */
const formerMembers = (group: string): readonly string[] | undefined =>
  group === 'augeas' ? Object.keys(topics.augeas.actions) : undefined;

/** guestfsd's answers: 0 available, 1 not available, 2 no such group. */
function featureAnswer(group: string): 0 | 1 | 2 {
  const members: readonly (ActionName | string)[] | undefined = formerMembers(group) ?? groups().get(group);
  if (members === undefined) return 2;
  return members.some((name) => isActionName(name) && needsAppliance(name)) ? 1 : 0;
}

/** The actions and internal calls that the tables answer themselves. */
export const tableAnswers: {
  readonly [N in ActionsBy<'table'>]: () => ActionResult<N>;
} & {
  readonly [N in InternalsByTable]: (...args: InternalArguments<N>) => InternalResult<N>;
} = {
  /** All known groups, available or not; sorted. */
  available_all_groups: () => [...groups().keys()].sort(),
  internal_feature_available: featureAnswer,
};
