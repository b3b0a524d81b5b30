/** What makes and changes volumes. Programs set it up when it is first wanted: see scripts/deferred.mjs. */
export { planFat } from '../format.js';
export { followedFile } from './followed.js';
export { type FatSession, startWriting } from './session.js';
export { type FatWriter, writerOf } from './writer.js';
