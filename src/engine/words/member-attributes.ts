/** Extended attributes of a member of a tar archive: labels and lists have records of their own. */
import { encodeText } from '../../base/index.js';
import { attributesIn, type StoredMember } from '../../formats/index.js';

/** By their full names, but for the access lists. */
export function memberAttributes(
  { records }: Pick<StoredMember, 'records'>,
  { xattrs, selinux }: { readonly xattrs: boolean; readonly selinux: boolean },
): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  // Records of their own go first.
  if (xattrs) for (const [name, value] of attributesIn(records)) found.set(name, value);
  const label = records.get('RHT.security.selinux');
  if (selinux && label !== undefined) found.set('security.selinux', encodeText(`${label}\0`));
  return found;
}

/** The access lists as texts, by the names of their attributes. A symbolic link has none. */
export function memberAccessLists({
  type,
  records,
}: Pick<StoredMember, 'type' | 'records'>): Map<string, string> {
  const found = new Map<string, string>();
  if (type === 'symlink') return found;
  for (const kind of ['access', 'default']) {
    const text = records.get(`SCHILY.acl.${kind}`);
    if (text !== undefined && text !== '') found.set(`system.posix_acl_${kind}`, text);
  }
  return found;
}
