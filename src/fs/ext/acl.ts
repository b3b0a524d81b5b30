/**
 * Access control lists: ext4 stores them in a shorter form than `getxattr` returns. Stored (version 1), an entry has
 * 4 bytes without a user or group number, and 8 with one; returned (version 2), all have 8, with −1 for a missing
 * number. Specification: the kernel's fs/ext4/acl.h and include/uapi/linux/posix_acl_xattr.h.
 */
import { CorruptError, viewOf } from '../../base/index.js';
import { aclEntry, aclHeader, aclNoId, aclTags, aclVersion } from '../../formats/index.js';
import { shortAclEntrySize, storedAclVersion } from './layout.js';

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
