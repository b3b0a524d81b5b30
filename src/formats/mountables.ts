/** Mountables, the argument of `mount`: a device name, or a btrfs subvolume as `btrfsvol:/dev/sda2/home`. */
import { GuestfsError } from '../base/index.js';

/** In front of the device and of the subvolume's path. */
export const subvolumePrefix = 'btrfsvol:';

export const isSubvolume = (mountable: string): boolean => mountable.startsWith(subvolumePrefix);

/** The error for a mountable without a subvolume. */
export function noSubvolume(mountable: string): GuestfsError {
  return new GuestfsError('EINVAL', `${mountable}: not a subvolume of a btrfs filesystem`);
}
