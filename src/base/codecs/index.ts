/**
 * The door of the codecs. Most sessions decode nothing, so what stands behind it is set up at the first call
 * (scripts/deferred.mjs), and it names functions alone.
 */
export { decodeLz4 } from './lz4.js';
export { decodeLznt1 } from './lznt1.js';
export { decodeLzo1x } from './lzo.js';
export { decodeLzoSegments } from './lzo-segments.js';
export { decodeLzx } from './lzx.js';
export { decodeXpress } from './xpress.js';
export { decodeZstdFrame } from './zstd/decode.js';
export { findFrameEnd, frameBeginning } from './zstd/frame.js';
