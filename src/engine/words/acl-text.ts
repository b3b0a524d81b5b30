/**
 * POSIX access control lists from text, in the long and the short form of acl_from_text(3), as the attribute
 * `system.posix_acl_…` has them.
 */
import { GuestfsError } from '../../base/index.js';
import { aclEntry, aclHeader, aclNoId, aclTags, aclVersion } from '../../formats/index.js';

/** The words for each kind of entry, and its tags without and with a number. */
const kinds: ReadonlyMap<string, readonly [plain: number, named: number | undefined]> = new Map(
  (
    [
      ['user', aclTags.userObj, aclTags.user],
      ['group', aclTags.groupObj, aclTags.group],
      ['mask', aclTags.mask, undefined],
      ['other', aclTags.other, undefined],
    ] as const
  ).flatMap(([word, plain, named]) => [word, word.slice(0, 1)].map((key) => [key, [plain, named]] as const)),
);

const permissionBits: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1, '-': 0 };

/** The numbers that names stand for. */
export interface AccountNumbers {
  readonly users: ReadonlyMap<string, number>;
  readonly groups: ReadonlyMap<string, number>;
}

/** As in libguestfs's appliance, users and groups have numbers alone. */
const nobody: AccountNumbers = { users: new Map(), groups: new Map() };

interface Entry {
  readonly e_tag: number;
  readonly e_perm: number;
  readonly e_id: number;
}

function parseEntry(text: string, { users, groups }: AccountNumbers): Entry | undefined {
  const [, word = '', id = '', permissions = ''] =
    /^\s*([a-z]+)\s*:(?:\s*([^:\s]*)\s*:)?\s*([rwx-]{1,3})\s*$/.exec(text) ?? [];
  const kind = kinds.get(word);
  const letters = permissions.replaceAll('-', '');
  if (kind === undefined || new Set(letters).size !== letters.length) return undefined;
  const [plain, named] = kind;
  const e_perm = [...permissions].reduce((bits, letter) => bits | (permissionBits[letter] ?? 0), 0);
  if (permissions === '') return undefined;
  if (id === '') return { e_tag: plain, e_perm, e_id: aclNoId };
  const known = named === aclTags.user ? users : groups;
  const number = known.get(id) ?? (/^[0-9]{1,10}$/.test(id) ? Number(id) : aclNoId);
  if (named === undefined || number >= aclNoId) return undefined;
  return { e_tag: named, e_perm, e_id: number };
}

/** The attribute, its entries in the kernel's order. EINVAL for what is no list, or for a name that nobody has. */
export function parseAcl(text: string, accounts: AccountNumbers = nobody): Uint8Array {
  const entries = text
    .split('\n')
    .map((line) => line.replace(/#.*/, ''))
    .flatMap((line) => line.split(','))
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const entry = parseEntry(part, accounts);
      if (entry === undefined)
        throw new GuestfsError('EINVAL', `could not parse acl string: ${text}: '${part.trim()}' is no entry`);
      return entry;
    })
    .sort((a, b) => a.e_tag - b.e_tag || a.e_id - b.e_id);
  const value = new Uint8Array(aclHeader.size + entries.length * aclEntry.size);
  aclHeader.encode({ a_version: aclVersion }, value);
  entries.forEach((entry, i) => {
    aclEntry.encode(entry, value, aclHeader.size + i * aclEntry.size);
  });
  return value;
}
