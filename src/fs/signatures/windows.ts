/**
 * Recognises filesystems of Windows and OS/2: ReFS, HPFS. Little-endian.
 */
import type { Disk } from '../../disk/index.js';
import { ascii, type Found, label, signature, viewMaybe } from './signature.js';

/** `9C23-8877`; empty for zero. */
function serialUuid(serial: number): string {
  if (serial === 0) return '';
  const digits = serial.toString(16).toUpperCase().padStart(8, '0');
  return `${digits.slice(0, 4)}-${digits.slice(4)}`;
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

export const windows = [signature('hpfs', probeHpfs), signature('ReFS', probeRefs, { beyondLinux: true })];
