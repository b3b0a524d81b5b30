/** squashfs, the compressed read-only filesystem of live systems and installers: the door. Read as Linux shows it. */
import type { FileSystemDriver } from '../driver.js';
import { openSquash } from './filesystem.js';
import { probe } from './probe.js';

export const squashfs: FileSystemDriver = {
  name: 'squashfs',
  role: 'filesystem',
  types: ['squashfs'],
  usage: 'filesystem',
  neverWritten: true,
  probe,
  open: openSquash,
};
