/**
 * Boot loaders: making a disk bootable.
 */
import { device, gives, optional, pathname, topic } from '../action.js';

export const boot = topic('Boot loaders', () => ({
  grub_install: {
    args: [pathname('root', 'directory for its files'), device('device', 'the disk to put it on')],
    result: gives.nothing,
    proc: 86,
    since: '1.0.17',
    group: 'grub',
    by: 'appliance',
    short: 'install GRUB 1',
    help: "Puts it on the disk `device`, with its files in `root`. GRUB 2, which nearly all systems use now, is installed by running the guest's own tools with `command`. If no drive is found, write `(hd0) /dev/sda` to the guest's `/boot/grub/device.map` first.",
  },
  extlinux: {
    args: [pathname('directory', 'directory for its files')],
    result: gives.nothing,
    proc: 400,
    since: '1.21.27',
    group: 'extlinux',
    by: 'appliance',
    short: 'install EXTLINUX',
    help: 'Puts it into `directory` of a mounted ext2, ext3, ext4 or btrfs filesystem. The partition must also be marked with `part_set_bootable`, and the disk needs a boot sector, written with `pwrite_device`. It reads `extlinux.conf` in that directory.',
  },
  syslinux: {
    args: [device('device', 'device with the FAT filesystem')],
    options: { directory: optional.string('directory for its files; the top by default') },
    result: gives.nothing,
    proc: 399,
    since: '1.21.27',
    group: 'syslinux',
    by: 'appliance',
    short: 'install SYSLINUX',
    help: 'Puts it on `device`, an unmounted FAT filesystem; `directory` is where its files go, the top by default. A partition must also be marked with `part_set_bootable`, and its disk needs a boot sector, written with `pwrite_device`. It reads `syslinux.cfg`.',
  },
}));
