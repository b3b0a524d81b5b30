/** The tables say what libguestfs's own description says, action by action and field by field. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import {
  type Action,
  type ActionName,
  actionNames,
  actions,
  camelCase,
  groups,
  isActionName,
  type Result,
  topics,
} from '../../src/api/index.js';
import { needsFacts, readFacts } from '../support/facts.js';

interface FactResult {
  type: string;
  of?: string;
  keyOf?: string;
  valueOf?: string;
  struct?: string;
}
interface FactAction {
  name: string;
  procNr: number | null;
  returns: FactResult;
  args: { name: string; type: string; of?: string }[];
  optargs: { name: string; type: string; bit: number }[];
  since: string;
  visibility: string;
  fish: boolean;
  progress: boolean;
  cancellable: boolean;
  configOnly: boolean;
  blocking: boolean;
  optional: string | null;
  deprecated: boolean;
  deprecatedBy: string | null;
  fishOutput: 'octal' | 'hexadecimal' | null;
}
interface FactCommand {
  apiName: string | null;
  kind: string;
  aliases: string[];
}
interface FactGroup {
  name: string;
  retired: boolean;
  functions: string[];
}

const shown = new Set(['VPublic', 'VPublicNoFish', 'VDebug', 'VStateTest']);
const facts = needsFacts('api/actions.json', 'api/fish-commands.json', 'api/optgroups.json');
const readActions = (): FactAction[] =>
  readFacts<FactAction[]>('api/actions.json').filter((fact) => shown.has(fact.visibility));

function tableOf(name: string): Action {
  assert.ok(isActionName(name), `no action ${name}`);
  return actions[name];
}

/** Compares one thing of all actions, and names each action that differs. */
function compare<T>(ofFact: (fact: FactAction) => T, ofTable: (action: Action, name: ActionName) => T): void {
  for (const fact of readActions()) {
    assert.deepEqual(ofTable(tableOf(fact.name), fact.name as ActionName), ofFact(fact), fact.name);
  }
}

const listTypes: Readonly<Record<string, string>> = {
  string: 'stringList',
  device: 'deviceList',
  pathname: 'pathnameList',
  fileName: 'filenameList',
};

// The attributes of a GPT partition are 64 bits of a mask; the C library has but a signed number for them.
const bits = new Set(['part_get_gpt_attributes', 'part_set_gpt_attributes.attributes']);

function argumentOfFact(action: string, fact: FactAction['args'][number]): { name: string; type: string } {
  if (bits.has(`${action}.${fact.name}`)) return { name: fact.name, type: 'bits64' };
  if (fact.type !== 'stringList') return { name: fact.name, type: fact.type };
  const type = listTypes[fact.of ?? ''];
  assert.ok(type, `${action}: a list of ${fact.of}`);
  return { name: fact.name, type };
}

function resultOfFact(action: string, fact: FactResult): unknown {
  const { type, of = 'plain', keyOf, struct } = fact;
  if (bits.has(action)) return { type: 'bits64' };
  switch (type) {
    case 'err':
      return { type: 'none' };
    case 'bufferOut':
      return { type: 'buffer' };
    case 'constOptString':
      return { type: 'optString' };
    case 'string':
    case 'constString':
      return { type: 'string', of };
    case 'stringList':
      return { type, of };
    case 'hashtable':
      return { type, keyOf, valueOf: fact.valueOf };
    case 'struct':
    case 'structList':
      return { type, struct };
    default:
      return { type };
  }
}

test('the tables have every public action, and no other', facts, () => {
  const names = readActions().map((fact) => fact.name);
  assert.deepEqual([...actionNames].sort(), names.sort());
  assert.equal(actionNames.length, 604);
});

test('every action takes the arguments of libguestfs in its order', facts, () => {
  compare(
    (fact) => fact.args.map((argument) => argumentOfFact(fact.name, argument)),
    // That a string is a path of the host is known here alone.
    (action) =>
      action.args.map(({ name, type }) => ({
        name,
        type: type === 'hostPath' ? 'string' : type === 'optHostPath' ? 'optString' : type,
      })),
  );
});

/** Options of ours: the C library opens no archives. */
const ownOptions = new Set(['add_drive.member']);

test('every action takes the optional arguments of libguestfs in the order of their bits', facts, () => {
  compare(
    (fact) => fact.optargs.map(({ name, type, bit }) => ({ name, type, bit })),
    (action, of) =>
      Object.entries(action.options ?? {})
        .filter(([name]) => !ownOptions.has(`${of}.${name}`))
        .map(([name, { type }], bit) => ({ name, type, bit })),
  );
});

test('every action gives what libguestfs gives', facts, () => {
  compare<unknown>(
    (fact) => resultOfFact(fact.name, fact.returns),
    (action): Result => action.result,
  );
});

