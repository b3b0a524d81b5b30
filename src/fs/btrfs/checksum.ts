/** Checksums of blocks and of data, of the kind that the superblock says. */
import {
  blake2b256,
  checksumHolds,
  compareBytes,
  crc32cOfView,
  joinCrc32c,
  viewOf,
  xxhash64,
} from '../../base/index.js';
import { platform } from '../../disk/index.js';
import { checksumKinds, checksummedFrom } from './layout.js';

/** Pieces of data one after the other, whose sums stand one after the other. */
interface SummedPieces {
  readonly data: DataView;
  readonly start: number;
  readonly end: number;
  /** Bytes of each. */
  readonly pieceLength: number;
  readonly stored: DataView;
  readonly storedAt: number;
}

export interface Checksum {
  readonly name: string;
  /** Bytes of a stored sum. */
  readonly length: number;
  /** Whether the sum of the bytes from `start` to `end` is the one stored at `storedAt` of `stored`. */
  holds(data: DataView, start: number, end: number, stored: DataView, storedAt: number): boolean;
  /** Whether all pieces have their sums, where that is told faster together than one by one. */
  allHold?(pieces: SummedPieces): boolean;
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

/**
 * The sum of all data against the one that the stored ones amount to: a piece that differs changes it, as long as two do
 * not undo each other, which is as likely as that one sum is right by accident.
 */
function crc32cPieces(): (pieces: SummedPieces) => boolean {
  let length = 0;
  let join: ReturnType<typeof joinCrc32c> | undefined;
  let inversion = 0;
  return ({ data, start, end, pieceLength, stored, storedAt }) => {
    if (join === undefined || length !== pieceLength) {
      length = pieceLength;
      join = joinCrc32c(pieceLength);
      // What a stored sum has besides that of the data, as it begins with ones and is inverted.
      inversion = ~crc32cOfView(0xffffffff, viewOf(new Uint8Array(pieceLength)), 0, pieceLength) >>> 0;
    }
    let wanted = 0;
    for (let at = start, from = storedAt; at < end; at += pieceLength, from += 4)
      wanted = join(wanted, stored.getUint32(from, true) ^ inversion);
    return checksumHolds(crc32cOfView(0, data, start, end), wanted);
  };
}

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
  if (kind === undefined) return undefined;
  const allHold = kind.name === 'crc32c' ? { allHold: crc32cPieces() } : {};
  return { ...kind, holds: checks[kind.name], ...allHold };
}

/** Whether a superblock or a block of a tree has its checksum. */
export function blockHolds(checksum: Checksum, block: DataView): boolean {
  return checksum.holds(block, checksummedFrom, block.byteLength, block, 0);
}
