/** The ext2, ext3 and ext4 driver: its door. */
import type { FileSystemDriver } from '../driver.js';
import { openExt } from './open.js';
import { probeExt } from './probe.js';

export { planCleanCheck } from './check/clean.js';
export type { InodeRemains, StoredName } from './directory/deleted.js';
export { planTuning, type Tuning } from './format/tune.js';
export { type ExtDetails, extDetails } from './report/details.js';
export {
  addJournalUser,
  type ExtRoom,
  type FormatOptions,
  fitExt,
  planExt,
  planGrowth,
  readJournalDevice,
} from './write/index.js';

export const ext: FileSystemDriver = {
  name: 'ext',
  role: 'filesystem',
  types: ['ext2', 'ext3', 'ext4'],
  usage: 'filesystem',
  probe: probeExt,
  open: openExt,
};
