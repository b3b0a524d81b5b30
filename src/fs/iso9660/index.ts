/** ISO 9660 with Rock Ridge and Joliet: the door. Read as Linux's isofs shows it. */
import type { FileSystemDriver } from '../driver.js';
import { openIso } from './filesystem.js';

export { isoDetails } from './details.js';

import { probe } from './probe.js';

export const iso9660: FileSystemDriver = {
  name: 'iso9660',
  role: 'filesystem',
  types: ['iso9660'],
  usage: 'filesystem',
  neverWritten: true,
  tolerant: true,
  probe,
  open: openIso,
};
