/**
 * Access control lists: ext4 stores them in a shorter form than `getxattr` returns. Stored (version 1), an entry has
 * 4 bytes without a user or group number, and 8 with one; returned (version 2), all have 8, with −1 for a missing
 * number. Specification: the kernel's fs/ext4/acl.h and include/uapi/linux/posix_acl_xattr.h.
 */
import { CorruptError, GuestfsError, viewOf } from '../../base/index.js';
import { aclEntry, aclHeader, aclNoId, aclTags, aclVersion } from '../../formats/index.js';
import { shortAclEntrySize, storedAclVersion } from './layout.js';

const known: readonly number[] = Object.values(aclTags);
const isNamed = (tag: number): boolean => tag === aclTags.user || tag === aclTags.group;

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

/** The stored form of a list. EINVAL for what has an entry of no known kind, or is cut short. */
export function storedAcl(presented: Uint8Array): Uint8Array {
  const view = viewOf(presented);
  const count = (presented.length - aclHeader.size) / aclEntry.size;
  const isList = Number.isInteger(count) && count >= 0 && aclHeader.get(view, 0, 'a_version') === aclVersion;
  if (!isList) throw new GuestfsError('EINVAL', 'this is no access control list');
  const entries = Array.from({ length: count }, (_, index) =>
    aclEntry.decode(view, aclHeader.size + index * aclEntry.size),
  );
  const sizes = entries.map(({ e_tag: tag }) => {
    if (!known.includes(tag))
      throw new GuestfsError('EINVAL', `an access control list has an entry of no known kind (tag=${tag})`);
    return isNamed(tag) ? aclEntry.size : shortAclEntrySize;
  });
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, aclHeader.size));
  aclHeader.encode({ a_version: storedAclVersion }, bytes);
  const stored = viewOf(bytes);
  let at = aclHeader.size;
  for (const [index, { e_tag: tag, e_perm: bits, e_id: id }] of entries.entries()) {
    aclEntry.set(stored, at, 'e_tag', tag);
    aclEntry.set(stored, at, 'e_perm', bits);
    if (isNamed(tag)) aclEntry.set(stored, at, 'e_id', id);
    at += sizes[index] ?? 0;
  }
  return bytes;
}
