/**
 * The boot sector of a volume, validated: the places of the tables, the root directory and the clusters.
 *
 * This accepts what Linux accepts (fs/fat of the kernel), which differs from the specification: the type is FAT32 if
 * and only if the 16-bit table size is zero; the cluster count separates FAT12 and FAT16; the count is cut to what
 * the table can describe; the `55 AA` at the end, the media byte in the table and the backup boot sector are ignored.
 */
import { CorruptError, isPowerOfTwo } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { firstCluster } from '../cluster-chain.js';
import {
  bootSector,
  entrySize,
  extended16,
  extended32,
  fsInfo,
  fsInfoLeadSignature,
  fsInfoStructureSignature,
  maxClusters12,
  maxClusters16,
  maxClusters32,
  notMirrored,
  stateDirty,
} from './layout.js';

/** A validated volume. Offsets and sizes are in bytes. */
export interface FatVolume {
  readonly bits: 12 | 16 | 32;
  readonly sectorSize: number;
  readonly clusterSize: number;
  /** Where the first table starts. */
  readonly tableOffset: number;
  /** The size of one table. */
  readonly tableSize: number;
  readonly tableCount: number;
  /** Whether changes go to all tables. */
  readonly isMirrored: boolean;
  /** The fixed root directory of FAT12 and FAT16. */
  readonly rootOffset: number;
  readonly rootSize: number;
  /** The first cluster of FAT32's root directory; 0 otherwise. */
  readonly rootCluster: number;
  /** Where cluster 2 starts. */
  readonly dataOffset: number;
  /** How many clusters there are; they are numbered from 2. */
  readonly clusterCount: number;
  /** The volume was not cleanly unmounted. */
  readonly dirty: boolean;
  /** Where the byte with the state lies, the FSInfo sector, and the backup of the boot sector; 0 without one. */
  readonly stateOffset: number;
  readonly infoOffset: number;
  readonly backupOffset: number;
  /** FAT32's count of free clusters in the FSInfo sector; undefined without a valid one. */
  readonly freeHint: number | undefined;
}

/** Reads and validates a volume's boot sector. CorruptError says which field is at fault. */
export function readVolume(disk: Disk): FatVolume {
  if (disk.size < bootSector.size) {
    throw new CorruptError(bootSector.name, 'is cut short', { size: disk.size });
  }
  const sector = new Uint8Array(bootSector.size);
  disk.read(sector, 0);
  const boot = bootSector.decode(sector);
  const fail = (problem: string, details: Record<string, number>): never => {
    throw new CorruptError(bootSector.name, problem, details);
  };
  if (boot.rsvd_sec_cnt === 0) fail('has no reserved sectors', { rsvd_sec_cnt: 0 });
  if (boot.num_fats === 0) fail('has no tables', { num_fats: 0 });
  if (boot.media < 0xf8 && boot.media !== 0xf0) fail('has an unknown media byte', { media: boot.media });
  const sectorSize = boot.byts_per_sec;
  if (!isPowerOfTwo(sectorSize) || sectorSize < 512 || sectorSize > 4096) {
    fail('has a bad sector size', { byts_per_sec: sectorSize });
  }
  if (!isPowerOfTwo(boot.sec_per_clus)) fail('has a bad cluster size', { sec_per_clus: boot.sec_per_clus });

  const tail32 = extended32.decode(sector);
  const isFat32 = boot.fat_sz16 === 0 && tail32.fat_sz32 !== 0;
  const tableSectors = isFat32 ? tail32.fat_sz32 : boot.fat_sz16;
  if (tableSectors === 0) fail('has tables of no size', { fat_sz16: 0, fat_sz32: 0 });
  if ((boot.root_ent_cnt * entrySize) % sectorSize !== 0) {
    fail('has a root directory of broken sectors', { root_ent_cnt: boot.root_ent_cnt });
  }
  const rootStart = boot.rsvd_sec_cnt + boot.num_fats * tableSectors;
  const dataStart = rootStart + (boot.root_ent_cnt * entrySize) / sectorSize;
  const totalSectors = boot.tot_sec16 === 0 ? boot.tot_sec32 : boot.tot_sec16;
  if (totalSectors < dataStart) {
    fail('has no room for data', { sectors: totalSectors, firstDataSector: dataStart });
  }
  const clusters = Math.floor((totalSectors - dataStart) / boot.sec_per_clus);
  const bits = isFat32 ? 32 : clusters > maxClusters12 ? 16 : 12;
  const described = Math.floor((tableSectors * sectorSize * 8) / bits) - firstCluster;
  const clusterCount = Math.min(clusters, described);
  const limit = bits === 32 ? maxClusters32 : bits === 16 ? maxClusters16 : maxClusters12;
  if (clusterCount > limit) fail('has too many clusters', { clusters: clusterCount, limit });

  const state = isFat32 ? tail32.reserved1 : extended16.decode(sector).reserved1;
  return {
    bits,
    sectorSize,
    clusterSize: sectorSize * boot.sec_per_clus,
    tableOffset: boot.rsvd_sec_cnt * sectorSize,
    tableSize: tableSectors * sectorSize,
    tableCount: boot.num_fats,
    isMirrored: !isFat32 || (tail32.ext_flags & notMirrored) === 0,
    stateOffset: (isFat32 ? extended32 : extended16).fields.reserved1.at,
    infoOffset: isFat32 ? (tail32.fs_info || 1) * sectorSize : 0,
    backupOffset: isFat32 ? tail32.bk_boot_sec * sectorSize : 0,
    rootOffset: rootStart * sectorSize,
    rootSize: isFat32 ? 0 : boot.root_ent_cnt * entrySize,
    rootCluster: isFat32 ? tail32.root_clus : 0,
    dataOffset: dataStart * sectorSize,
    clusterCount,
    dirty: (state & stateDirty) !== 0,
    freeHint: isFat32 ? readFreeHint(disk, (tail32.fs_info || 1) * sectorSize, clusterCount) : undefined,
  };
}

/** The free clusters in the FSInfo sector at `offset`; undefined if its signatures or its count are wrong. */
function readFreeHint(disk: Disk, offset: number, clusterCount: number): number | undefined {
  if (offset + fsInfo.size > disk.size) {
    throw new CorruptError(fsInfo.name, 'lies outside the disk', { offset, size: disk.size });
  }
  const sector = new Uint8Array(fsInfo.size);
  disk.read(sector, offset);
  const info = fsInfo.decode(sector);
  const signed = info.lead_sig === fsInfoLeadSignature && info.struc_sig === fsInfoStructureSignature;
  return signed && info.free_count <= clusterCount ? info.free_count : undefined;
}
