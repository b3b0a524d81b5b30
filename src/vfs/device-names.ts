/**
 * Block device names: the letters of whole drives, partitions, LVM's two forms, and Linux's device numbers for them
 * (Documentation/admin-guide/devices.txt: SCSI disks have majors 8, 65-71 and 128-135, sixteen minors a disk).
 */

import { driveLetters } from '../base/index.js';

/** `/dev/sda` for 0, `/dev/sdaa` for 26. */
export function deviceName(index: number): string {
  return `/dev/sd${driveLetters(index)}`;
}

/** The index of a whole drive's name; undefined for any other name. The inverse of {@link deviceName}. */
export function deviceIndex(name: string): number | undefined {
  const letters = /^\/dev\/sd([a-z]{1,4})$/.exec(name)?.[1];
  return letters === undefined ? undefined : lettersToIndex(letters);
}

/** The index that drive letters stand for: `a` is 0, `aa` is 26. */
export function lettersToIndex(letters: string): number {
  let index = 0;
  for (const letter of letters) index = index * 26 + (letter.charCodeAt(0) - 0x60);
  return index - 1;
}

/** `/dev/sda` and 5 to `/dev/sda5`. A drive whose name ends in a digit takes a `p` between. */
export function partitionName(drive: string, number: number): string {
  return /[0-9]$/.test(drive) ? `${drive}p${number}` : `${drive}${number}`;
}

/** `/dev/mapper/VG-LV`: device-mapper doubles the hyphens inside each name. */
export function mapperName(group: string, volume: string): string {
  return `/dev/mapper/${group.replaceAll('-', '--')}-${volume.replaceAll('-', '--')}`;
}

/** A `/dev/mapper/` name as `/dev/VG/LV`; undefined where it has not the form of one. */
export function volumeName(mapper: string): string | undefined {
  const prefix = '/dev/mapper/';
  if (!mapper.startsWith(prefix)) return undefined;
  const parts = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(mapper.slice(prefix.length));
  const [, group, volume] = parts ?? [];
  if (group === undefined || volume === undefined) return undefined;
  return `/dev/${group.replaceAll('--', '-')}/${volume.replaceAll('--', '-')}`;
}

/** Major and minor as one number, in the encoding of glibc's `makedev` for what fits 32 bits. */
export function makeDeviceNumber(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x100000;
}

/** `st_dev` of a filesystem on `/dev/sdXN`; undefined for other names, and for partitions that Linux numbers as it pleases. */
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

/**
 * The name that the API prefers for an irregular one, whether or not there is such a device: `/dev/vda1`, `/dev/hda1`
 * and `/dev/xvda1` are `/dev/sda1`. Any name of at most two letters and a `d` counts, but not `/dev/md…`.
 */
export function regularName(name: string): string {
  return name.replace(/^\/dev\/(?!m)([^d/]{1,2})d([^/]*)$/, '/dev/sd$2');
}

/** The name under which Linux would have a disk that a guest knows by another driver: `/dev/vda1` is `/dev/sda1`. */
export function regularDriveName(name: string): string {
  return /^\/dev\/(?:h|v|xv)d[a-z]+[0-9]*$/.test(name) ? regularName(name) : name;
}

/** A path under `/dev` without doubled slashes, `.` and `..`; one that leads out of `/dev` comes back as it is. */
export function tidyDevicePath(name: string): string {
  if (!/\/(?:\/|\.\.?(?:\/|$))/.test(name)) return name;
  const components: string[] = [];
  for (const component of name.split('/')) {
    if (component === '..') components.pop();
    else if (component !== '' && component !== '.') components.push(component);
  }
  return components[0] === 'dev' ? `/${components.join('/')}` : name;
}
