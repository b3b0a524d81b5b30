/** exFAT, the filesystem of large memory cards and sticks: the door. Read as Linux shows it. */
import type { FileSystemDriver } from '../driver.js';
import { openExfat } from './filesystem.js';
import { probe } from './probe.js';

export const exfat: FileSystemDriver = {
  name: 'exfat',
  role: 'filesystem',
  types: ['exfat'],
  usage: 'filesystem',
  probe,
  open: openExfat,
};
