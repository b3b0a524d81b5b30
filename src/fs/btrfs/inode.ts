/**
 * Inodes: all facts of a file except its name. Decoded by plain offsets, because a walk decodes hundreds of thousands.
 */
import { CorruptError, typeOfMode } from '../../base/index.js';
import type { FileType, InodeStat, Time } from '../driver.js';
import { inodeAt as at, deviceMinorSize, inodeItemSize, itemTypes, timeAt } from './layout.js';
import { key, signed64 } from './tree/keys.js';
import type { ItemTree } from './tree/tree.js';

export interface Inode {
  readonly number: number;
  readonly tree: ItemTree;
  /** What `lstat` shows. */
  readonly stat: InodeStat;
  readonly kind: FileType;
}

export function inodeName(tree: ItemTree, number: number): string {
  return `${tree.name}: inode ${number}`;
}

const nanosecondsPerSecond = 1_000_000_000;

function timeOf(view: DataView, base: number): Time {
  // Garbage is brought into range, as nothing on the disk bounds it.
  const nanoseconds = Math.min(view.getUint32(base + timeAt.nsec, true), nanosecondsPerSecond - 1);
  return { seconds: signed64(view, base + timeAt.sec), nanoseconds };
}

/** The inode of a number. CorruptError if there is none, because something on the disk led to it. */
export function readInode(tree: ItemTree, number: number, sectorSize: number): Inode {
  const item = tree.find(key(number, itemTypes.inodeItem, 0));
  const corrupt = (problem: string, details: Record<string, number> = {}): CorruptError =>
    new CorruptError(inodeName(tree, number), problem, details);
  if (item === undefined) throw corrupt('there is no such inode');
  const { view, start, size } = item;
  if (size < inodeItemSize) throw corrupt('is cut short', { size });
  const mode = view.getUint32(start + at.mode, true);
  const kind = typeOfMode(mode);
  if (kind === 'unknown' || mode > 0xffff) throw corrupt('has an unknown type', { mode });
  const isDevice = kind === 'character' || kind === 'block';
  const device = isDevice ? signed64(view, start + at.rdev) : 0;
  const sizeInBytes = signed64(view, start + at.size);
  const stored = signed64(view, start + at.nbytes);
  if (sizeInBytes < 0 || stored < 0 || device < 0) throw corrupt('has a number beyond 2^53');
  const stat: InodeStat = {
    inode: number,
    mode,
    linkCount: view.getUint32(start + at.nlink, true),
    uid: view.getUint32(start + at.uid, true),
    gid: view.getUint32(start + at.gid, true),
    deviceMajor: Math.floor(device / deviceMinorSize),
    deviceMinor: device % deviceMinorSize,
    sizeInBytes,
    blockCount512: Math.ceil(stored / sectorSize) * (sectorSize / 512),
    accessed: timeOf(view, start + at.atime),
    modified: timeOf(view, start + at.mtime),
    changed: timeOf(view, start + at.ctime),
  };
  return { number, tree, stat, kind };
}
