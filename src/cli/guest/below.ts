/** A path of a guest with everything below it, for commands that change trees. */

import { joinPath, statusAt } from './changing.js';
import { isDirectory } from './file-words.js';
import type { Guest } from './guest.js';

interface Found {
  readonly path: string;
  readonly mode: number;
}

/** The path itself, a link in its own right, and all that is below it if it is a directory. */
export async function everythingBelow(guest: Guest, path: string): Promise<Found[]> {
  const { stMode: mode } = await statusAt(guest, path, { link: true });
  const own = { path, mode };
  if (!isDirectory(mode)) return [own];
  const { paths, columns } = await guest.invocation.withProgress(path, 'steps', (controls) =>
    guest.g.walk(path, controls),
  );
  const names = paths.split('\0').slice(0, -1);
  return [
    own,
    ...names.map((name, index) => ({ path: joinPath(path, name), mode: columns.mode[index] ?? 0 })),
  ];
}
