/**
 * The answers of an inspection that the engine has made. The appliance gets them instead of a new inspection, which
 * would take it many times as long as the start, and could unmount nothing that is mounted by then.
 */
import { type ActionName, actionNames, actions, type Backend, type KnownAnswer } from '../../api/index.js';
import { asGuestfsError, elsewhereOf } from '../../base/index.js';
import { inspectionKey } from '../../formats/index.js';

/** All but the one that reads files of the guest, which are mounted then. */
const getters = (): ActionName[] =>
  actionNames.filter(
    (name) =>
      /^inspect_(?:get|is)_/.test(name) && name !== 'inspect_get_icon' && actions[name].by !== 'appliance',
  );

/**
 * What the getters say of these roots. Failures are answers too. Undefined where the appliance must inspect by itself,
 * since it may know more of them.
 */
export async function inspectionAnswers(
  engine: Backend,
  roots: readonly string[],
): Promise<ReadonlyMap<string, KnownAnswer> | undefined> {
  const answers = new Map<string, KnownAnswer>();
  for (const name of getters()) {
    const each = actions[name].args.length === 0 ? [[]] : roots.map((root) => [root]);
    for (const args of each) {
      const answer = await answerOf(engine, name, args);
      if ('error' in answer && elsewhereOf(answer.error) === 'appliance') return undefined;
      answers.set(inspectionKey(name, args), answer);
    }
  }
  return answers;
}

async function answerOf(engine: Backend, name: ActionName, args: readonly string[]): Promise<KnownAnswer> {
  try {
    return { value: await engine.call(name, args, {}, { wantsProgress: false }) };
  } catch (thrown) {
    return { error: asGuestfsError(thrown) };
  }
}
