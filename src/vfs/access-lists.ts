/**
 * What access control lists do to the modes of files, as in the kernel's fs/posix_acl.c: a new file inherits its
 * directory's default list, a new mode goes into the list, and a new list into the mode. The values are those of the
 * attributes `system.posix_acl_access` and `…_default`.
 */
import { GuestfsError, viewOf } from '../base/index.js';
import { aclEntry, aclHeader, aclNoId, aclTags, aclVersion } from '../formats/index.js';

export const accessListName = 'system.posix_acl_access';
export const defaultListName = 'system.posix_acl_default';

interface Entry {
  readonly e_tag: number;
  readonly e_perm: number;
  readonly e_id: number;
}

const allPermissions = 7;

/** The bits of a mode that belong to one class. */
const shifts = { user: 6, group: 3, other: 0 } as const;
const classOf = (mode: number, name: keyof typeof shifts): number => (mode >> shifts[name]) & allPermissions;

function withClass(mode: number, name: keyof typeof shifts, permissions: number): number {
  return (mode & ~(allPermissions << shifts[name])) | (permissions << shifts[name]);
}

const invalid = (): GuestfsError => new GuestfsError('EINVAL', 'this is no valid access control list');

/** The entries of a list that the kernel would accept; EINVAL for others. */
function decode(value: Uint8Array): Entry[] {
  const view = viewOf(value);
  const count = (value.length - aclHeader.size) / aclEntry.size;
  if (!(count >= 0 && Number.isInteger(count))) throw invalid();
  if (aclHeader.decode(view).a_version !== aclVersion)
    throw new GuestfsError('EOPNOTSUPP', invalid().message);
  const entries = Array.from({ length: count }, (_, i) =>
    aclEntry.decode(view, aclHeader.size + i * aclEntry.size),
  );
  if (count > 0) check(entries);
  return entries;
}

/** Each class once and in order, no permission that there is not, and a mask where someone is named. */
function check(entries: readonly Entry[]): void {
  const count = (tag: number): number => entries.filter(({ e_tag }) => e_tag === tag).length;
  const { userObj, user, groupObj, group, mask, other } = aclTags;
  const order: readonly number[] = [userObj, user, groupObj, group, mask, other];
  const places = entries.map(({ e_tag }) => order.indexOf(e_tag));
  const isOrdered = places.every((place, i) => place >= (places[i - 1] ?? 0));
  const once = [userObj, groupObj, other].every((tag) => count(tag) === 1);
  const named = count(user) + count(group) > 0;
  const isValid =
    isOrdered &&
    once &&
    count(mask) <= 1 &&
    (!named || count(mask) === 1) &&
    entries.every(({ e_perm, e_tag, e_id }) => {
      const isNamed = e_tag === user || e_tag === group;
      return e_perm <= allPermissions && !(isNamed && e_id === aclNoId);
    });
  if (!isValid) throw invalid();
}

function encode(entries: readonly Entry[]): Uint8Array {
  const value = new Uint8Array(aclHeader.size + entries.length * aclEntry.size);
  aclHeader.encode({ a_version: aclVersion }, value);
  for (const [i, entry] of entries.entries())
    aclEntry.encode(entry, value, aclHeader.size + i * aclEntry.size);
  return value;
}

/** Whether it says more than a mode can. */
const saysMore = (entries: readonly Entry[]): boolean =>
  entries.some(({ e_tag }) => e_tag === aclTags.user || e_tag === aclTags.group || e_tag === aclTags.mask);

/** The class of a mode that an entry is shown in; the mask takes the place of the group. */
function classFor(entry: Entry, entries: readonly Entry[]): keyof typeof shifts | undefined {
  const hasMask = entries.some(({ e_tag }) => e_tag === aclTags.mask);
  switch (entry.e_tag) {
    case aclTags.userObj:
      return 'user';
    case aclTags.other:
      return 'other';
    case aclTags.mask:
      return 'group';
    case aclTags.groupObj:
      return hasMask ? undefined : 'group';
    default:
      return undefined;
  }
}

/** What a new file gets from its directory's default list, and which permissions it then has. */
export function inherit(
  defaultList: Uint8Array,
  permissions: number,
): { readonly permissions: number; readonly accessList: Uint8Array | undefined } {
  const entries = decode(defaultList);
  let mode = permissions;
  const limited = entries.map((entry) => {
    const name = classFor(entry, entries);
    if (name === undefined) return entry;
    const e_perm = entry.e_perm & classOf(mode, name);
    mode = withClass(mode, name, e_perm);
    return { ...entry, e_perm };
  });
  return { permissions: mode, accessList: saysMore(limited) ? encode(limited) : undefined };
}

/** An access list after `chmod`. */
export function withPermissions(accessList: Uint8Array, permissions: number): Uint8Array {
  const entries = decode(accessList);
  return encode(
    entries.map((entry) => {
      const name = classFor(entry, entries);
      return name === undefined ? entry : { ...entry, e_perm: classOf(permissions, name) };
    }),
  );
}

/**
 * What setting a list means: the permissions of the file afterwards, and the list that is stored; undefined for one
 * that is empty, and for an access list that says no more than the mode.
 */
export function settle(
  name: string,
  value: Uint8Array,
  permissions: number,
): { readonly permissions: number; readonly list: Uint8Array | undefined } {
  const entries = decode(value);
  if (entries.length === 0) return { permissions, list: undefined };
  if (name === defaultListName) return { permissions, list: encode(entries) };
  let mode = permissions;
  for (const entry of entries) {
    const shown = classFor(entry, entries);
    if (shown !== undefined) mode = withClass(mode, shown, entry.e_perm);
  }
  return { permissions: mode, list: saysMore(entries) ? encode(entries) : undefined };
}
