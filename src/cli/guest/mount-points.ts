/** What to mount where: `-m DEV[:MOUNTPOINT[:OPTIONS[:FSTYPE]]]`. */
import { subvolumePrefix } from '../../formats/index.js';
import { usageFailure } from '../command/failure.js';

export interface MountPoint {
  readonly mountable: string;
  /** Absolute. */
  readonly directory: string;
  /** Options of mount(8), joined by commas; empty for none. */
  readonly options: string;
  /** undefined: what is found there. */
  readonly type: string | undefined;
}

/** Reads the value of `-m`. The device may lack its `/dev/`; the colon of `btrfsvol:` separates nothing. */
export function readMountPoint(word: string): MountPoint {
  const prefix = word.startsWith(subvolumePrefix) ? subvolumePrefix : '';
  const [device = '', directory = '/', options = '', type, ...rest] = word.slice(prefix.length).split(':');
  const example = 'write -m /dev/sda2, -m /dev/sda1:/boot or -m /dev/sda2:/:noload:ext4';
  if (device === '') throw usageFailure(`-m ${word}: names no device`, example);
  if (rest.length > 0) throw usageFailure(`-m ${word}: has too many parts`, example);
  if (directory !== '' && !directory.startsWith('/'))
    throw usageFailure(`-m ${word}: the mount point must begin with a slash`, example);
  return {
    mountable: prefix + (device.startsWith('/') ? device : `/dev/${device}`),
    directory: directory === '' ? '/' : directory,
    options,
    type: type === '' ? undefined : type,
  };
}
