/** The base room: what every other room may use, and which knows none of them. */
export { crc16, crc32, crc32c, crc32cOfView, crc32Raw } from './crc.js';
export { describeErrno, type ErrnoName, errnoNumbers, isErrnoName } from './errno.js';
export {
  asFailureOf,
  asGuestfsError,
  CorruptError,
  type ErrorDetails,
  GuestfsError,
  type PlainError,
  plainError,
  restoreError,
  systemError,
  UnsupportedError,
} from './errors.js';
export { createHash } from './hash.js';
export { LruMap } from './lru.js';
export {
  bits64,
  bytes,
  type Decoded,
  type Endian,
  type Field,
  type Fields,
  i8,
  i16,
  i32,
  i64,
  readU64,
  type Struct,
  struct,
  text,
  u8,
  u16,
  u32,
  u64,
  viewOf,
} from './struct.js';
export { decodeLatin1, decodePadded, decodeText, encodeText } from './text.js';
export { formatGuid, formatUuid } from './uuid.js';
export { decodeXz, isXz } from './xz.js';
