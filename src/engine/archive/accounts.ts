/** Names of users and groups by their numbers, as the guest itself has them in its `/etc`. passwd(5), group(5). */
import { decodeText } from '../../base/index.js';
import { readStart, type Tree } from '../../vfs/index.js';

export interface AccountNames {
  /** Empty where the number has no name. */
  user(id: number): string;
  group(id: number): string;
}

/** No names at all. */
export const numericNames: AccountNames = { user: () => '', group: () => '' };

/** The most that is read of either file: far more accounts than any guest has. */
const limit = 4 * 1024 * 1024;

function readNames(tree: Tree, path: string): Map<number, string> {
  const names = new Map<number, string>();
  const place = tree.find(path);
  if (place?.type !== 'file') return names;
  for (const line of decodeText(readStart(place, limit, path)).split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (name !== '' && /^\d{1,10}$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

/** The names that the guest's own files give. */
export function guestNames(tree: Tree): AccountNames {
  const users = readNames(tree, '/etc/passwd');
  const groups = readNames(tree, '/etc/group');
  return { user: (id) => users.get(id) ?? '', group: (id) => groups.get(id) ?? '' };
}
