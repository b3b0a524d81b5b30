/** squashfs, the compressed read-only filesystem of live systems and installers: the door. Read as Linux shows it. */
import type { FileSystemDriver } from '../driver.js';
import { SquashFileSystem } from './filesystem.js';
import { probe } from './superblock.js';

export const squashfs: FileSystemDriver = {
  name: 'squashfs',
  role: 'filesystem',
  types: ['squashfs'],
  usage: 'filesystem',
  probe,
  open: (disk, options) => new SquashFileSystem(disk, options),
};
