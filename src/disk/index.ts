/** The disk room: random-access bytes, and the layers that are stacked on them. */
export type { Codec, EncodedUnit } from './decoder.js';
export type { Disk, Span } from './disk.js';
export { FileDisk } from './file.js';
export { type Lookup, MappedDisk, type MappedOptions, type Mapping } from './mapped.js';
export { MemoryDisk } from './memory.js';
export { SliceDisk } from './slice.js';
