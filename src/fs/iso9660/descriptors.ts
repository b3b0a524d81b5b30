/**
 * The volume descriptors: ECMA-119, 8; Joliet, "Supplementary Volume Descriptor". As in Linux, the first primary
 * descriptor counts, and the last Joliet one. Enhanced descriptors (ISO 9660:1999) describe the same files as the
 * primary one, so they are not read.
 */
import { CorruptError, type Decoded, decodeLatin1, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import {
  descriptorEnd,
  descriptorPrimary,
  descriptorSupplementary,
  directoryRecord,
  firstDescriptorSector,
  sectorSize,
  volumeDescriptor,
} from './layout.js';

export type VolumeDescriptor = Decoded<typeof volumeDescriptor.fields>;

/** Sectors that are searched; Linux stops there too. */
const maxDescriptors = 84;

const standardId = 'CD001';
const highSierraId = 'CDROM';

/** The descriptors in stored order. Only their type is decoded. */
interface FoundDescriptor {
  readonly type: number;
  readonly raw: Uint8Array;
}

/** Whether the first descriptor sector of a session is High Sierra's, ISO 9660's draft of 1986. */
export function isHighSierra(disk: Disk, sessionSector = 0): boolean {
  const raw = readSector(disk, sessionSector + firstDescriptorSector);
  return raw !== undefined && decodeLatin1(raw.subarray(9, 14)) === highSierraId;
}

function readSector(disk: Disk, sector: number): Uint8Array | undefined {
  if ((sector + 1) * sectorSize > disk.size) return undefined;
  const raw = new Uint8Array(sectorSize);
  disk.read(raw, sector * sectorSize);
  return raw;
}

/**
 * The descriptors up to the terminator, in at most `limit` sectors. A sector without the standard's signature is
 * skipped.
 */
export function* findDescriptors(disk: Disk, limit = maxDescriptors): Generator<FoundDescriptor> {
  for (let i = 0; i < limit; i++) {
    const raw = readSector(disk, firstDescriptorSector + i);
    if (raw === undefined) return;
    if (decodeLatin1(raw.subarray(1, 6)) !== standardId) continue;
    const type = raw[0] ?? descriptorEnd;
    if (type === descriptorEnd) return;
    yield { type, raw };
  }
}

/** The Joliet level of a supplementary descriptor: 1 to 3; 0 for another character set. */
export function jolietLevel(descriptor: VolumeDescriptor): 0 | 1 | 2 | 3 {
  const [first, second, third] = descriptor.escape_sequences;
  if (first !== 0x25 || second !== 0x2f) return 0;
  return third === 0x40 ? 1 : third === 0x43 ? 2 : third === 0x45 ? 3 : 0;
}

/** A volume: the sizes in its primary descriptor, and the roots of its trees. */
export interface IsoVolume {
  readonly blockSize: number;
  readonly blockCount: number;
  /** The block of the root directory in the primary descriptor's tree. */
  readonly primaryRoot: number;
  /** The same for Joliet's tree, if there is one. */
  readonly jolietRoot: number | undefined;
}

/** The first block of the root directory. */
function rootBlock(descriptor: VolumeDescriptor): number {
  const record = directoryRecord.decode(descriptor.root_directory_record);
  return record.extent + record.ext_attr_length;
}

/** Reads and validates the volume descriptors. */
export function readVolume(disk: Disk): IsoVolume {
  let primary: VolumeDescriptor | undefined;
  let joliet: VolumeDescriptor | undefined;
  for (const { type, raw } of findDescriptors(disk)) {
    if (type === descriptorPrimary) primary ??= volumeDescriptor.decode(raw);
    else if (type === descriptorSupplementary) {
      const descriptor = volumeDescriptor.decode(raw);
      if (jolietLevel(descriptor) > 0) joliet = descriptor;
    }
  }
  if (primary === undefined) {
    if (isHighSierra(disk)) throw new UnsupportedError('ISO 9660 volume', ['High Sierra']);
    throw new CorruptError(volumeDescriptor.name, 'is missing: there is no primary one');
  }
  const blockSize = primary.logical_block_size;
  if (![512, 1024, 2048].includes(blockSize)) {
    throw new CorruptError(volumeDescriptor.name, 'has a bad block size', { logical_block_size: blockSize });
  }
  return {
    blockSize,
    blockCount: primary.volume_space_size,
    primaryRoot: rootBlock(primary),
    jolietRoot: joliet && rootBlock(joliet),
  };
}
