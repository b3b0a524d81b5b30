/**
 * The answers of an inspection that the engine has made. The appliance gets them instead of a new inspection, which
 * would take it many times as long as the start, and could unmount nothing that is mounted by then.
 */
import { type ActionName, actionNames, actions, type Backend, type KnownAnswer } from '../../api/index.js';
import { asGuestfsError, UnsupportedError } from '../../base/index.js';
import { inspectionKey } from '../../formats/index.js';

/** These read files of the guest, which must be mounted. */
const readers: ReadonlySet<ActionName> = new Set([
  'inspect_get_icon',
  'inspect_get_windows_group_policy',
] satisfies ActionName[]);

const getters = (): ActionName[] =>
  actionNames.filter(
    (name) => /^inspect_(?:get|is)_/.test(name) && !readers.has(name) && actions[name].by !== 'appliance',
  );

/** What the getters say of these roots. Failures are answers too. */
export async function inspectionAnswers(
  engine: Backend,
  roots: readonly string[],
): Promise<ReadonlyMap<string, KnownAnswer>> {
  const answers = new Map<string, KnownAnswer>();
  const ask = async (name: ActionName, args: readonly string[]): Promise<void> => {
    try {
      answers.set(inspectionKey(name, args), {
        value: await engine.call(name, args, {}, { wantsProgress: false }),
      });
    } catch (thrown) {
      const error = asGuestfsError(thrown);
      if (!(error instanceof UnsupportedError)) answers.set(inspectionKey(name, args), { error });
    }
  };
  for (const name of getters()) {
    if (actions[name].args.length === 0) await ask(name, []);
    else for (const root of roots) await ask(name, [root]);
  }
  return answers;
}
