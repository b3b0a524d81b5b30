/** Extended attributes of OS/2's kind (`$EA`): the numbers of devices, which WSL keeps there. */
import { decodeLatin1, viewOf } from '../../../base/index.js';
import type { Inode } from '../inode.js';
import { extendedAttribute as at, attributeTypes, extendedAttributeDevice } from '../layout.js';
import type { NtfsVolume } from '../volume.js';

const longest = 64 * 1024;

export function deviceOfExtendedAttributes(
  volume: NtfsVolume,
  inode: Inode,
): { readonly major: number; readonly minor: number } | undefined {
  const attribute = inode.attributes.find(attributeTypes.extendedAttributes);
  if (attribute === undefined || attribute.sizeInBytes > longest) return undefined;
  const bytes = new Uint8Array(attribute.sizeInBytes);
  volume.open(attribute).read(bytes, 0);
  const view = viewOf(bytes);
  const { name: wanted, size } = extendedAttributeDevice;
  for (let start = 0; start + at.name <= bytes.length; ) {
    const next = view.getUint32(start + at.next_entry_offset, true);
    const nameLength = view.getUint8(start + at.name_length);
    const valueAt = start + at.name + nameLength + 1;
    const name = decodeLatin1(bytes.subarray(start + at.name, start + at.name + nameLength));
    if (
      name === wanted &&
      view.getUint16(start + at.value_length, true) === size &&
      valueAt + size <= bytes.length
    )
      return { major: view.getUint32(valueAt, true), minor: view.getUint32(valueAt + 4, true) };
    if (next < at.name) return undefined;
    start += next;
  }
  return undefined;
}
