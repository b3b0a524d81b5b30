/** Taking stretches out of a file's extents. */
import { viewOf } from '../../../base/index.js';
import { fileExtentAt, fileExtentSize, fileExtentTypes, itemTypes } from '../layout.js';
import { setNumber, signed64 } from '../tree/keys.js';
import type { Item } from '../tree/node.js';
import type { ChangedTree } from './changes.js';

/** The byte behind an extent: of one in its item, the end of its sector. */
export function endOfExtent(item: Item, sectorSize: number): number {
  const { view, start, offset, size } = item;
  if (view.getUint8(start + fileExtentAt.type) === fileExtentTypes.inline)
    return offset + Math.ceil(signed64(view, start + fileExtentAt.ram_bytes) / sectorSize) * sectorSize;
  return size < fileExtentSize ? offset : offset + signed64(view, start + fileExtentAt.num_bytes);
}

export function isHole({ view, start, size }: Item): boolean {
  if (view.getUint8(start + fileExtentAt.type) === fileExtentTypes.inline) return false;
  return size < fileExtentSize || signed64(view, start + fileExtentAt.disk_bytenr) === 0;
}

/** Takes the bytes from `from` to `to` out of the extents of an inode: extents across a border keep what is outside. */
export function dropExtents(
  tree: ChangedTree,
  inode: number,
  from: number,
  to = Number.MAX_SAFE_INTEGER,
): void {
  const { extentData } = itemTypes;
  const first = tree.floor(inode, extentData, from)?.offset ?? from;
  for (const item of [...tree.items(inode, extentData, first)]) {
    const { view, start, offset, size } = item;
    if (offset >= to) return;
    const isInline = view.getUint8(start + fileExtentAt.type) === fileExtentTypes.inline;
    const end = endOfExtent(item, 1);
    if (end <= from || size < fileExtentAt.inline) continue;
    if (isInline || size < fileExtentSize) {
      if (offset >= from) tree.delete(inode, extentData, offset);
      continue;
    }
    tree.delete(inode, extentData, offset);
    if (offset < from) tree.put(inode, extentData, offset, part(item, 0, from - offset));
    if (end > to) tree.put(inode, extentData, to, part(item, to - offset, end - to));
  }
}

/** The bytes of an extent of which only a part is shown. */
function part(item: Item, skip: number, length: number): Uint8Array {
  const bytes = item.bytes().slice();
  const view = viewOf(bytes);
  setNumber(view, fileExtentAt.offset, signed64(view, fileExtentAt.offset) + skip);
  setNumber(view, fileExtentAt.num_bytes, length);
  return bytes;
}
