/**
 * Recognises formats of flash memory and zoned disks: UBI and UBIFS (the kernel's ubi-media.h and ubifs-media.h),
 * zonefs.
 */
import type { Disk } from '../../disk/index.js';
import { ascii, container, type Found, label, signature, uuid, viewMaybe } from './signature.js';

/** The header of an erase block; big-endian. */
function probeUbi(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 64);
  if (view === undefined || ascii(view, 0, 4) !== 'UBI#') return undefined;
  const image = view.getUint32(24);
  return { uuid: image === 0 ? '' : String(image), facts: { VERSION: String(view.getUint8(4)) } };
}

/** The superblock's node; the version for writing, then the version for reading. */
function probeUbifs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 4096);
  if (view === undefined || view.getUint32(0, true) !== 0x06101831) return undefined;
  return {
    uuid: uuid(view, 108),
    facts: { VERSION: `w${view.getInt32(80, true)}r${view.getInt32(124, true)}` },
  };
}

function probeZonefs(disk: Disk): Found | undefined {
  const view = viewMaybe(disk, 0, 76);
  if (view === undefined || ascii(view, 0, 4) !== 'SFOZ') return undefined;
  return { label: label(view, 8, 32), uuid: uuid(view, 40), facts: { BLOCK_SIZE: '4096' } };
}

export const ubi = container('ubi', probeUbi, { usage: 'raid', beyondLinux: true });

/** Linux mounts them on raw flash and on zoned disks, which no image is. */
export const flash = [
  signature('ubifs', probeUbifs, { beyondLinux: true }),
  signature('zonefs', probeZonefs, { beyondLinux: true }),
];
