/** `guestfs call`: any action of the API by its name. */
import {
  type ActionName,
  actions,
  camelCase,
  findAction,
  keyArguments,
  parseShellArguments,
  shellCalls,
  shellName,
} from '../../api/index.js';
import { GuestfsError, HostError, UnsupportedError } from '../../base/index.js';
import { changesDisks, type Guestfs, needsAppliance } from '../../guestfs/index.js';
import { printResult, resultJson } from '../command/action-results.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import type { Command, Invocation } from '../command/invocation.js';
import { guestOptions, progressOptions } from '../command/options.js';
import { Guest, makeHandle } from '../guest/guest.js';
import { isImageFile } from '../guest/image-argument.js';
import { mountGuest } from '../guest/mounting.js';
import { askSecrets } from '../terminal/secrets.js';

interface ActionCall {
  readonly name: ActionName;
  readonly words: readonly string[];
}

function readAction([word = '', ...words]: readonly string[]): ActionCall {
  const found = findAction(word);
  if (found.name === undefined)
    throw usageFailure(
      word === '' ? 'an action is missing' : `there is no action '${word}'`,
      found.nearest === undefined ? 'guestfs actions lists them' : `did you mean '${found.nearest}'?`,
    );
  return { name: found.name, words };
}

/** Actions with their words, separated by words that are a single colon. */
function readActions(words: readonly string[]): ActionCall[] {
  const calls: string[][] = [[]];
  for (const word of words) {
    if (word === ':') calls.push([]);
    else calls.at(-1)?.push(word);
  }
  return calls.map(readAction);
}

/** Requirements that the handle itself checks, before or instead of the backend. */
const withoutLaunch = (name: ActionName): boolean => {
  const { nonBlocking, configOnly } = actions[name] as { nonBlocking?: true; configOnly?: true };
  return nonBlocking === true || configOnly === true;
};

/** In place of a file that an action writes, `-` is our own standard output, which must not be opened by name. */
function withOutput(name: ActionName, args: readonly unknown[], invocation: Invocation): unknown[] {
  return args.map((value, index) =>
    actions[name].args[index]?.type === 'fileOut' && value === '/dev/stdout' ? invocation.out.sink() : value,
  );
}

/** Does what the words ask for: one call, or several calls of actions without results. */
async function runAction(g: Guestfs, { name, words }: ActionCall, invocation: Invocation): Promise<unknown> {
  let value: unknown;
  for (const each of shellCalls(name, words)) value = await runOnce(g, { name, words: each }, invocation);
  return value;
}

async function runOnce(g: Guestfs, { name, words }: ActionCall, invocation: Invocation): Promise<unknown> {
  const keys = await askSecrets(keyArguments(name), invocation);
  const { args, options } = parseShellArguments(name, words, keys);
  const method = g[camelCase(name) as keyof Guestfs] as (...given: unknown[]) => unknown;
  const given = withOutput(name, args, invocation);
  if (actions[name].nonBlocking)
    return method.apply(g, [...given, ...(actions[name].options ? [options] : [])]);
  return await invocation.withProgress(shellName(name), 'steps', async (controls) =>
    method.apply(g, [...given, { ...options, ...controls }]),
  );
}

/** Types of arguments that need a mounted filesystem. */
const pathArguments: readonly string[] = ['pathname', 'pathnameList', 'devOrPathname', 'mountableOrPathname'];

/** The names of the actions on the line that the embedded engine lacks. */
function lackHint(calls: readonly ActionCall[], { options }: Invocation): string {
  const changing = calls.find(({ name }) => changesDisks(name))?.name;
  const rw = changing === undefined || options.flag('rw') ? '' : ' --rw';
  const why = rw === '' ? '' : `; ${shellName(changing ?? 'touch')} changes the image, which --rw allows`;
  return `give --backend direct${rw}, which boots the real appliance${why}; 'guestfs doctor' tells whether it works here`;
}

/** Programs in the appliance report this in their own words, without an errno. */
const saysReadOnly = /read-only file ?system/i;

