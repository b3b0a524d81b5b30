/** The names of a guest's users and groups, from its own `/etc/passwd` and `/etc/group`. */
import { decodeText, GuestfsError } from '../../base/index.js';
import { accountListLimit, accountNames, accountNumbers, largestAccount } from '../../formats/index.js';
import { exitStatus, Failure } from '../command/failure.js';
import type { Guest } from './guest.js';

/** The text of a list; empty where there is none. */
async function readAccounts({ g, controls }: Guest, path: string): Promise<string> {
  try {
    if ((await g.filesize(path, controls)) > accountListLimit) return '';
    return decodeText(await g.readFile(path, controls));
  } catch (thrown) {
    // A data disk has no users. Whatever is wrong with the file, numbers can be shown instead.
    if (thrown instanceof GuestfsError && thrown.code !== 'ECANCELED') return '';
    throw thrown;
  }
}

/** A name or a number of the command line as a number. */
function readNumber(text: string, file: string, kind: string, word: string): number {
  const found = accountNumbers(text).get(word) ?? (/^[0-9]{1,10}$/.test(word) ? Number(word) : undefined);
  if (found !== undefined && found <= largestAccount) return found;
  throw new Failure(
    `the guest has no ${kind} '${word}'`,
    exitStatus.notFound,
    `its own ${file} counts; a number does without it`,
  );
}

export class Accounts {
  readonly #userText: string;
  readonly #groupText: string;
  readonly #users: ReadonlyMap<number, string>;
  readonly #groups: ReadonlyMap<number, string>;

  private constructor(userText: string, groupText: string) {
    this.#userText = userText;
    this.#groupText = groupText;
    this.#users = accountNames(userText);
    this.#groups = accountNames(groupText);
  }

  static async of(guest: Guest): Promise<Accounts> {
    return new Accounts(await readAccounts(guest, '/etc/passwd'), await readAccounts(guest, '/etc/group'));
  }

  /** Numbers only. */
  static readonly none = new Accounts('', '');

  /** The user's name; the number where it has none. */
  user(uid: number): string {
    return this.#users.get(uid) ?? String(uid);
  }

  group(gid: number): string {
    return this.#groups.get(gid) ?? String(gid);
  }

  /** The number of a user who is named by the guest's name or by number. */
  userNumber(word: string): number {
    return readNumber(this.#userText, '/etc/passwd', 'user', word);
  }

  groupNumber(word: string): number {
    return readNumber(this.#groupText, '/etc/group', 'group', word);
  }
}
