/**
 * The superblock: geometry and features, checked by the kernel's rules for a mount (fs/btrfs/disk-io.c,
 * btrfs_validate_super). All values that later code divides by or indexes with are bounded here.
 */
import {
  CorruptError,
  compareBytes,
  type Decoded,
  isPowerOfTwo,
  readMaybe,
  UnsupportedError,
  viewOf,
} from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { blockHolds, type Checksum, checksumOf } from './checksum.js';
import {
  incompat,
  incompatNames,
  mostLevels,
  readableIncompat,
  superblock as superblockLayout,
  superblockMagic,
  superblockSize,
  superblocksAt,
} from './layout.js';

const where = 'btrfs superblock';
const leastUnit = 4096;
const greatestUnit = 65536;

export type RawSuperblock = Decoded<typeof superblockLayout.fields>;

/** The checked values of the superblock that the rest of the driver needs. */
export interface Superblock {
  readonly raw: RawSuperblock;
  readonly checksum: Checksum;
  /** In bytes: a power of two, 4096 to 65536. */
  readonly sectorSize: number;
  /** Of a block of a tree, in bytes: a power of two, at least `sectorSize`, at most 65536. */
  readonly nodeSize: number;
  /** The UUID in blocks of trees. */
  readonly metadataUuid: Uint8Array;
  readonly hasMixedGroups: boolean;
  readonly deviceId: number;
}

/** The superblock of a disk. `warn` hears of a first copy that is damaged: the newest of the others is then used. */
export function readSuperblock(disk: Disk, warn: (message: string) => void): Superblock {
  const [first, ...others] = superblocksAt;
  try {
    return readCopy(disk, first);
  } catch (thrown) {
    if (!(thrown instanceof CorruptError)) throw thrown;
    const newest = others
      .map((at) => copyMaybe(disk, at))
      .filter((copy) => copy !== undefined)
      .sort((a, b) => b.raw.generation - a.raw.generation)[0];
    if (newest === undefined) throw thrown;
    warn(`${thrown.message}: another copy of it is used`);
    return newest;
  }
}

function copyMaybe(disk: Disk, at: number): Superblock | undefined {
  try {
    return readCopy(disk, at);
  } catch (thrown) {
    if (thrown instanceof CorruptError) return undefined;
    throw thrown;
  }
}

function readCopy(disk: Disk, at: number): Superblock {
  const bytes = readMaybe(disk, at, superblockSize);
  if (bytes === undefined) throw new CorruptError(where, 'the disk ends before it', { size: disk.size });
  return decodeSuperblock(bytes, at);
}

/** Checks and decodes a superblock that was read at `at`. */
function decodeSuperblock(bytes: Uint8Array, at: number): Superblock {
  const corrupt = (problem: string, details: Record<string, number> = {}): CorruptError =>
    new CorruptError(where, problem, { ...details, offset: at });
  const view = viewOf(bytes);
  const { magic, length } = { magic: superblockLayout.fields.magic.at, length: superblockMagic.length };
  if (compareBytes(bytes.subarray(magic, magic + length), superblockMagic) !== 0)
    throw corrupt('has no magic number');
  const type = superblockLayout.get(view, 0, 'csum_type');
  const checksum = checksumOf(type);
  if (checksum === undefined) throw new UnsupportedError(where, [`checksums of kind ${type}`]);
  if (!blockHolds(checksum, view)) throw corrupt('has a bad checksum');
  const raw = superblockLayout.decode(view);
  if (raw.bytenr !== at) throw corrupt('belongs to another place', { bytenr: raw.bytenr });
  checkFeatures(raw);
  const { sectorsize, nodesize, sys_chunk_array_size: arraySize } = raw;
  if (!isPowerOfTwo(sectorsize) || sectorsize < leastUnit || sectorsize > greatestUnit)
    throw corrupt('has an impossible sector size', { sectorsize });
  if (!isPowerOfTwo(nodesize) || nodesize < sectorsize || nodesize > greatestUnit)
    throw corrupt('has an impossible block size', { nodesize });
  for (const level of [raw.root_level, raw.chunk_root_level, raw.log_root_level])
    if (level >= mostLevels) throw corrupt('has a tree that is too deep', { level });
  for (const block of [raw.root, raw.chunk_root, raw.log_root])
    if (block % sectorsize !== 0) throw corrupt('has a tree at an odd place', { block });
  if (arraySize > raw.sys_chunk_array.length || arraySize === 0)
    throw corrupt('has an impossible list of chunks', { arraySize });
  if (raw.num_devices === 0) throw corrupt('has no devices');
  return {
    raw,
    checksum,
    sectorSize: sectorsize,
    nodeSize: nodesize,
    metadataUuid: (raw.incompat_flags_low & incompat.metadataUuid) !== 0 ? raw.metadata_uuid : raw.fsid,
    hasMixedGroups: (raw.incompat_flags_low & incompat.mixedGroups) !== 0,
    deviceId: raw.dev_item_devid,
  };
}

/** UnsupportedError with the names of the features that a reader would have to know. */
function checkFeatures({ incompat_flags_low: low, incompat_flags_high: high }: RawSuperblock): void {
  const unknown = (low & ~readableIncompat) >>> 0;
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++)
    if ((unknown >>> bit) & 1) names.push(incompatNames[bit] ?? `incompatible feature bit ${bit}`);
  for (let bit = 0; bit < 32; bit++)
    if ((high >>> bit) & 1) names.push(`incompatible feature bit ${bit + 32}`);
  if (names.length > 0) throw new UnsupportedError('btrfs filesystem', names, { elsewhere: 'appliance' });
}