/** Adds a hint to an error about what the call lacks: another backend, a writable drive, a mounted filesystem. */
async function explained(
  thrown: unknown,
  g: Guestfs,
  name: ActionName,
  calls: readonly ActionCall[],
  invocation: Invocation,
): Promise<unknown> {
  if (!(thrown instanceof GuestfsError) || thrown instanceof HostError || g.state !== 'ready') return thrown;
  const failure = (status: number, hint: string): Failure =>
    new Failure(`${shellName(name)}: ${thrown.bareMessage}`, status, hint);
  if (thrown instanceof UnsupportedError && needsAppliance(name) && g.getBackend() === 'embedded')
    return failure(exitStatus.notSupported, lackHint(calls, invocation));
  const isReadOnly = thrown.code === 'EROFS' || saysReadOnly.test(thrown.message);
  if (isReadOnly && !invocation.options.flag('rw'))
    return failure(exitStatus.failure, 'the image is open read-only: give --rw to change it');
  if (thrown.code !== 'EINVAL') return thrown;
  const wantsPath = actions[name].args.some(({ type }) => pathArguments.includes(type));
  if (!wantsPath || (await g.mounts()).length > 0) return thrown;
  return failure(exitStatus.failure, 'call mounts nothing by itself: give -i or -m');
}

async function runActions(g: Guestfs, calls: readonly ActionCall[], invocation: Invocation): Promise<void> {
  const { options, out } = invocation;
  const results: unknown[] = [];
  for (const call of calls) {
    let value: unknown;
    try {
      value = await runAction(g, call, invocation);
    } catch (thrown) {
      throw await explained(thrown, g, call.name, calls, invocation);
    }
    if (options.flag('json')) results.push(resultJson(value));
    else await printResult(call.name, value, out);
  }
  if (options.flag('json')) await invocation.printJson(calls.length === 1 ? results[0] : results);
}

/** Runs an action that needs no image: settings, versions, host files. */
async function runWithoutImage(calls: readonly ActionCall[], invocation: Invocation): Promise<void> {
  const g = makeHandle(invocation);
  try {
    await runActions(g, calls, invocation);
  } finally {
    await g.close();
  }
}

export const call: Command = {
  options: {
    ...guestOptions,
    ...progressOptions,
    'keys-from-stdin': { type: 'flag' },
    json: { type: 'flag' },
  },
  stopAtOperand: 1,
  async run(invocation) {
    const { options, operands } = invocation;
    const [first, ...rest] = operands;
    if (first === undefined)
      throw usageFailure(
        'an image and an action are missing',
        'write guestfs call IMAGE ACTION [ARGUMENT]...',
      );
    const beginsWithAction = !isImageFile(first) && findAction(first).name !== undefined;
    const [added, ...others] = options.list('add');
    if (beginsWithAction && added === undefined)
      return await runWithoutImage(readActions(operands), invocation);
    // As in guestfish: each drive follows a `-a`, then comes the action.
    const [image, drives] =
      beginsWithAction && added !== undefined ? [added, others] : [first, options.list('add')];
    const words = beginsWithAction ? operands : rest[0] === '--' ? rest.slice(1) : rest;
    // The words are parsed before anything is opened, so that a mistake is reported at once.
    const calls = readActions(words);
    for (const { name } of calls)
      if (withoutLaunch(name) && actions[name].configOnly)
        throw usageFailure(
          `${shellName(name)} is only possible before the image is opened`,
          `call all of it: guestfs call ${shellName(name)} ... : add-drive ${image} : launch : ...`,
        );
    const changing = calls.find(({ name }) => changesDisks(name))?.name;
    const guest = await Guest.open(invocation, image, drives);
    try {
      if (changing !== undefined && guest.g.getBackend() !== 'embedded' && !options.flag('rw'))
        invocation.note(`${shellName(changing)}: without --rw no change gets to the image`);
      const mounts =
        options.flag('inspect') || options.list('mount').length > 0 || options.text('root') !== undefined;
      if (mounts) await mountGuest(guest);
      await runActions(guest.g, calls, invocation);
    } finally {
      await guest.close();
    }
  },
};
