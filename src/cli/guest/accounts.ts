/** The names of a guest's users and groups, from its own `/etc/passwd` and `/etc/group`. */
import { decodeText, GuestfsError } from '../../base/index.js';
import type { Guest } from './guest.js';

/** A limit that no real list of users reaches. A larger file is ignored. */
const mostBytes = 4 * 1024 * 1024;

/** Names by number, from lines `name:password:number:…`. The first line with a number counts. For tests. */
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
    // A data disk has no users. Whatever is wrong with the file, numbers can be shown instead.
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
