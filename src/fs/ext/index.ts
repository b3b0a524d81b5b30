/** The ext2, ext3 and ext4 driver: its door. */
import type { FileSystemDriver } from '../driver.js';
import { openExt } from './open.js';
import { probeExt } from './probe.js';

export { planCleanCheck } from './check/clean.js';
export type { InodeRemains, StoredName } from './directory/deleted.js';
export { type ExtRoom, fitExt } from './format/fit.js';
export { planExt } from './format/format.js';
export { planGrowth } from './format/grow.js';
export { addJournalUser, readJournalDevice } from './format/journal-device.js';
export type { FormatOptions } from './format/options.js';
export { planTuning, type Tuning } from './format/tune.js';
export { type ExtDetails, extDetails } from './report/details.js';

export const ext: FileSystemDriver = {
  name: 'ext',
  role: 'filesystem',
  types: ['ext2', 'ext3', 'ext4'],
  usage: 'filesystem',
  probe: probeExt,
  open: openExt,
};
