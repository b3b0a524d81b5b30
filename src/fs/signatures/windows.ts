/**
 * Filesystems of Windows that are known by sight: NTFS (the layout that Linux's ntfs drivers document), exFAT (Microsoft's
 * "exFAT file system specification"), ReFS. Little-endian.
 */
import type { Disk } from '../../disk/index.js';
import type { Probed } from '../driver.js';
import { ascii, found, label16, signature, viewMaybe } from './signature.js';

const volumeRecord = 3;
const attributeVolumeName = 0x60;
const attributeEnd = 0xffffffff;

/** A size that is a count when positive, and a power of two when negative. */
function signedSize(value: number, unit: number): number {
  return value < 0x80 ? value * unit : 2 ** (256 - value);
}

function probeNtfs(disk: Disk): Probed | undefined {
  const boot = viewMaybe(disk, 0, 512);
  if (boot === undefined || ascii(boot, 3, 8) !== 'NTFS    ') return undefined;
  const sectorSize = boot.getUint16(11, true);
  const perCluster = boot.getUint8(13);
  if (sectorSize < 256 || sectorSize > 4096 || (sectorSize & (sectorSize - 1)) !== 0) return undefined;
  const clusterSize = perCluster <= 128 ? perCluster * sectorSize : 2 ** (256 - perCluster) * sectorSize;
  // FAT's fields must be zero.
  if (boot.getUint16(14, true) !== 0 || boot.getUint8(16) !== 0 || boot.getUint16(22, true) !== 0)
    return undefined;
  const recordSize = signedSize(boot.getUint8(64), clusterSize);
  if (clusterSize === 0 || recordSize < 256 || recordSize > 65536) return undefined;
  const table = boot.getBigUint64(48, true) * BigInt(clusterSize);
  if (table + BigInt((volumeRecord + 1) * recordSize) > BigInt(disk.size)) return undefined;
  const record = viewMaybe(disk, Number(table) + volumeRecord * recordSize, recordSize);
  if (record === undefined || ascii(record, 0, 4) !== 'FILE') return undefined;
  return found('ntfs', {
    label: volumeName(record),
    uuid: boot.getBigUint64(72, true).toString(16).toUpperCase().padStart(16, '0'),
    facts: { BLOCK_SIZE: String(sectorSize) },
  });
}

/** The $VOLUME_NAME attribute of a file record: resident, UTF-16. */
function volumeName(record: DataView): string {
  const used = Math.min(record.getUint32(24, true), record.byteLength);
  for (let at = record.getUint16(20, true); at + 24 <= used; ) {
    const type = record.getUint32(at, true);
    const length = record.getUint32(at + 4, true);
    if (type === attributeEnd || length < 24) break;
    if (type === attributeVolumeName) {
      const size = record.getUint32(at + 16, true);
      const start = at + record.getUint16(at + 20, true);
      return start + size <= used ? label16(record, start, Math.floor(size / 2), true) : '';
    }
    at += length;
  }
  return '';
}

/** Clusters of the root directory that are searched for the label. */
const maxLabelClusters = 128;
const entryLabel = 0x83;

function probeExfat(disk: Disk): Probed | undefined {
  const boot = viewMaybe(disk, 0, 512);
  if (boot === undefined || ascii(boot, 3, 8) !== 'EXFAT   ') return undefined;
  const sectorLog = boot.getUint8(108);
  const clusterLog = sectorLog + boot.getUint8(109);
  if (sectorLog < 9 || sectorLog > 12 || clusterLog > 25) return undefined;
  const serial = boot.getUint32(100, true).toString(16).toUpperCase().padStart(8, '0');
  return found('exfat', {
    label: exfatLabel(disk, boot, 2 ** sectorLog, 2 ** clusterLog),
    uuid: `${serial.slice(0, 4)}-${serial.slice(4)}`,
    facts: {
      VERSION: `${boot.getUint8(105)}.${boot.getUint8(104)}`,
      BLOCK_SIZE: String(2 ** sectorLog),
    },
  });
}

function exfatLabel(disk: Disk, boot: DataView, sectorSize: number, clusterSize: number): string {
  const tableOffset = boot.getUint32(80, true) * sectorSize;
  const heapOffset = boot.getUint32(88, true) * sectorSize;
  const clusters = boot.getUint32(92, true);
  let cluster = boot.getUint32(96, true);
  for (let i = 0; i < maxLabelClusters && cluster >= 2 && cluster < clusters + 2; i++) {
    const offset = heapOffset + (cluster - 2) * clusterSize;
    for (let at = 0; at < clusterSize; at += 32) {
      const entry = viewMaybe(disk, offset + at, 32);
      if (entry === undefined || entry.getUint8(0) === 0) return '';
      if (entry.getUint8(0) === entryLabel) return label16(entry, 2, Math.min(11, entry.getUint8(1)), true);
    }
    const next = viewMaybe(disk, tableOffset + cluster * 4, 4);
    if (next === undefined) return '';
    cluster = next.getUint32(0, true);
  }
  return '';
}

function probeRefs(disk: Disk): Probed | undefined {
  const boot = viewMaybe(disk, 0, 512);
  return boot !== undefined && ascii(boot, 0, 8) === '\0\0\0ReFS\0' ? found('ReFS') : undefined;
}

export const windows = [
  signature('ntfs', probeNtfs),
  signature('ReFS', probeRefs),
  signature('exfat', probeExfat),
];
