/**
 * Device numbers as user programs see them, in one number (`st_rdev` and `st_dev`): linux/kdev_t.h, glibc's
 * `makedev`. SCSI disks have majors 8, 65-71 and 128-135, sixteen minors a disk
 * (Documentation/admin-guide/devices.txt).
 */
import { lettersToIndex } from './device-names.js';

/** Major and minor as one number, for what fits 32 bits. */
export function makeDeviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x100000;
}

/** The inverse of {@link makeDeviceNumber}, and for 64 bits as well. */
export function deviceNumbers(device: number): { readonly major: number; readonly minor: number } {
  const high = Math.floor(device / 2 ** 32);
  const low = device % 2 ** 32;
  return {
    major: ((low >>> 8) & 0xfff) + ((high & 0xfffff000) >>> 0),
    minor: (low & 0xff) + ((low >>> 12) & 0xfff00) + (high & 0xfff) * 2 ** 20,
  };
}

/**
 * `st_dev` of a filesystem on `/dev/sdXN`; undefined for other names, and for partitions whose numbers Linux assigns
 * dynamically.
 */
export function numberOfDevice(name: string): number | undefined {
  const parts = /^\/dev\/sd([a-z]{1,2})([0-9]{0,3})$/.exec(name);
  if (parts === null) return undefined;
  const index = lettersToIndex(parts[1] ?? 'a');
  const partition = Number(parts[2] ?? '');
  if (index >= 256 || partition >= 16) return undefined;
  const group = index >> 4;
  const major = group === 0 ? 8 : group < 8 ? 64 + group : 120 + group;
  return makeDeviceNumber(major, (index & 15) * 16 + partition);
}
