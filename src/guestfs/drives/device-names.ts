/**
 * Names of block devices, as text: `/dev/sda` is the first drive, `/dev/sdz` the 26th, `/dev/sdaa` the 27th. Other
 * drivers' names for the same disk (`/dev/hda`, `/dev/vda`, …) mean the same.
 */
import { driveLetters } from '../../base/index.js';

/** The drivers whose disks are named by letters: IDE, virtio, Xen, User Mode Linux. */
const foreignForm = /^\/dev\/(?:[hv]d|xvd|ubd)([a-z]+[0-9]*)$/;
const driveForm = /^\/dev\/sd([a-z]+)$/;
/** Three letters name 18,278 disks, far more than any handle has. */
const longestLetters = 3;

/** A disk's or partition's name under the one driver that the API speaks of; any other name as it is. */
export function canonicalDiskName(device: string): string {
  const [, letters] = foreignForm.exec(device) ?? [];
  return letters === undefined ? device : `/dev/sd${letters}`;
}

/** Whether a name may be a logical volume's in the device mapper's own notation. */
export function isMapperName(device: string): boolean {
  return device.startsWith('/dev/mapper/') || device.startsWith('/dev/dm-');
}

/** The name of the drive with this index, from 0. */
export function driveName(index: number): string {
  return `/dev/sd${driveLetters(index)}`;
}

/** The index of a drive by its name, from 0; undefined for what is no whole drive's name. */
export function driveIndex(device: string): number | undefined {
  const [, letters] = driveForm.exec(canonicalDiskName(device)) ?? [];
  if (letters === undefined || letters.length > longestLetters) return undefined;
  let count = 0;
  for (const letter of letters) count = count * 26 + letter.charCodeAt(0) - 96;
  return count - 1;
}
