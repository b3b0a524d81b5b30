/** What makes and changes filesystems. Programs set it up when it is first wanted: see scripts/deferred.mjs. */
export { type ExtRoom, fitExt } from '../format/fit.js';
export { planExt } from '../format/format.js';
export { planGrowth } from '../format/grow.js';
export { addJournalUser, readJournalDevice } from '../format/journal-device.js';
export type { FormatOptions } from '../format/options.js';
export { changeAsCommitted } from '../journal/fast-commit-replay.js';
export { followedData } from './contents.js';
export { startWriting, type WriteSession, whyReadOnly } from './session.js';
export { writerOf } from './writer.js';
