/**
 * Access control lists: ext4 stores them shorter than `getxattr` presents them. Stored (version 1), an entry without a
 * user or group number has 4 bytes, one with has 8; presented (version 2), all have 8, and the number is −1 where there
 * is none. Specification: the kernel's fs/ext4/acl.h and include/uapi/linux/posix_acl_xattr.h.
 */
import { CorruptError, viewOf } from '../../base/index.js';
import { aclTags, aclVersions } from './layout.js';

const headerSize = 4;
const shortEntrySize = 4;
const longEntrySize = 8;
const noNumber = 0xffffffff;

/** The presented form of a stored list. `what` names it in CorruptErrors. */
export function presentAcl(stored: Uint8Array, what: string): Uint8Array {
  const view = viewOf(stored);
  if (stored.length < headerSize || view.getUint32(0, true) !== aclVersions.stored)
    throw new CorruptError(what, 'is no access control list of version 1', { size: stored.length });
  const entries: [tag: number, permissions: number, number: number][] = [];
  for (let at = headerSize; at < stored.length; ) {
    if (at + shortEntrySize > stored.length) throw new CorruptError(what, 'is cut short', { offset: at });
    const tag = view.getUint16(at, true);
    const permissions = view.getUint16(at + 2, true);
    switch (tag) {
      case aclTags.userObj:
      case aclTags.groupObj:
      case aclTags.mask:
      case aclTags.other:
        entries.push([tag, permissions, noNumber]);
        at += shortEntrySize;
        break;
      case aclTags.user:
      case aclTags.group:
        if (at + longEntrySize > stored.length) throw new CorruptError(what, 'is cut short', { offset: at });
        entries.push([tag, permissions, view.getUint32(at + 4, true)]);
        at += longEntrySize;
        break;
      default:
        throw new CorruptError(what, 'has an entry of no known kind', { offset: at, tag });
    }
  }
  const presented = new Uint8Array(headerSize + entries.length * longEntrySize);
  const out = viewOf(presented);
  out.setUint32(0, aclVersions.presented, true);
  entries.forEach(([tag, permissions, number], index) => {
    const at = headerSize + index * longEntrySize;
    out.setUint16(at, tag, true);
    out.setUint16(at + 2, permissions, true);
    out.setUint32(at + 4, number, true);
  });
  return presented;
}
