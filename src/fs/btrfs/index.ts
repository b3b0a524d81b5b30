/** The btrfs driver: its door. */
import type { FileSystemDriver } from '../driver.js';
import { openBtrfs } from './open.js';
import { memberOf, probeBtrfs } from './probe.js';

export { type BtrfsDetails, btrfsDetails, type SubvolumeFacts } from './report.js';

export const btrfs: FileSystemDriver = {
  name: 'btrfs',
  role: 'filesystem',
  types: ['btrfs'],
  usage: 'filesystem',
  minimumSize: 1024 * 1024,
  probe: probeBtrfs,
  memberOf,
  open: openBtrfs,
};
