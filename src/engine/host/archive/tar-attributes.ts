/**
 * Extended attributes as GNU tar stores them in pax headers: `--xattrs` stores all of them under their names,
 * `--acls` access control lists as text, `--selinux` the label. GNU tar manual, "Extended File Attributes"; star(5),
 * "SCHILY.xattr".
 */
import { encodeText, type GuestfsError } from '../../../base/index.js';
import type { InodeStat } from '../../../fs/index.js';
import type { Place } from '../../../vfs/index.js';
import { formatAcl } from '../../words/acl.js';

export interface AttributeOptions {
  readonly xattrs: boolean;
  readonly acls: boolean;
  readonly selinux: boolean;
}

/** A label's closing NUL is not part of its text. */
function withoutNul(value: Uint8Array): Uint8Array {
  return value.at(-1) === 0 ? value.subarray(0, -1) : value;
}

const aclText = (...args: Parameters<typeof formatAcl>): Uint8Array => encodeText(formatAcl(...args));

/** The records of a file's pax header. As GNU tar does, a value that is too long to be read is left out with a word. */
export function attributeRecords(
  place: Place,
  stat: InodeStat,
  wanted: AttributeOptions,
  onTooLong: (error: GuestfsError) => void,
): ReadonlyMap<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  const stored = place.fileSystem.xattrs(place.inode, onTooLong);
  if (stored.size === 0) return records;
  const access = stored.get('system.posix_acl_access');
  const byDefault = stored.get('system.posix_acl_default');
  if (wanted.acls && (access !== undefined || byDefault !== undefined)) {
    records.set('SCHILY.acl.access', aclText(access, 'access', stat.mode));
    if (byDefault !== undefined) records.set('SCHILY.acl.default', aclText(byDefault, 'default', stat.mode));
  }
  const label = stored.get('security.selinux');
  if (wanted.selinux && label !== undefined) records.set('RHT.security.selinux', withoutNul(label));
  if (wanted.xattrs) for (const [name, value] of stored) records.set(`SCHILY.xattr.${name}`, value);
  return records;
}
