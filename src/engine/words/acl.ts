/**
 * POSIX access control lists as text: the value of the attribute `system.posix_acl_…` (linux/posix_acl_xattr.h) in the
 * form of acl_to_text(3).
 */
import { CorruptError, viewOf } from '../../base/index.js';

const version = 2;
const headerLength = 4;
const entryLength = 8;

/** What an entry is for: whether it names someone, and whether the mask takes permissions away from it. */
interface Tag {
  readonly name: string;
  readonly named: boolean;
  readonly masked: boolean;
}

const maskTag = 16;

/** Entry tags, in the order in which they are printed. */
const tags: Readonly<Record<number, Tag>> = {
  1: { name: 'user', named: false, masked: false },
  2: { name: 'user', named: true, masked: true },
  4: { name: 'group', named: false, masked: true },
  8: { name: 'group', named: true, masked: true },
  [maskTag]: { name: 'mask', named: false, masked: false },
  32: { name: 'other', named: false, masked: false },
};

const permissions = (bits: number): string =>
  `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${bits & 1 ? 'x' : '-'}`;

/** An ACL as text, a line an entry. Without a stored one, what the mode says (`access`), or nothing (`default`). */
export function formatAcl(value: Uint8Array | undefined, type: 'access' | 'default', mode: number): string {
  if (value === undefined) {
    if (type === 'default') return '';
    const [user, group, other] = [mode >> 6, mode >> 3, mode].map((bits) => permissions(bits & 7));
    return `user::${user}\ngroup::${group}\nother::${other}\n`;
  }
  const view = viewOf(value);
  if (value.length < headerLength || (value.length - headerLength) % entryLength !== 0) {
    throw new CorruptError('POSIX ACL', 'has an impossible length', { length: value.length });
  }
  if (view.getUint32(0, true) !== version) {
    throw new CorruptError('POSIX ACL', 'has an unknown version', { version: view.getUint32(0, true) });
  }
  const entries: { readonly tag: number; readonly bits: number; readonly id: number }[] = [];
  for (let at = headerLength; at < value.length; at += entryLength) {
    entries.push({
      tag: view.getUint16(at, true),
      bits: view.getUint16(at + 2, true),
      id: view.getUint32(at + 4, true),
    });
  }
  const mask = entries.find(({ tag }) => tag === maskTag)?.bits ?? 7;
  return entries
    .map(({ tag, bits, id }) => {
      const known = tags[tag];
      if (known === undefined) throw new CorruptError('POSIX ACL', 'has an unknown tag', { tag });
      const isLess = known.masked && (bits & mask & 7) !== (bits & 7);
      const effective = isLess ? `\t#effective:${permissions(bits & mask)}` : '';
      return `${known.name}:${known.named ? id : ''}:${permissions(bits)}${effective}\n`;
    })
    .join('');
}
