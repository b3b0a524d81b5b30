/** The disk room: random-access bytes, and the layers that are stacked on them. */
export { CachedDisk, type CacheOptions } from './cache.js';
export type { Codec } from './codecs.js';
export { endDecoders, setDecoderHelpers } from './decoder.js';
export { type Disk, type GrowableDisk, isGrowable, type Span, type ZeroOptions } from './disk.js';
export type { EncodedUnit } from './encoded.js';
export { FileDisk } from './file.js';
export { findHostFile, type HostFile } from './host-path.js';
export { type Kind, type ProbeContext, type Probed, plainDisk, type Role, type UsageClass } from './kind.js';
export { type Lookup, MappedDisk, type MappedOptions, type Mapping } from './mapped.js';
export { MemoryDisk, type MemoryOptions } from './memory.js';
export { OverlayDisk, type OverlayOptions } from './overlay.js';
export { PaddedDisk } from './padded.js';
export { SliceDisk } from './slice.js';
export { zeroByWriting } from './zero.js';
export { prepareZstd } from './zstd.js';
export { decodeZstdBeginning, decodeZstdFile } from './zstd-file.js';
