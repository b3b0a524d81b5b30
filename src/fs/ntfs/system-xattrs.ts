/**
 * Attributes that ntfs-3g answers to and does not list: what NTFS knows of a file and Linux has no word for. Their names
 * and forms: ntfs-3g's "Extended attributes" (libntfs-3g/xattrs.c). Numbers are in the order of the disk, and in the
 * other one where the name ends with `_be`.
 */
import { encodeText, systemError, viewOf } from '../../base/index.js';
import { Directory } from './directory.js';
import { findIndexData } from './index-data.js';
import type { Inode } from './inode.js';
import {
  attributeTypes,
  dosNamespaceBit,
  fileAttributes,
  fileNameAt,
  fileNumbers,
  longestDosName,
  objectIdData,
  objectIdSize,
  objectIds,
  plainNumber,
  standardInformationAt as standardAt,
} from './layout.js';
import { decodeName } from './names.js';
import { fileName, referenceOf } from './record.js';
import { readDescriptor } from './security.js';
import type { NtfsVolume } from './volume.js';
import { readWhole } from './xattrs.js';

type Reader = (volume: NtfsVolume, inode: Inode) => Uint8Array | undefined;

/** The whole of an attribute of the file. */
const whole =
  (type: number): Reader =>
  (volume, inode) => {
    const attribute = inode.attributes.find(type);
    return attribute && readWhole(volume, attribute);
  };

/** Each number of so many bytes the other way round. */
const reversed =
  (read: Reader, size: number): Reader =>
  (volume, inode) => {
    const bytes = read(volume, inode)?.slice();
    for (let at = 0; bytes !== undefined && at < bytes.length; at += size)
      bytes.subarray(at, at + size).reverse();
    return bytes;
  };

/** The flags of a file, of which whether it is a directory is in its record, and that it has none is one too. */
const readFlags: Reader = (_volume, inode) => {
  const others = inode.flags & ~fileAttributes.directory;
  const flags = inode.isDirectory ? others | fileAttributes.directory : others;
  return plainNumber.encode({ value: flags === 0 ? fileAttributes.normal : flags >>> 0 });
};

const readTimes =
  (...fields: readonly (keyof typeof standardAt)[]): Reader =>
  (_volume, { standard }) => {
    const bytes = new Uint8Array(8 * fields.length);
    for (const [index, field] of fields.entries())
      bytes.set(standard.subarray(standardAt[field], standardAt[field] + 8), 8 * index);
    return bytes;
  };
const times = readTimes('creation_time', 'last_data_change_time', 'last_access_time', 'last_mft_change_time');
const creationTime = readTimes('creation_time');

/** The short name in the directory that the file's first name is in. */
const readDosName: Reader = (volume, inode) => {
  if (inode.number === fileNumbers.root) return undefined;
  for (const bytes of inode.attributes.values(attributeTypes.fileName)) {
    if (bytes.length < fileNameAt.file_name) continue;
    const view = viewOf(bytes);
    const namespace = view.getUint8(fileNameAt.file_name_type);
    const length = view.getUint8(fileNameAt.file_name_length);
    const parent = referenceOf(
      view.getUint32(fileNameAt.parent_low, true),
      view.getUint16(fileNameAt.parent_high, true),
      view.getUint16(fileNameAt.parent_sequence, true),
    );
    const end = fileNameAt.file_name + 2 * length;
    if ((namespace & dosNamespaceBit) === 0 || parent !== inode.parent) continue;
    if (length > longestDosName || end > bytes.length) continue;
    const name = bytes.slice(fileNameAt.file_name, end);
    const units = viewOf(name);
    for (let at = 0; at < name.length; at += 2)
      units.setUint16(at, volume.upcase.of(units.getUint16(at, true)), true);
    return encodeText(decodeName(name));
  }
  return undefined;
};

/** The identifier of a file, and the three more that the index of identifiers has of it. */
const readObjectId: Reader = (volume, inode) => {
  const attribute = inode.attributes.find(attributeTypes.objectId);
  const id = attribute && readWhole(volume, attribute);
  if (id === undefined || id.length < objectIdSize) return undefined;
  const key = id.slice(0, objectIdSize);
  const file = new Directory(volume, volume.inode(fileNumbers.extend)).find(objectIds.file)?.file;
  const data = file && findIndexData(volume, volume.inode(file), objectIds.index, key);
  if (!data || data.length < objectIdData.size) return key;
  const bytes = new Uint8Array(objectIdSize + objectIdData.size - objectIdData.others);
  bytes.set(key);
  bytes.set(data.subarray(objectIdData.others, objectIdData.size), objectIdSize);
  return bytes;
};

/** What only a mount with `efs_raw` tells. */
const refuseEncryption: Reader = (_volume, inode) => {
  throw systemError('EPERM', `${fileName(inode.number)}: keys of its encryption`);
};

export const systemAttributes: Readonly<Record<string, Reader>> = {
  'system.ntfs_acl': readDescriptor,
  'system.ntfs_attrib': readFlags,
  'system.ntfs_attrib_be': reversed(readFlags, 4),
  'system.ntfs_efsinfo': refuseEncryption,
  'system.ntfs_reparse_data': (volume, inode) =>
    inode.has('reparsePoint') ? whole(attributeTypes.reparsePoint)(volume, inode) : undefined,
  'system.ntfs_object_id': readObjectId,
  'system.ntfs_dos_name': readDosName,
  'system.ntfs_times': times,
  'system.ntfs_times_be': reversed(times, 8),
  'system.ntfs_crtime': creationTime,
  'system.ntfs_crtime_be': reversed(creationTime, 8),
  'system.ntfs_ea': whole(attributeTypes.extendedAttributes),
};
