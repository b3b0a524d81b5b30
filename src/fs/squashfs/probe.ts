/** Whether a disk holds squashfs 4: the rules of blkid (util-linux 2.38). Other versions are another kind. */
import { readMaybe } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import { SQUASHFS_MAGIC, SQUASHFS_MAJOR, superblock } from './layout.js';

/** Never throws on any bytes. */
export function probe(disk: Disk): Probed | undefined {
  const raw = readMaybe(disk, 0, superblock.size);
  if (raw === undefined) return undefined;
  const { s_magic, s_major, s_minor } = superblock.decode(raw);
  if (s_magic !== SQUASHFS_MAGIC || s_major < SQUASHFS_MAJOR) return undefined;
  const facts = { VERSION: `${s_major}.${s_minor}`, USAGE: 'filesystem' };
  return { type: 'squashfs', label: '', uuid: '', facts };
}
