/** The NTFS driver: its door. */
import type { FileSystemDriver } from '../driver.js';
import { openNtfs } from './open.js';
import { probeNtfs } from './probe.js';

export { ntfsContents, ntfsStatus } from './report.js';

export const ntfs: FileSystemDriver = {
  name: 'ntfs',
  role: 'filesystem',
  types: ['ntfs', 'ntfs-3g'],
  usage: 'filesystem',
  probe: probeNtfs,
  open: openNtfs,
};