test('the numbers of procedures and the versions agree', facts, () => {
  compare(
    (fact) => ({ proc: fact.procNr ?? undefined, since: fact.since }),
    (action) => ({ proc: action.proc, since: action.since }),
  );
});

/** libguestfs could once add and remove these drives while it ran, and its table still lets them be called then. */
const hotplugged = new Set(['add_drive', 'add_drive_scratch', 'remove_drive']);

test('feature groups, progress, cancelling and the flags of handles agree', facts, () => {
  for (const fact of readActions())
    if (hotplugged.has(fact.name)) assert.equal(fact.configOnly, false, fact.name);
  compare(
    (fact) => ({
      group: fact.optional ?? undefined,
      progress: fact.progress,
      cancellable: fact.cancellable,
      configOnly: fact.configOnly || hotplugged.has(fact.name),
      nonBlocking: !fact.blocking,
    }),
    ({ group, progress = false, cancellable = false, configOnly = false, nonBlocking = false }) => ({
      group,
      progress,
      cancellable,
      configOnly,
      nonBlocking,
    }),
  );
});

test('visibility agrees, and the shell has what guestfish has', facts, () => {
  compare(
    (fact) => {
      if (fact.visibility === 'VDebug') return 'debug';
      if (fact.visibility === 'VStateTest') return 'state';
      return fact.fish ? undefined : 'noShell';
    },
    (action) => action.visibility,
  );
  for (const fact of readActions()) {
    const { visibility } = tableOf(fact.name);
    assert.equal(visibility !== 'noShell' && visibility !== 'state', fact.fish, fact.name);
  }
});

test('the shell has the aliases of guestfish and prints numbers as it does', facts, () => {
  const aliases = new Map<string | null, string[]>();
  for (const command of readFacts<FactCommand[]>('api/fish-commands.json'))
    if (command.kind === 'api') aliases.set(command.apiName, command.aliases);
  compare(
    (fact) => ({ aliases: aliases.get(fact.name) ?? [], output: fact.fishOutput ?? undefined }),
    (action) => ({ aliases: [...(action.aliases ?? [])], output: action.shellOutput }),
  );
});

test('a deprecated action names a replacement that exists, where libguestfs has a public one', facts, () => {
  compare(
    (fact) => {
      if (!fact.deprecated) return undefined;
      // guestfs_get_direct and its setter name an internal function, which is none of ours.
      return fact.deprecatedBy !== null && isActionName(fact.deprecatedBy) ? fact.deprecatedBy : true;
    },
    (action) => action.deprecatedBy,
  );
});

test('the groups and their members agree', facts, () => {
  const known = readFacts<FactGroup[]>('api/optgroups.json');
  assert.deepEqual(
    [...groups().keys()],
    known.map((group) => group.name),
  );
  assert.deepEqual(
    [...groups()].filter(([, members]) => members.length === 0).map(([name]) => name),
    known.filter((group) => group.retired).map((group) => group.name),
  );
  for (const group of known) {
    const members = group.functions.filter(isActionName);
    // The library's own actions belong to a group through what they call.
    const ofLibrary = readActions().filter((fact) => fact.procNr === null && fact.optional === group.name);
    const expected = [...members, ...ofLibrary.map((fact) => fact.name)].sort();
    assert.deepEqual([...(groups().get(group.name) ?? [])].sort(), expected, group.name);
  }
});

test('a replacement of a deprecated action is an action that is not deprecated itself', () => {
  for (const name of actionNames) {
    const { deprecatedBy } = actions[name];
    if (typeof deprecatedBy !== 'string') continue;
    assert.equal(tableOf(deprecatedBy).deprecatedBy, undefined, `${name} → ${deprecatedBy}`);
  }
});

test('every topic is a file, and every action is in one topic', () => {
  const files = new Set(readdirSync(new URL('../../src/api/topics/', import.meta.url)));
  const counted = new Map<string, number>();
  for (const [topicName, { title, actions: members }] of Object.entries(topics)) {
    assert.ok(files.has(`${topicName}.js`), topicName);
    assert.match(title, /^[A-Z]?[\w, ]+$/i);
    for (const name of Object.keys(members)) {
      counted.set(name, (counted.get(name) ?? 0) + 1);
    }
  }
  assert.deepEqual([...counted.keys()], [...actionNames]);
  assert.ok([...counted.values()].every((count) => count === 1));
});

test('the methods of a handle have distinct names', () => {
  const names = actionNames.map((name) => camelCase(name));
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.every((name) => /^[a-z][A-Za-z0-9]*$/.test(name)));
  for (const [name, method] of [
    ['part_list', 'partList'],
    ['mke2fs_J', 'mke2fsJ'],
    ['sfdisk_N', 'sfdiskN'],
    ['mkswap_L', 'mkswapL'],
    ['ntfs_3g_probe', 'ntfs3gProbe'],
  ] as const)
    assert.equal(camelCase(name), method);
});
