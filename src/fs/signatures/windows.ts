/**
 * Recognises filesystems of Windows and OS/2: NTFS (the layout in the documentation of Linux's ntfs drivers), exFAT
 * (Microsoft's "exFAT file system specification"), ReFS. Little-endian.
 */
import { isPowerOfTwo } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import { ascii, type Found, label, label16, signature, viewMaybe } from './signature.js';

const volumeRecord = 3;
const attributeVolumeName = 0x60;
const attributeEnd = 0xffffffff;

const maxClusterSize = 2 * 1024 * 1024;

/** A power of two of sectors or clusters; larger ones, and sizes in bytes, are stored as a negative logarithm. */
function countOf(value: number, greatest: number): number | undefined {
  return value <= greatest && isPowerOfTwo(value) ? value : undefined;
}

function clusterSizeOf(boot: DataView): number | undefined {
  const sectorSize = boot.getUint16(11, true);
  const told = boot.getUint8(13);
  if (sectorSize < 256 || sectorSize > 4096) return undefined;
  const sectors = countOf(told, 128) ?? (told >= 240 && told <= 249 ? 2 ** (256 - told) : undefined);
  return sectors === undefined || sectors * sectorSize > maxClusterSize ? undefined : sectors * sectorSize;
}

function recordSizeOf(boot: DataView, clusterSize: number): number | undefined {
  const told = boot.getUint8(64);
  if (told >= 0xe1 && told <= 0xf7) return 2 ** (256 - told);
  const clusters = countOf(told, 64);
  return clusters && clusters * clusterSize;
}

/** Records are as large as a cluster, or 1 KiB: records larger than this do not occur and are not read. */
const maxRecordSize = 2 ** 20;

function probeNtfs(disk: Disk): Found | undefined {
  const boot = viewMaybe(disk, 0, 512);
  if (boot === undefined || ascii(boot, 3, 8) !== 'NTFS    ') return undefined;
  const clusterSize = clusterSizeOf(boot);
  const recordSize = clusterSize && recordSizeOf(boot, clusterSize);
  if (clusterSize === undefined || recordSize === undefined || recordSize > maxRecordSize) return undefined;
  // FAT's fields must be zero.
  const isZero = (at: number) => boot.getUint16(at, true) === 0;
  if (![14, 17, 19, 22, 32, 34].every(isZero) || boot.getUint8(16) !== 0) return undefined;
  const sectorSize = boot.getUint16(11, true);
  const clusters = boot.getBigUint64(40, true) / BigInt(clusterSize / sectorSize);
  const table = boot.getBigUint64(48, true);
  if (table > clusters || boot.getBigUint64(56, true) > clusters) return undefined;
  const start = table * BigInt(clusterSize);
  if (start > BigInt(disk.size)) return undefined;
  const first = viewMaybe(disk, Number(start), recordSize);
  const record = viewMaybe(disk, Number(start) + volumeRecord * recordSize, recordSize);
  if (first === undefined || ascii(first, 0, 4) !== 'FILE') return undefined;
  if (record === undefined || ascii(record, 0, 4) !== 'FILE') return undefined;
  const serial = boot.getBigUint64(72, true);
  return {
    label: volumeName(record),
    uuid: serial === 0n ? '' : serial.toString(16).toUpperCase().padStart(16, '0'),
    facts: { BLOCK_SIZE: String(sectorSize) },
  };
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

/** Entries of the root directory that are searched for the label. */
const maxLabelEntries = 10_000;
const entryLabel = 0x83;

/** `9C23-8877`; empty for zero. */
function serialUuid(serial: number): string {
  if (serial === 0) return '';
  const digits = serial.toString(16).toUpperCase().padStart(8, '0');
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

function probeExfat(disk: Disk): Found | undefined {
  const boot = viewMaybe(disk, 0, 512);
  if (boot === undefined || ascii(boot, 3, 8) !== 'EXFAT   ') return undefined;
  const sectorLog = boot.getUint8(108);
  const clusterLog = sectorLog + boot.getUint8(109);
  if (clusterLog > 31) return undefined;
  const serial = boot.getUint32(100, true);
  return {
    label: exfatLabel(disk, boot, 2 ** sectorLog, 2 ** clusterLog),
    uuid: serialUuid(serial),
    facts: {
      VERSION: `${boot.getUint8(105)}.${boot.getUint8(104)}`,
      BLOCK_SIZE: String(2 ** sectorLog),
    },
  };
}

function exfatLabel(disk: Disk, boot: DataView, sectorSize: number, clusterSize: number): string {
  const tableOffset = boot.getUint32(80, true) * sectorSize;
  const heapOffset = boot.getUint32(88, true) * sectorSize;
  const clusters = boot.getUint32(92, true);
  let cluster = boot.getUint32(96, true);
  let left = maxLabelEntries;
  while (cluster >= 2 && cluster < clusters + 2) {
    const offset = heapOffset + (cluster - 2) * clusterSize;
    for (let at = 0; at < clusterSize; at += 32) {
      const entry = left-- > 0 ? viewMaybe(disk, offset + at, 32) : undefined;
      if (entry === undefined || entry.getUint8(0) === 0) return '';
      if (entry.getUint8(0) === entryLabel) return label16(entry, 2, Math.min(11, entry.getUint8(1)), true);
    }
    const next = viewMaybe(disk, tableOffset + cluster * 4, 4);
    if (next === undefined) return '';
    cluster = next.getUint32(0, true);
  }
  return '';
}

function probeRefs(disk: Disk): Found | undefined {
  const boot = viewMaybe(disk, 0, 512);
  return boot !== undefined && ascii(boot, 0, 8) === '\0\0\0ReFS\0' ? {} : undefined;
}

/** HPFS, OS/2's. Its boot sector has label and serial number if it is one of HPFS's. */
function probeHpfs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0x2000, 0x208);
  if (view === undefined || view.getUint32(0) !== 0x49e895f9 || view.getUint32(0x200) !== 0x491891f9)
    return undefined;
  const boot = viewMaybe(disk, 0, 512);
  const isNamed =
    boot?.getUint16(510) === 0x55aa && ascii(boot, 54, 4) === 'HPFS' && boot.getUint8(38) === 0x28;
  return {
    ...(isNamed && { label: label(boot, 43, 11), uuid: serialUuid(boot.getUint32(39, true)) }),
    facts: { VERSION: String(view.getUint8(8)), BLOCK_SIZE: '512' },
  };
}

export const windows = [
  signature('hpfs', probeHpfs),
  signature('ntfs', probeNtfs),
  signature('ReFS', probeRefs, { beyondLinux: true }),
  signature('exfat', probeExfat),
];
