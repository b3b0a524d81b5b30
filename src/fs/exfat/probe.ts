/** Whether a disk holds exFAT, its label and its serial number: the rules of blkid (util-linux 2.38). */
import { readMaybe, trimBlanks, viewOf } from '../../base/index.js';
import type { Disk, Probed } from '../../disk/index.js';
import { firstCluster } from '../cluster-chain.js';
import {
  bootSector,
  entrySize,
  entryTypes,
  fatEntry,
  fileSystemName,
  volumeLabel,
  volumeLabelAt,
  volumeLabelUnits,
} from './layout.js';

/** blkid looks at so many entries of the root for a label. */
const mostLabelEntries = 10_000;
/** Of sectors and clusters, as a power of two. */
const mostShift = 31;

/** Never throws on any bytes. */
export function probe(disk: Disk): Probed | undefined {
  const raw = readMaybe(disk, 0, bootSector.size);
  if (raw === undefined) return undefined;
  const view = viewOf(raw);
  const get = (field: 'BytesPerSectorShift' | 'SectorsPerClusterShift' | 'VolumeSerialNumber'): number =>
    bootSector.get(view, 0, field);
  if (bootSector.get(view, 0, 'FileSystemName') !== fileSystemName) return undefined;
  const sectorShift = get('BytesPerSectorShift');
  if (sectorShift + get('SectorsPerClusterShift') > mostShift) return undefined;
  const major = bootSector.get(view, 0, 'FileSystemRevisionMajor');
  const minor = bootSector.get(view, 0, 'FileSystemRevisionMinor');
  return {
    type: 'exfat',
    label: findLabel(disk, view),
    uuid: serialText(get('VolumeSerialNumber')),
    facts: { VERSION: `${major}.${minor}`, BLOCK_SIZE: String(2 ** sectorShift), USAGE: 'filesystem' },
  };
}

/** `9C23-8877`; empty for zero. */
function serialText(serial: number): string {
  if (serial === 0) return '';
  const digits = serial.toString(16).toUpperCase().padStart(8, '0');
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

/** The label in the root directory; empty where there is none. */
function findLabel(disk: Disk, boot: DataView): string {
  const sectorSize = 2 ** bootSector.get(boot, 0, 'BytesPerSectorShift');
  const clusterSize = sectorSize * 2 ** bootSector.get(boot, 0, 'SectorsPerClusterShift');
  const tableOffset = bootSector.get(boot, 0, 'FatOffset') * sectorSize;
  const heapOffset = bootSector.get(boot, 0, 'ClusterHeapOffset') * sectorSize;
  const end = bootSector.get(boot, 0, 'ClusterCount') + firstCluster;
  let cluster = bootSector.get(boot, 0, 'FirstClusterOfRootDirectory');
  let left = mostLabelEntries;
  while (cluster >= firstCluster && cluster < end) {
    const offset = heapOffset + (cluster - firstCluster) * clusterSize;
    for (let at = 0; at < clusterSize; at += entrySize) {
      const entry = left-- > 0 ? readMaybe(disk, offset + at, entrySize) : undefined;
      if (entry === undefined || entry[0] === entryTypes.endOfDirectory) return '';
      if (entry[0] === entryTypes.volumeLabel) return labelText(viewOf(entry));
    }
    const next = readMaybe(disk, tableOffset + cluster * fatEntry.size, fatEntry.size);
    if (next === undefined) return '';
    cluster = fatEntry.decode(next).next;
  }
  return '';
}

function labelText(entry: DataView): string {
  const count = Math.min(volumeLabelUnits, volumeLabel.get(entry, 0, 'CharacterCount'));
  let label = '';
  for (let i = 0; i < count; i++) {
    const unit = entry.getUint16(volumeLabelAt + i * 2, true);
    if (unit === 0) break;
    label += String.fromCharCode(unit);
  }
  return trimBlanks(label.replace(/[\ud800-\udfff]/gu, '\ufffd'));
}
