/**
 * POSIX access control lists as text: the value of the attribute `system.posix_acl_…` (linux/posix_acl_xattr.h) in the
 * form of acl_to_text(3).
 */
import { CorruptError, viewOf } from '../../base/index.js';
import { aclEntry, aclHeader, aclTags, aclVersion } from '../../formats/index.js';

/** The meaning of an entry: whether it names someone, and whether the mask limits it. */
interface Tag {
  readonly name: string;
  readonly named: boolean;
  readonly masked: boolean;
}

/** Entry tags, in the order in which they are printed. */
const tags: Readonly<Record<number, Tag>> = {
  [aclTags.userObj]: { name: 'user', named: false, masked: false },
  [aclTags.user]: { name: 'user', named: true, masked: true },
  [aclTags.groupObj]: { name: 'group', named: false, masked: true },
  [aclTags.group]: { name: 'group', named: true, masked: true },
  [aclTags.mask]: { name: 'mask', named: false, masked: false },
  [aclTags.other]: { name: 'other', named: false, masked: false },
};

const permissions = (bits: number): string =>
  `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;

/**
 * An ACL as text, one line for each entry. Without a stored one, the mode's permissions (`access`), or nothing
 * (`default`).
 */
export function formatAcl(value: Uint8Array | undefined, type: 'access' | 'default', mode: number): string {
  if (value === undefined) {
    if (type === 'default') return '';
    const [user, group, other] = [mode >> 6, mode >> 3, mode].map((bits) => permissions(bits & 7));
    return `user::${user}\ngroup::${group}\nother::${other}\n`;
  }
  const view = viewOf(value);
  if (value.length < aclHeader.size || (value.length - aclHeader.size) % aclEntry.size !== 0) {
    throw new CorruptError('POSIX ACL', 'has an impossible length', { length: value.length });
  }
  const { a_version: version } = aclHeader.decode(view);
  if (version !== aclVersion) throw new CorruptError('POSIX ACL', 'has an unknown version', { version });
  const entries: ReturnType<typeof aclEntry.decode>[] = [];
  for (let at = aclHeader.size; at < value.length; at += aclEntry.size)
    entries.push(aclEntry.decode(view, at));
  const mask = entries.find(({ e_tag }) => e_tag === aclTags.mask)?.e_perm ?? 7;
  return entries
    .map(({ e_tag: tag, e_perm: bits, e_id: id }) => {
      const known = tags[tag];
      if (known === undefined) throw new CorruptError('POSIX ACL', 'has an unknown tag', { tag });
      const isLess = known.masked && (bits & mask & 7) !== (bits & 7);
      const effective = isLess ? `\t#effective:${permissions(bits & mask)}` : '';
      return `${known.name}:${known.named ? id : ''}:${permissions(bits)}${effective}\n`;
    })
    .join('');
}
