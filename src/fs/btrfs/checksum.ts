/** Checksums of blocks and of data, of the kind that the superblock says. */
import { blake2b256, checksumHolds, compareBytes, crc32cOfView, xxhash64 } from '../../base/index.js';
import { platform } from '../../disk/index.js';
import { checksumKinds, checksummedFrom } from './layout.js';

export interface Checksum {
  readonly name: string;
  /** Bytes of a stored sum. */
  readonly length: number;
  /** Whether the sum of the bytes from `start` to `end` is the one stored at `storedAt` of `stored`. */
  holds(data: DataView, start: number, end: number, stored: DataView, storedAt: number): boolean;
}

type Holds = Checksum['holds'];

const part = (view: DataView, start: number, end: number): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset + start, end - start);

const equal = (isEqual: boolean): boolean => checksumHolds(isEqual ? 1 : 0, 1);

/** A hash of 32 bytes. */
const digest =
  (hash: (bytes: Uint8Array) => Uint8Array): Holds =>
  (data, start, end, stored, storedAt) =>
    equal(compareBytes(hash(part(data, start, end)), part(stored, storedAt, storedAt + 32)) === 0);

const checks: Readonly<Record<(typeof checksumKinds)[number]['name'], Holds>> = {
  crc32c: (data, start, end, stored, storedAt) =>
    checksumHolds(~crc32cOfView(0xffffffff, data, start, end) >>> 0, stored.getUint32(storedAt, true)),
  xxhash64: (data, start, end, stored, storedAt) =>
    equal(xxhash64(part(data, start, end)) === stored.getBigUint64(storedAt, true)),
  sha256: digest((bytes) => {
    const hash = platform().hash('sha256');
    hash.update(bytes);
    return hash.digest();
  }),
  blake2b: digest(blake2b256),
};

/** The kind of a number of the superblock; undefined for an unknown one. */
export function checksumOf(type: number): Checksum | undefined {
  const kind = checksumKinds[type];
  return kind && { ...kind, holds: checks[kind.name] };
}

/** Whether a superblock or a block of a tree has its checksum. */
export function blockHolds(checksum: Checksum, block: DataView): boolean {
  return checksum.holds(block, checksummedFrom, block.byteLength, block, 0);
}
