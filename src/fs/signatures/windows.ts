/**
 * Recognises filesystems of Windows and OS/2: exFAT (Microsoft's "exFAT file system specification"), ReFS, HPFS.
 * Little-endian.
 */
import type { Disk } from '../../disk/index.js';
import { ascii, type Found, label, label16, signature, viewMaybe } from './signature.js';

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
  signature('ReFS', probeRefs, { beyondLinux: true }),
  signature('exfat', probeExfat),
];
