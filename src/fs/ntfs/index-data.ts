/** Indexes of fixed keys that have data: those of `$Secure` and `$ObjId`. */
import { viewOf } from '../../base/index.js';
import { type IndexKind, IndexTree } from './index-tree.js';
import type { Inode } from './inode.js';
import { collationNumber, collationNumbers, indexDataAt as dataAt } from './layout.js';
import type { NtfsVolume } from './volume.js';

/** The data of a key of one or more numbers of 32 bits, which are compared one by one; undefined where there is none. */
export function findIndexData(
  volume: NtfsVolume,
  inode: Inode,
  name: string,
  key: Uint8Array,
): Uint8Array | undefined {
  const kind: IndexKind = {
    name,
    what: `index ${name}`,
    collation: key.length === 4 ? collationNumber : collationNumbers,
    isKey: (_view, _at, length) => length === key.length,
  };
  const wanted = viewOf(key);
  const found = new IndexTree(volume, inode, kind).find((view, at) => {
    for (let i = 0; i < key.length; i += 4) {
      const order = wanted.getUint32(i, true) - view.getUint32(at + i, true);
      if (order !== 0) return order;
    }
    return 0;
  });
  if (found === undefined) return undefined;
  const { view, at } = found;
  const start = view.byteOffset + at + view.getUint16(at + dataAt.data_offset, true);
  const data = new Uint8Array(view.buffer).subarray(start);
  return data.subarray(0, view.getUint16(at + dataAt.data_length, true));
}
