/**
 * Access control lists: ext4 stores them in a shorter form than `getxattr` returns. Stored (version 1), an entry has
 * 4 bytes without a user or group number, and 8 with one; returned (version 2), all have 8, with −1 for a missing
 * number. Specification: the kernel's fs/ext4/acl.h and include/uapi/linux/posix_acl_xattr.h.
 */
import { CorruptError, GuestfsError, viewOf } from '../../base/index.js';
import { aclEntry, aclHeader, aclNoId, aclTags, aclVersion } from '../../formats/index.js';
import { shortAclEntrySize, storedAclVersion } from './layout.js';

/** All that an entry can allow. */
const aclAll = 7;

/** The returned form of a stored list. `what` names it in CorruptErrors. */
export function presentAcl(stored: Uint8Array, what: string): Uint8Array {
  const view = viewOf(stored);
  if (stored.length < aclHeader.size || aclHeader.get(view, 0, 'a_version') !== storedAclVersion)
    throw new CorruptError(what, 'is no access control list of version 1', { size: stored.length });
  const entries: ReturnType<typeof aclEntry.decode>[] = [];
  for (let at = aclHeader.size; at < stored.length; ) {
    if (at + shortAclEntrySize > stored.length) throw new CorruptError(what, 'is cut short', { offset: at });
    const tag = aclEntry.get(view, at, 'e_tag');
    switch (tag) {
      case aclTags.userObj:
      case aclTags.groupObj:
      case aclTags.mask:
      case aclTags.other:
        entries.push({ e_tag: tag, e_perm: aclEntry.get(view, at, 'e_perm'), e_id: aclNoId });
        at += shortAclEntrySize;
        break;
      case aclTags.user:
      case aclTags.group:
        if (at + aclEntry.size > stored.length) throw new CorruptError(what, 'is cut short', { offset: at });
        entries.push(aclEntry.decode(view, at));
        at += aclEntry.size;
        break;
      default:
        throw new CorruptError(what, 'has an entry of no known kind', { offset: at, tag });
    }
  }
  const presented = new Uint8Array(aclHeader.size + entries.length * aclEntry.size);
  aclHeader.encode({ a_version: aclVersion }, presented);
  entries.forEach((entry, index) => {
    aclEntry.encode(entry, presented, aclHeader.size + index * aclEntry.size);
  });
  return presented;
}

/** A list as `setxattr` takes it, checked: the form to store, and the permissions of the file by it. */
interface CheckedAcl {
  /** Undefined where the permissions tell as much. */
  readonly stored: Uint8Array | undefined;
  /** Nine bits. */
  readonly permissions: number;
}

/** The tags in the order in which a list has them; those of users and groups may be there many times. */
const order: readonly number[] = [
  aclTags.userObj,
  aclTags.user,
  aclTags.groupObj,
  aclTags.group,
  aclTags.mask,
  aclTags.other,
];
const once: readonly number[] = [aclTags.userObj, aclTags.groupObj, aclTags.other];

/** Checks a list by the rules of posix_acl_valid (fs/posix_acl.c): EINVAL for what breaks them. */
export function storedAcl(presented: Uint8Array): CheckedAcl {
  const view = viewOf(presented);
  const refuse = (): GuestfsError => new GuestfsError('EINVAL', 'the access control list is not valid');
  const length = presented.length - aclHeader.size;
  if (length < 0 || length % aclEntry.size !== 0 || aclHeader.get(view, 0, 'a_version') !== aclVersion)
    throw refuse();
  const entries = Array.from({ length: length / aclEntry.size }, (_, index) =>
    aclEntry.decode(view, aclHeader.size + index * aclEntry.size),
  );
  const places = entries.map(({ e_tag: tag }) => order.indexOf(tag));
  const of = (tag: number): number | undefined => entries.find(({ e_tag }) => e_tag === tag)?.e_perm;
  const isNamed = entries.some(({ e_tag: tag }) => tag === aclTags.user || tag === aclTags.group);
  if (
    entries.some(({ e_perm: bits }) => bits > aclAll) ||
    places.some((place, index) => place < 0 || place < (places[index - 1] ?? 0)) ||
    once.some((tag) => entries.filter(({ e_tag }) => e_tag === tag).length !== 1) ||
    entries.filter(({ e_tag }) => e_tag === aclTags.mask).length > 1 ||
    (isNamed && of(aclTags.mask) === undefined)
  )
    throw refuse();
  const mask = of(aclTags.mask);
  const [user, group, other] = [of(aclTags.userObj), mask ?? of(aclTags.groupObj), of(aclTags.other)];
  const permissions = (user ?? 0) * 64 + (group ?? 0) * 8 + (other ?? 0); // safe: each is there once
  if (mask === undefined) return { stored: undefined, permissions };
  return { stored: encodeStored(entries), permissions };
}

