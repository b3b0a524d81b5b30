/** FAT12, FAT16 and FAT32 with long names: the door. Read as Linux's vfat shows them. */
import type { FileSystemDriver } from '../driver.js';
import { openFat } from './filesystem.js';
import { probe } from './probe.js';

export { entriesOfName, type FatRoom, fitFat, planFat, setFatLabel } from './write/index.js';

export const fat: FileSystemDriver = {
  name: 'fat',
  role: 'filesystem',
  types: ['vfat', 'msdos', 'fat'],
  usage: 'filesystem',
  probe,
  open: openFat,
};
