/** Recognises squashfs 4 by its superblock. */
import type { Disk, Probed } from '../../disk/index.js';
import { superblock as layout, SQUASHFS_MAGIC, SQUASHFS_MAJOR } from './layout.js';

/** Looks for squashfs 4. The rules of blkid (util-linux 2.38). Never throws on any bytes. */
export function probe(disk: Disk): Probed | undefined {
  const raw = readRaw(disk);
  if (raw === undefined) return undefined;
  const { s_magic, s_major, s_minor } = layout.decode(raw);
  if (s_magic !== SQUASHFS_MAGIC || s_major < SQUASHFS_MAJOR) return undefined;
  return {
    type: 'squashfs',
    label: '',
    uuid: '',
    facts: { VERSION: `${s_major}.${s_minor}`, USAGE: 'filesystem' },
  };
}

/** The superblock's bytes; undefined where the disk is too small. */
export function readRaw(disk: Disk): Uint8Array | undefined {
  if (disk.size < layout.size) return undefined;
  const raw = new Uint8Array(layout.size);
  disk.read(raw, 0);
  return raw;
}
