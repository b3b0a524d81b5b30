/** What makes and changes volumes. Programs set it up when it is first wanted: see scripts/deferred.mjs. */
export { type FatRoom, fitFat } from '../fit.js';
export { planFat } from '../format.js';
export { followedFile } from './followed.js';
export { type FatSession, startWriting } from './session.js';
export { entriesOfName } from './short-names.js';
export { type FatWriter, setFatLabel, writerOf } from './writer.js';
