/** Calls on many files at once, a thousand names a message; and old actions in terms of newer procedures. */
import { type ActionName, type Structs, statStruct } from '../../api/index.js';
import type { Composites, LibraryCall } from './call.js';

/** Names in one message, as in libguestfs. Even the longest names fill only a sixteenth of a message. */
const namesAtOnce = 1000;

/** The answers of `ask` for all names, a part of the names at a time. */
async function inBatches<T>(
  names: readonly string[],
  ask: (some: readonly string[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const answers: T[] = [];
  for (let at = 0; at < names.length; at += namesAtOnce)
    for (const answer of await ask(names.slice(at, at + namesAtOnce))) answers.push(answer);
  return answers;
}

/** The status of files of one directory, in the order of their names. A missing file has the inode -1. */
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
