/** What of a tree FAT can hold, and the clusters that it takes there: known exactly, as nothing is shared or left out. */
import { GuestfsError, systemError, work } from '../../../base/index.js';
import { entriesOfName, type FatRoom } from '../../../fs/index.js';
import { type ContentFacts, type ContentNode, ContentTree } from '../../../vfs/index.js';
import type { Call } from '../../thread/call.js';
import type { Measured } from './measure.js';

const entrySize = 32;
/** `.` and `..`. */
const ownEntries = 2;
const largestFile = 0xffff_ffff;
const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();

/** Of all attributes FAT keeps the times: those of all others are the same for all files. */
const plainFacts = ({ type, modified, contents }: ContentFacts): ContentFacts => ({
  type,
  permissions: 0o755,
  uid: 0,
  gid: 0,
  modified,
  xattrs: noXattrs,
  ...(contents === undefined ? {} : { contents }),
});

/** The files and directories of a tree, each name a file of its own. A warning says what is left out. */
export function fatTree(call: Call, tree: ContentTree): ContentTree {
  const made = new ContentTree();
  made.put('/', plainFacts(tree.root.facts));
  for (const { node, path } of tree.entries()) {
    const { type } = node.facts;
    if (type === 'file' || type === 'directory') made.put(path, plainFacts(node.facts));
    else call.session.warn(`${path}: left out: FAT has no ${type} files`, 'files left out');
  }
  return made;
}

function entriesOf(node: ContentNode, path: string): number {
  let count = 0;
  for (const name of node.children?.keys() ?? []) {
    work.entries.spend(1);
    try {
      count += entriesOfName(name);
    } catch (thrown) {
      const whole = `${path}/${name}`;
      throw thrown instanceof GuestfsError ? thrown.within(whole, whole) : thrown;
    }
  }
  return count;
}

/** EINVAL for a name that FAT cannot store, EFBIG for a file that is too long. */
export function fatRoom(
  tree: ContentTree,
  { entries }: Measured,
  { freeInBytes, hasLabel }: { readonly freeInBytes: number; readonly hasLabel: boolean },
): FatRoom {
  const sizes = [freeInBytes];
  for (const { node, path } of entries) {
    const { contents } = node.facts;
    if (node.children !== undefined) sizes.push((ownEntries + entriesOf(node, path)) * entrySize);
    else if (contents !== undefined) {
      if (contents.sizeInBytes > largestFile)
        throw systemError('EFBIG', path, { remark: 'a file on FAT has less than 4 GiB' });
      sizes.push(contents.sizeInBytes);
    }
  }
  return {
    rootEntries: entriesOf(tree.root, '') + (hasLabel ? 1 : 0),
    clusters: (clusterSize) => sizes.reduce((sum, size) => sum + Math.ceil(size / clusterSize), 0),
  };
}
