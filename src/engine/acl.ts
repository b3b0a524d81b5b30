/**
 * POSIX access control lists as text: the value of the attribute `system.posix_acl_…` (linux/posix_acl_xattr.h) in the
 * form of acl_to_text(3).
 */
import { CorruptError, viewOf } from '../base/index.js';

const version = 2;
const headerLength = 4;
const entryLength = 8;

/** Entry tags, in the order in which they are printed. */
const tags: Readonly<Record<number, { readonly name: string; readonly named: boolean }>> = {
  1: { name: 'user', named: false },
  2: { name: 'user', named: true },
  4: { name: 'group', named: false },
  8: { name: 'group', named: true },
  16: { name: 'mask', named: false },
  32: { name: 'other', named: false },
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
  let text = '';
  for (let at = headerLength; at < value.length; at += entryLength) {
    const tag = tags[view.getUint16(at, true)];
    if (tag === undefined)
      throw new CorruptError('POSIX ACL', 'has an unknown tag', { tag: view.getUint16(at, true) });
    const id = tag.named ? String(view.getUint32(at + 4, true)) : '';
    text += `${tag.name}:${id}:${permissions(view.getUint16(at + 2, true))}\n`;
  }
  return text;
}
