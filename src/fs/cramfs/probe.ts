/**
 * Whether a disk holds cramfs, and its name: the rules of blkid (util-linux 2.38), which looks at the disk's start
 * only.
 */
import { decodePadded, trimBlanks } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import { superblock } from './layout.js';
import { byteOrderOf } from './superblock.js';

/** Looks for cramfs of either byte order. Never throws on any bytes. */
export function probe(disk: Disk): Probed | undefined {
  const { size } = superblock.little;
  if (disk.size < size) return undefined;
  const raw = new Uint8Array(size);
  disk.read(raw, 0);
  const endian = byteOrderOf(raw);
  if (endian === undefined) return undefined;
  const { name } = superblock[endian].decode(raw);
  const label = trimBlanks(decodePadded(name));
  return { type: 'cramfs', label, uuid: '', facts: { USAGE: 'filesystem' } };
}
