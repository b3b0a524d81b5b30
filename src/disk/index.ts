/** The disk room: random-access bytes, and the layers that are stacked on them. */
export type { Allocator, Placement } from './allocator.js';
export { BlockCache, type BlockReader } from './block-cache.js';
export { CachedDisk } from './cache.js';
export type { Codec } from './codecs.js';
/** For tests. */
export { decodeAhead, decodeUnits, decodeWhole, endDecoders, setDecoderHelpers } from './decoder.js';
export { serveDecoder } from './decoder-service.js';
export { type Disk, type GrowableDisk, isGrowable, type Span, type ZeroOptions } from './disk.js';
export type { EncodedUnit } from './encoded.js';
export { type Kind, type ProbeContext, type Probed, plainDisk, type UsageClass } from './kind.js';
export { type Lookup, MappedDisk, type Mapping } from './mapped.js';
export { MemoryDisk } from './memory.js';
export {
  type ImagePolicy,
  type NamePurpose,
  type Origin,
  type OriginOpening,
  refusal,
} from './origin.js';
export { OverlayDisk } from './overlay.js';
export { PaddedDisk } from './padded.js';
export {
  type DecoderStart,
  type DecoderThread,
  type HashName,
  type Platform,
  platform,
  usePlatform,
} from './platform.js';
export { SliceDisk } from './slice.js';
export { Spool } from './spool.js';
export type { Block } from './write/block.js';
export { type PlacedBytes, writeBlocks, writeInOrder } from './write/blocks.js';
export { WriteCache } from './write/cache.js';
export { GatheredDisk } from './write/gathered.js';
export { DiskJournal, type WriteRules } from './write/journal.js';
/** For tests. */
export { directJournal, orderedJournal } from './write/rules.js';
export { DiskTransaction } from './write/transaction.js';
export { areZeroes } from './zero.js';
export { decodeZstdBeginning, decodeZstdFile, decodeZstdFrames } from './zstd-file.js';
