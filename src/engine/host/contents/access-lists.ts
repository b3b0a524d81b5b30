/** Access lists of archives, which name users and groups: those of the tree's own `/etc/passwd` and `/etc/group`. */
import { decodeText, GuestfsError } from '../../../base/index.js';
import { accountListLimit, accountNumbers } from '../../../formats/index.js';
import type { ContentNode, ContentTree } from '../../../vfs/index.js';
import { type AccountNumbers, parseAcl } from '../../words/acl-text.js';

function numbersIn(tree: ContentTree, path: string): ReadonlyMap<string, number> {
  const contents = tree.find(path)?.facts.contents;
  if (contents === undefined) return new Map();
  if (contents.sizeInBytes > accountListLimit)
    throw new GuestfsError('EFBIG', `${path}: has more than ${accountListLimit} bytes`, { path });
  const bytes = new Uint8Array(contents.sizeInBytes);
  const disk = contents.open();
  try {
    disk.read(bytes, 0);
  } finally {
    disk.close();
  }
  return accountNumbers(decodeText(bytes));
}

/** Makes the access lists of a tree attributes. EINVAL for one that names somebody whom the tree does not have. */
export function resolveAccessLists(tree: ContentTree): void {
  let accounts: AccountNumbers | undefined;
  const resolve = (node: ContentNode, path: string): void => {
    const { accessLists, ...facts } = node.facts;
    if (accessLists === undefined || accessLists.size === 0) return;
    accounts ??= { users: numbersIn(tree, '/etc/passwd'), groups: numbersIn(tree, '/etc/group') };
    const xattrs = new Map(facts.xattrs);
    try {
      for (const [name, text] of accessLists) xattrs.set(name, parseAcl(text, accounts));
    } catch (thrown) {
      throw thrown instanceof GuestfsError ? thrown.within(path, path) : thrown;
    }
    node.facts = { ...facts, xattrs };
  };
  resolve(tree.root, '/');
  for (const { node, path } of tree.entries()) resolve(node, path);
}