function encodeStored(entries: readonly ReturnType<typeof aclEntry.decode>[]): Uint8Array {
  const isNamed = (tag: number): boolean => tag === aclTags.user || tag === aclTags.group;
  const size = (tag: number): number => (isNamed(tag) ? aclEntry.size : shortAclEntrySize);
  const bytes = new Uint8Array(entries.reduce((sum, { e_tag: tag }) => sum + size(tag), aclHeader.size));
  aclHeader.encode({ a_version: storedAclVersion }, bytes);
  const view = viewOf(bytes);
  let at = aclHeader.size;
  for (const { e_tag: tag, e_perm: bits, e_id: id } of entries) {
    aclEntry.set(view, at, 'e_tag', tag);
    aclEntry.set(view, at, 'e_perm', bits);
    if (isNamed(tag)) aclEntry.set(view, at, 'e_id', id);
    at += size(tag);
  }
  return bytes;
}

/** The stored form of a list that says no more than permissions do: what a default list may be. */
export function storedDefaultAcl(presented: Uint8Array): Uint8Array {
  const { stored } = storedAcl(presented);
  if (stored !== undefined) return stored;
  const view = viewOf(presented);
  const length = (presented.length - aclHeader.size) / aclEntry.size;
  return encodeStored(
    Array.from({ length }, (_, index) => aclEntry.decode(view, aclHeader.size + index * aclEntry.size)),
  );
}

/**
 * What a new file gets from the default list of its directory: its own list, and its permissions, which are those
 * asked for as far as the list allows. Source: posix_acl_create (fs/posix_acl.c).
 */
export function inheritedAcl(presented: Uint8Array, permissions: number): CheckedAcl {
  return storedAcl(changedAcl(presented, permissions, (bits, asked) => bits & asked));
}

/** A list after `chmod`. */
export function permittedAcl(presented: Uint8Array, permissions: number): Uint8Array {
  return changedAcl(presented, permissions, (_bits, asked) => asked);
}

/** Changes the three entries of a list that permissions stand for. */
function changedAcl(
  presented: Uint8Array,
  permissions: number,
  change: (bits: number, asked: number) => number,
): Uint8Array {
  const own = presented.slice();
  const view = viewOf(own);
  const places: number[] = [];
  for (let at = aclHeader.size; at < own.length; at += aclEntry.size) places.push(at);
  const isMasked = places.some((at) => aclEntry.get(view, at, 'e_tag') === aclTags.mask);
  const shift = new Map<number, number>([
    [aclTags.userObj, 64],
    [isMasked ? aclTags.mask : aclTags.groupObj, 8],
    [aclTags.other, 1],
  ]);
  for (const at of places) {
    const unit = shift.get(aclEntry.get(view, at, 'e_tag'));
    if (unit === undefined) continue;
    const asked = Math.floor(permissions / unit) & aclAll;
    aclEntry.set(view, at, 'e_perm', change(aclEntry.get(view, at, 'e_perm'), asked));
  }
  return own;
}
