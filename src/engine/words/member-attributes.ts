/** Extended attributes of a member of a tar archive: labels and lists have records of their own. */
import { encodeText } from '../../base/index.js';
import { attributesIn, type StoredMember } from '../../formats/index.js';
import { parseAcl } from './acl-text.js';

interface Wanted {
  readonly xattrs: boolean;
  readonly acls: boolean;
  readonly selinux: boolean;
}

/** By their full names. `isLink`: of a symbolic link, which has no access list. */
export function memberAttributes(
  { records }: StoredMember,
  { xattrs, acls, selinux }: Wanted,
  isLink: boolean,
): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  // Records of their own go first.
  if (xattrs) for (const [name, value] of attributesIn(records)) found.set(name, value);
  const label = records.get('RHT.security.selinux');
  if (selinux && label !== undefined) found.set('security.selinux', encodeText(`${label}\0`));
  if (acls && !isLink)
    for (const kind of ['access', 'default']) {
      const text = records.get(`SCHILY.acl.${kind}`);
      if (text !== undefined && text !== '') found.set(`system.posix_acl_${kind}`, parseAcl(text));
    }
  return found;
}
