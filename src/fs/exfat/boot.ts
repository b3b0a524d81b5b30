/**
 * The boot region, validated by the rules of Linux (fs/exfat of the kernel). Where its checksum is wrong, the backup is
 * tried, which Linux leaves to the user.
 */
import { CorruptError, checksumHolds, viewOf } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { type ClusterGeometry, firstCluster } from '../cluster-chain.js';
import { isDamage } from '../driver.js';
import {
  bootRegionSectors,
  bootSector,
  bootSignature,
  fatEntry,
  fileSystemName,
  MediaFailure,
  mostClusterShift,
  rotateAndAdd,
  sectorShifts,
  uncheckedBootBytes,
  VolumeDirty,
} from './layout.js';

/** A validated volume. Offsets and sizes are in bytes. */
export interface ExfatVolume extends ClusterGeometry {
  readonly tableOffset: number;
  readonly rootCluster: number;
  readonly dirty: boolean;
  readonly failed: boolean;
}

const what = 'exFAT boot region';

/** Reads the main boot region, or the backup. `warn` hears which. */
export function readVolume(disk: Disk, warn: (message: string) => void): ExfatVolume {
  try {
    return readRegion(disk, 0);
  } catch (main) {
    if (!isDamage(main)) throw main;
    const backup = readBackup(disk);
    if (backup === undefined) throw main;
    warn(`exfat: ${main.message}: its backup is used`);
    return backup;
  }
}

/** The backup, whose place depends on the size of sectors, which only a boot region says. */
function readBackup(disk: Disk): ExfatVolume | undefined {
  for (let shift: number = sectorShifts.least; shift <= sectorShifts.most; shift++) {
    const at = bootRegionSectors * 2 ** shift;
    if (at + bootSector.size > disk.size) return undefined;
    const sector = new Uint8Array(bootSector.size);
    disk.read(sector, at);
    const { FileSystemName, BytesPerSectorShift } = bootSector.decode(sector);
    if (FileSystemName === fileSystemName && BytesPerSectorShift === shift) return readRegion(disk, at);
  }
  return undefined;
}

function readRegion(disk: Disk, start: number): ExfatVolume {
  const sector = new Uint8Array(bootSector.size);
  disk.read(sector, start);
  const boot = bootSector.decode(sector);
  const fail = (problem: string, details: Record<string, number> = {}): never => {
    throw new CorruptError(what, problem, details);
  };
  if (boot.BootSignature !== bootSignature || boot.FileSystemName !== fileSystemName) fail('is not there');
  if (boot.MustBeZero.some((byte) => byte !== 0)) fail('has the parameters of another filesystem');
  if (boot.NumberOfFats !== 1 && boot.NumberOfFats !== 2)
    fail('has an impossible number of tables', { tables: boot.NumberOfFats });
  const sectorShift = boot.BytesPerSectorShift;
  if (sectorShift < sectorShifts.least || sectorShift > sectorShifts.most)
    fail('has an impossible size of sectors', { sectorShift });
  const clusterShift = sectorShift + boot.SectorsPerClusterShift;
  if (clusterShift > mostClusterShift) fail('has an impossible size of clusters', { clusterShift });
  const sectorSize = 2 ** sectorShift;
  checkRegion(disk, start, sectorSize);

  const clusterSize = 2 ** clusterShift;
  const clusterCount = boot.ClusterCount;
  const tableSize = boot.FatLength * sectorSize;
  const tableOffset = boot.FatOffset * sectorSize;
  const dataOffset = boot.ClusterHeapOffset * sectorSize;
  if (tableSize < (clusterCount + firstCluster) * fatEntry.size)
    fail('has a table that is too short', { tableSize, clusterCount });
  if (dataOffset < tableOffset + tableSize * boot.NumberOfFats)
    fail('has clusters inside its tables', { dataOffset, tableOffset, tableSize });
  const volumeSize = boot.VolumeLength * sectorSize;
  if (dataOffset + clusterCount * clusterSize > volumeSize)
    fail('has more clusters than room', { clusterCount, volumeSize });
  return {
    clusterSize,
    clusterCount,
    dataOffset,
    tableOffset,
    rootCluster: boot.FirstClusterOfRootDirectory,
    dirty: (boot.VolumeFlags & VolumeDirty) !== 0,
    failed: (boot.VolumeFlags & MediaFailure) !== 0,
  };
}

/** The last sector of a region holds the checksum of the others, again and again. */
function checkRegion(disk: Disk, start: number, sectorSize: number): void {
  const checkedSize = (bootRegionSectors - 1) * sectorSize;
  const region = new Uint8Array(bootRegionSectors * sectorSize);
  disk.read(region, start);
  let sum = 0;
  for (let i = 0; i < checkedSize; i++)
    if (!uncheckedBootBytes.some((at) => at === i)) sum = rotateAndAdd(sum, region[i] as number); // safe: i < its length
  const stored = viewOf(region).getUint32(checkedSize, true);
  if (!checksumHolds(sum, stored)) throw new CorruptError(what, 'has a wrong checksum', { sum, stored });
}
