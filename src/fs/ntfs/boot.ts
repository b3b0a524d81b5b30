/** The boot sector: the sizes of everything, and where the table of files begins. */
import { CorruptError, decodeLatin1, isPowerOfTwo, readMaybe } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import {
  bootSector,
  greatestClusterSize,
  greatestCount,
  greatestRecordSize,
  greatestSectorSize,
  leastSectorSize,
  logarithms,
  oemId,
} from './layout.js';

export interface Geometry {
  readonly sectorSize: number;
  readonly clusterSize: number;
  readonly clusterCount: number;
  /** Of a record of the table of files. */
  readonly recordSize: number;
  /** Where the table of files begins, in clusters. */
  readonly mftCluster: number;
  readonly serial: bigint;
}

const bootName = 'NTFS boot sector';

/** A count that is a power of two, in units; or the power itself, as a negative logarithm. 0 where it is neither. */
function sizeOf(told: number, kind: keyof typeof greatestCount, unit: number, power: number): number {
  if (told <= greatestCount[kind]) return isPowerOfTwo(told) ? told * unit : 0;
  const [least, most] = logarithms[kind];
  return told >= least && told <= most ? 2 ** (256 - told) * power : 0;
}

/** What the first sector tells, and what is wrong with it; undefined where it is none of NTFS. */
export function decodeBoot(
  sector: Uint8Array,
): { geometry: Geometry; problem: string | undefined } | undefined {
  const raw = bootSector.decode(sector);
  if (decodeLatin1(raw.oem_id) !== oemId) return undefined;
  const sectorSize = raw.bytes_per_sector;
  const clusterSize = sizeOf(raw.sectors_per_cluster, 'sectorsPerCluster', sectorSize, sectorSize);
  const recordSize = sizeOf(raw.clusters_per_mft_record, 'clustersPerRecord', clusterSize, 1);
  const clusters =
    clusterSize === 0 ? 0n : (raw.number_of_sectors * BigInt(sectorSize)) / BigInt(clusterSize);
  const geometry: Geometry = {
    sectorSize,
    clusterSize,
    clusterCount: Number(clusters),
    recordSize,
    mftCluster: Number(raw.mft_lcn),
    serial: raw.volume_serial_number,
  };
  const problem = (): string | undefined => {
    if (sectorSize < leastSectorSize || sectorSize > greatestSectorSize) return 'has a bad size of sectors';
    if (clusterSize === 0 || clusterSize > greatestClusterSize) return 'has a bad size of clusters';
    if (recordSize === 0 || recordSize > greatestRecordSize) return 'has a bad size of file records';
    const { reserved_sectors, fats, root_entries, sectors, sectors_per_fat, large_sectors } = raw;
    if (
      [reserved_sectors, fats, root_entries, sectors, sectors_per_fat, large_sectors].some(
        (field) => field !== 0,
      )
    )
      return 'has fields of FAT in it';
    if (raw.mft_lcn > clusters || raw.mftmirr_lcn > clusters)
      return 'places the table of files outside the filesystem';
    return Number.isSafeInteger(Number(clusters) * clusterSize) ? undefined : 'is larger than 2^53 bytes';
  };
  return { geometry, problem: problem() };
}

/** Records have the array of their fix-ups, and at least one attribute, in their first sector. */
const leastRecordSize = 512;

/** The sizes that a mount accepts. CorruptError otherwise. */
export function readGeometry(disk: Disk): Geometry {
  const sector = readMaybe(disk, 0, bootSector.size);
  const decoded = sector && decodeBoot(sector);
  if (decoded === undefined) throw new CorruptError(bootName, 'is not there', { size: disk.size });
  const { geometry, problem } = decoded;
  const { sectorSize, recordSize, clusterCount, clusterSize } = geometry;
  const mountProblem = (): string | undefined => {
    if (!isPowerOfTwo(sectorSize)) return 'has a bad size of sectors';
    if (recordSize < leastRecordSize) return 'has a bad size of file records';
    return clusterCount === 0 ? 'says that there are no clusters' : undefined;
  };
  const found = problem ?? mountProblem();
  if (found !== undefined) throw new CorruptError(bootName, found, { clusterSize, recordSize, clusterCount });
  return geometry;
}
