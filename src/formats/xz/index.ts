/**
 * The door of xz and of what stands in it. Most sessions have none of it, so it is set up at the first call
 * (scripts/deferred.mjs), and names functions alone.
 */
export { decodeLzma } from './alone.js';
export { decodeXzBlock, readXzBlocks, streamXzBlock } from './blocks.js';
export { encodeXz } from './encode.js';
export { decodeXz } from './xz.js';
