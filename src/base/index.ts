/** The base room: used by every other room, and independent of all. */

export { isBundled, isStandalone, recordCompiledCode } from './bundled.js';
export { type ByteSource, readMaybe, readUpTo, sourceOf } from './byte-source.js';
export {
  compareBytes,
  concatBytes,
  decodeHex,
  encodeBase64Url,
  encodeHex,
  formatGuid,
  formatUuid,
  parseGuid,
} from './bytes.js';
export { monotonicTime } from './clock.js';
export {
  decodeLz4,
  decodeLznt1,
  decodeLzo1x,
  decodeLzoSegments,
  decodeLzx,
  decodeXpress,
  decodeZstdFrame,
  findFrameEnd,
  frameBeginning,
} from './codecs/index.js';
export { lzoSegmentLength } from './codecs/lzo-sector.js';
/** For tests. */
export { describeErrno, type ErrnoName, errnoNumbers, isErrnoName } from './errno.js';
export {
  AbortError,
  asGuestfsError,
  CorruptError,
  type Elsewhere,
  elsewhereOf,
  GuestfsError,
  HostError,
  PartialError,
  systemError,
  UnsupportedError,
} from './errors.js';
export { hostError } from './host-error.js';
export { forEachInSpite } from './in-spite.js';
export { inflateGzip } from './inflate.js';
export { LruMap } from './lru.js';
export { decodeLzw } from './lzw.js';
export { type LetterOutcome, Mailbox, type MailboxShape } from './mailbox.js';
export { type ModeType, modeTypeMask, modeTypes, typeOfMode } from './mode.js';
export { isPowerOfTwo } from './numbers.js';
export { type PlainError, plainError, restoreError } from './plain-error.js';
export { borrowsChunks, chunksOf, writerTo } from './streams.js';
/** For tests. */
/** For tests. */
export {
  bits64,
  bytes,
  type Decoded,
  type Endian,
  type Fields,
  i16,
  i32,
  type Struct,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  viewOf,
} from './struct.js';
export { blake2b256 } from './sums/blake2b.js';
export { checksumHolds, crc16, crc32, crc32c, crc32cOfView, crc32Raw, joinCrc32c } from './sums/crc.js';
export { xxhash64 } from './sums/xxhash64.js';
export {
  compareBytewise,
  decodeLatin1,
  decodePadded,
  decodeText,
  encodeText,
  sortBytewise,
  trimBlanks,
} from './text.js';
export { readTruth } from './truth.js';
export { escapeControls, hasControls } from './visible.js';
export { needWasm, type WasmCode, type WasmExports, wasm } from './wasm.js';
export { type NamePattern, namePattern } from './wildcard.js';
export {
  beginWork,
  defaultLimits,
  endsCall,
  endWork,
  type Limits,
  limitNames,
  readLimits,
  undisturbed,
  work,
} from './work.js';
