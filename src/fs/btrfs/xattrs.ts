/** Extended attributes: entries under the inode, by the hash of their names. */
import { CorruptError, decodeText } from '../../base/index.js';
import { entriesOf } from './entries.js';
import { type Inode, inodeName } from './inode.js';
import { itemTypes } from './layout.js';

/** By full name, in stored order. */
export function readXattrs({ tree, number }: Inode): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const item of tree.items(number, itemTypes.xattrItem))
    for (const { name, value } of entriesOf(item, inodeName(tree, number))) {
      const text = decodeText(name);
      if (text === '' || found.has(text))
        throw new CorruptError(inodeName(tree, number), 'has an attribute without a name, or twice', {
          name: text,
        });
      found.set(text, value.slice());
    }
  return found;
}
