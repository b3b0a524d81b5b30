/** The names of a guest's users and groups, from its own `/etc/passwd` and `/etc/group`. */
import { decodeText, GuestfsError } from '../../base/index.js';
import type { Guest } from './guest.js';

/** Nobody's list of users is longer; a larger file is no such list. */
const mostBytes = 4 * 1024 * 1024;

/** Names by number from lines `name:password:number:…`; of a number that comes twice the first counts. */
export function parseAccounts(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (name && number !== undefined && /^[0-9]{1,10}$/.test(number) && !names.has(Number(number)))
      names.set(Number(number), name);
  }
  return names;
}

async function readAccounts({ g, controls }: Guest, path: string): Promise<Map<number, string>> {
  try {
    if ((await g.filesize(path, controls)) > mostBytes) return new Map();
    return parseAccounts(decodeText(await g.readFile(path, controls)));
  } catch (thrown) {
    // A disk of data has no users; and whatever is wrong with the file, numbers can be shown.
    if (thrown instanceof GuestfsError && thrown.code !== 'ECANCELED') return new Map();
    throw thrown;
  }
}

export class Accounts {
  readonly #users: ReadonlyMap<number, string>;
  readonly #groups: ReadonlyMap<number, string>;

  private constructor(users: ReadonlyMap<number, string>, groups: ReadonlyMap<number, string>) {
    this.#users = users;
    this.#groups = groups;
  }

  static async of(guest: Guest): Promise<Accounts> {
    return new Accounts(await readAccounts(guest, '/etc/passwd'), await readAccounts(guest, '/etc/group'));
  }

  /** Numbers only. */
  static readonly none = new Accounts(new Map(), new Map());

  /** The user's name; the number where it has none. */
  user(uid: number): string {
    return this.#users.get(uid) ?? String(uid);
  }

  group(gid: number): string {
    return this.#groups.get(gid) ?? String(gid);
  }
}
