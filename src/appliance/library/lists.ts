/** Many files at once, a thousand names a message; and the older shapes of what newer procedures give. */
import { type ActionName, type Structs, statStruct } from '../../api/index.js';
import type { Composites, LibraryCall } from './call.js';

/** Names in one message; libguestfs's own number. Of the longest names they take a sixteenth of what it may hold. */
const namesAtOnce = 1000;

/** What `ask` gives for all names, asked of some at a time. */
async function inBatches<T>(
  names: readonly string[],
  ask: (some: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const answers: T[] = [];
  for (let at = 0; at < names.length; at += namesAtOnce)
    for (const answer of await ask(names.slice(at, at + namesAtOnce))) answers.push(answer);
  return answers;
}

/** The status of files of one directory, in the order of their names; of one that is not there the inode is -1. */
export function statList(
  call: LibraryCall,
  directory: string,
  names: readonly string[],
): Promise<Structs['statns'][]> {
  return inBatches(names, (some) => call.internal('internal_lstatnslist', [directory, some]));
}

export const listActions = {
  stat: async (call, path) => statStruct(await call.daemon('statns', [path])),
  lstat: async (call, path) => statStruct(await call.daemon('lstatns', [path])),
  lstatnslist: statList,
  lstatlist: async (call, directory, names) => (await statList(call, directory, names)).map(statStruct),
  lxattrlist: (call, directory, names) =>
    inBatches(names, (some) => call.internal('internal_lxattrlist', [directory, some])),
  readlinklist: (call, directory, names) =>
    inBatches(names, (some) => call.internal('internal_readlinklist', [directory, some])),
} satisfies Partial<Composites<ActionName>>;
