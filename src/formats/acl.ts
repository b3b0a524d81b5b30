/**
 * POSIX access control lists as the attributes `system.posix_acl_access` and `…_default` have them, and as
 * filesystems store them, little-endian. Specification: the kernel's include/uapi/linux/posix_acl.h and
 * posix_acl_xattr.h.
 */
import { struct, u16, u32 } from '../base/index.js';

/** `struct posix_acl_xattr_header`. */
export const aclHeader = struct('POSIX ACL', 'little', 4, () => ({ a_version: u32(0) }));

/** `struct posix_acl_xattr_entry`. */
export const aclEntry = struct('POSIX ACL entry', 'little', 8, () => ({
  e_tag: u16(0),
  e_perm: u16(2),
  e_id: u32(4),
}));

/** The version of what `getxattr` gives. */
export const aclVersion = 2;

export const aclTags = { userObj: 1, user: 2, groupObj: 4, group: 8, mask: 16, other: 32 } as const;

/** `ACL_UNDEFINED_ID`, in entries that name no user or group. */
export const aclNoId = 0xffffffff;
