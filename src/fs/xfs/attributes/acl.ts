/**
 * Access control lists: XFS stores them as `trusted.SGI_ACL_FILE` and `trusted.SGI_ACL_DEFAULT`, in a form of its own
 * (the kernel's fs/xfs/xfs_acl.c). `getxattr` gives Linux's form, as `system.posix_acl_access` and `…_default`.
 */
import { CorruptError, viewOf } from '../../../base/index.js';
import { aclEntry, aclHeader, aclNoId, aclTags, aclVersion } from '../../../formats/index.js';
import { storedAcl, storedAclEntry } from '../layout.js';

/** By the name after the prefix. */
export const aclNames: Readonly<Record<string, string>> = {
  SGI_ACL_FILE: 'system.posix_acl_access',
  SGI_ACL_DEFAULT: 'system.posix_acl_default',
};

const tags: ReadonlySet<number> = new Set(Object.values(aclTags));
const namesSomeone: ReadonlySet<number> = new Set([aclTags.user, aclTags.group]);

/** The returned form of a stored list. `what` names it in CorruptErrors. */
export function presentAcl(stored: Uint8Array, what: string): Uint8Array {
  const view = viewOf(stored);
  if (stored.length < storedAcl.size) throw new CorruptError(what, 'is cut short', { size: stored.length });
  const count = storedAcl.get(view, 0, 'acl_cnt');
  // The file may have room for entries that are not in use.
  if (storedAcl.size + count * storedAclEntry.size > stored.length)
    throw new CorruptError(what, 'has more entries than fit', { count, size: stored.length });
  const presented = new Uint8Array(aclHeader.size + count * aclEntry.size);
  aclHeader.encode({ a_version: aclVersion }, presented);
  for (let index = 0; index < count; index++) {
    const {
      ae_tag: tag,
      ae_id: id,
      ae_perm: perm,
    } = storedAclEntry.decode(view, storedAcl.size + index * storedAclEntry.size);
    if (!tags.has(tag)) throw new CorruptError(what, 'has an entry of no known kind', { tag });
    aclEntry.encode(
      { e_tag: tag, e_perm: perm, e_id: namesSomeone.has(tag) ? id : aclNoId },
      presented,
      aclHeader.size + index * aclEntry.size,
    );
  }
  return presented;
}
