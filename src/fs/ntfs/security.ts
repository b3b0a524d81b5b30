/**
 * Security descriptors: whose a file is, and who may do what. `$Secure` has each of them once, and files name one by its
 * number; in volumes of version 1, and where Windows has not changed that, it is in the file itself.
 */
import { CorruptError, viewOf } from '../../base/index.js';
import { findIndexData } from './index-data.js';
import type { Inode } from './inode.js';
import {
  aclAt,
  attributeTypes,
  fileNumbers,
  plainNumber,
  securityDescriptor,
  securityEntry,
  securityNames,
  sidAt,
} from './layout.js';
import { fileName } from './record.js';
import type { NtfsVolume } from './volume.js';
import { readWhole } from './xattrs.js';

/** The descriptor of a file; undefined where it has none. */
export function readDescriptor(volume: NtfsVolume, inode: Inode): Uint8Array | undefined {
  const { securityId } = inode;
  const structure = `${fileName(inode.number)}: security descriptor`;
  if (securityId !== 0) return withoutRest(readShared(volume, securityId, structure), structure);
  const own = inode.attributes.find(attributeTypes.securityDescriptor);
  return own && withoutRest(readWhole(volume, own), structure);
}

/** The descriptor of a number. */
function readShared(volume: NtfsVolume, id: number, structure: string): Uint8Array {
  const secure = volume.inode(fileNumbers.secure);
  const key = plainNumber.encode({ value: id });
  const found = findIndexData(volume, secure, securityNames.byNumber, key);
  const stream = secure.attributes.find(attributeTypes.data, securityNames.descriptors);
  if (found === undefined || found.length < securityEntry.size || stream === undefined)
    throw new CorruptError(structure, 'is not among those of the filesystem', { id });
  const { offset, length } = securityEntry.decode(found);
  const bytes = readWhole(volume, stream, Number(offset), length);
  if (length < securityEntry.size || securityEntry.decode(bytes).security_id !== id)
    throw new CorruptError(structure, 'is another one', { id, offset: String(offset), length });
  return bytes.subarray(securityEntry.size);
}

/** A descriptor as far as its parts reach, which is what ntfs-3g gives. */
function withoutRest(bytes: Uint8Array, structure: string): Uint8Array {
  const view = viewOf(bytes);
  const invalid = (at: number): CorruptError =>
    new CorruptError(structure, 'has a part outside', { at, length: bytes.length });
  if (bytes.length < securityDescriptor.size) throw invalid(0);
  const { owner, group, sacl, dacl } = securityDescriptor.decode(bytes);
  let end: number = securityDescriptor.size;
  const reach = (at: number, headSize: number, size: () => number): void => {
    if (at === 0) return;
    if (at + headSize > bytes.length || at + size() > bytes.length) throw invalid(at);
    end = Math.max(end, at + size());
  };
  for (const at of [owner, group])
    reach(
      at,
      sidAt.sub_authority,
      () => sidAt.sub_authority + 4 * view.getUint8(at + sidAt.sub_authority_count),
    );
  for (const at of [sacl, dacl]) reach(at, aclAt.entries, () => view.getUint16(at + aclAt.size, true));
  return bytes.subarray(0, end);
}
