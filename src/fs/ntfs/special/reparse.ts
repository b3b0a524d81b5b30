/**
 * Reparse points: data that tell Windows to do something else than open the file. Links are links, and what ntfs-3g does
 * not know is a link that names the tag. Beyond that, what WOF has compressed is read, and what is deduplicated or in the
 * cloud is a file whose contents are not here.
 */
import { UnsupportedError, viewOf } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import type { FileType } from '../../driver.js';
import type { Inode } from '../inode.js';
import {
  attributeTypes,
  linkAt,
  lxSymlinkHeader,
  lxSymlinkType,
  mountPointHeaderSize,
  reparseCloudMask,
  reparseFlags,
  reparseGuidSize,
  reparseHeader,
  symlinkHeaderSize,
  reparseTags as tags,
  wofStreamName,
} from '../layout.js';
import { fileName } from '../record.js';
import type { NtfsVolume } from '../volume.js';
import { deviceOfExtendedAttributes } from './extended.js';
import { openWof, wofMethod } from './wof.js';

/** The longest that Windows writes: 16 KiB, and what a link to WSL may have beyond. */
const longestReparse = 64 * 1024;

export interface Reparse {
  readonly tag: number;
  /** What follows the header. */
  readonly data: Uint8Array;
  /** Whether the header is right, and in it what such a tag has to have. */
  readonly isValid: boolean;
}

/** The reparse point of a file that says that it has one. */
export function readReparse(volume: NtfsVolume, inode: Inode): Reparse {
  const attribute = inode.attributes.find(attributeTypes.reparsePoint);
  const size = attribute?.sizeInBytes ?? 0;
  if (attribute === undefined || size < reparseHeader.size || size > longestReparse)
    return { tag: 0, data: new Uint8Array(0), isValid: false };
  const bytes = new Uint8Array(size);
  volume.open(attribute).read(bytes, 0);
  const { tag, length } = reparseHeader.decode(bytes);
  const guid = tag >= reparseFlags.microsoft ? 0 : reparseGuidSize;
  const data = bytes.subarray(reparseHeader.size);
  return { tag, data, isValid: tag !== 0 && length + guid === data.length && hasForm(tag, data, inode) };
}

function isCloud(tag: number): boolean {
  return (tag & reparseCloudMask) >>> 0 === tags.cloud;
}

/** Where the name of a link lies in its data. */
export function linkName(tag: number, data: Uint8Array): Uint8Array | undefined {
  const start = tag === tags.symlink ? symlinkHeaderSize : mountPointHeaderSize;
  if (data.length < start) return undefined;
  const view = viewOf(data);
  const from = start + view.getUint16(linkAt.subst_name_offset, true);
  const end = from + view.getUint16(linkAt.subst_name_length, true);
  return end > data.length ? undefined : data.subarray(from, end);
}

function hasForm(tag: number, data: Uint8Array, inode: Inode): boolean {
  switch (tag) {
    case tags.mountPoint:
      return inode.isDirectory && linkName(tag, data) !== undefined;
    case tags.symlink:
      return linkName(tag, data) !== undefined;
    case tags.lxSymlink:
      return data.length > lxSymlinkHeader.size && lxSymlinkHeader.decode(data).type === lxSymlinkType;
    case tags.afUnix:
    case tags.lxFifo:
    case tags.lxCharacter:
    case tags.lxBlock:
      return data.length === 0 && inode.has('recallOnOpen');
    default:
      return true;
  }
}

interface ReparseKind {
  readonly type: Exclude<FileType, 'unknown'>;
  readonly device?: { readonly major: number; readonly minor: number };
}

const link: ReparseKind = { type: 'symlink' };

/** What a file with a reparse point is. */
export function kindOfReparse(volume: NtfsVolume, inode: Inode): ReparseKind {
  const { tag, isValid } = readReparse(volume, inode);
  if (!isValid) return link;
  const device = (type: 'character' | 'block'): ReparseKind => {
    const found = deviceOfExtendedAttributes(volume, inode);
    return found === undefined ? link : { type, device: found };
  };
  switch (tag) {
    case tags.wof:
    case tags.dedup:
      return { type: inode.isDirectory ? 'directory' : 'file' };
    case tags.afUnix:
      return { type: 'socket' };
    case tags.lxFifo:
      return { type: 'fifo' };
    case tags.lxCharacter:
      return device('character');
    case tags.lxBlock:
      return device('block');
    default:
      return isCloud(tag) ? { type: inode.isDirectory ? 'directory' : 'file' } : link;
  }
}

/** The contents of a file with a reparse point. UnsupportedError where they are elsewhere, or in another form. */
export function openReparse(volume: NtfsVolume, inode: Inode): Disk | undefined {
  const { tag, data } = readReparse(volume, inode);
  const name = fileName(inode.number);
  if (tag === tags.wof) {
    const stream = inode.attributes.find(attributeTypes.data, wofStreamName);
    if (stream !== undefined) return openWof(volume.open(stream), inode.data?.sizeInBytes ?? 0, data, name);
    // An image of WIM has the contents: the error says so.
    wofMethod(data, name);
    throw new UnsupportedError(name, [`WOF without the stream ${wofStreamName}`]);
  }
  if (tag === tags.dedup)
    throw new UnsupportedError(name, [
      'deduplication: the contents are in chunks that the file shares with others',
    ]);
  // A file of the cloud that is here as a whole is like any other.
  const isAway = inode.has('offline') || inode.has('recallOnOpen') || inode.has('recallOnDataAccess');
  if (isAway || inode.data?.first.isSparse === true)
    throw new UnsupportedError(name, ['files of the cloud: the contents are not on this disk']);
  return inode.data && volume.open(inode.data);
}
