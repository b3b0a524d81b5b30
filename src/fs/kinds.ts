/** Every kind of thing that may be on a disk, each with what is known of it: see {@link FileSystemDriver}. */
import type { FileSystemDriver } from './driver.js';
import { ext } from './ext/index.js';
import { fat } from './fat/index.js';
import { iso9660 } from './iso9660/index.js';
import { signatures } from './signatures/index.js';
import { swap, swsuspend } from './swap/index.js';

/**
 * The order in which they are looked for, which is libblkid's: where a disk is several things at once, it has the name of
 * the first. Members of arrays come first, as what they hold shines through.
 */
const order = `
  linux_raid_member ddf_raid_member isw_raid_member lsi_mega_raid_member via_raid_member silicon_medley_raid_member
  nvidia_raid_member promise_fasttrack_raid_member hpt45x_raid_member hpt37x_raid_member adaptec_raid_member
  jmicron_raid_member bcache ceph_bluestore drbd drbdmanage_control_volume drbdproxy_datalog LVM2_member LVM1_member
  DM_snapshot_cow DM_verity_hash DM_integrity crypto_LUKS VMFS_volume_member ubi vdo stratis BitLocker
  fat swsuspend swap xfs xfs_external_log exfs ext reiserfs reiser4 jfs udf iso9660 zfs_member hfsplus hfs ufs hpfs sysv
  xenix ntfs ReFS cramfs romfs minix gfs gfs2 ocfs ocfs2 oracleasm vxfs squashfs squashfs3 nss btrfs ubifs bfs VMFS befs
  nilfs2 exfat f2fs mpool apfs zonefs erofs bcachefs
`
  .trim()
  .split(/\s+/);

const place = ({ name }: FileSystemDriver): number => order.indexOf(name);

export const fileSystems: readonly FileSystemDriver[] = [
  fat,
  swap,
  swsuspend,
  ext,
  iso9660,
  ...signatures,
].sort((one, other) => place(one) - place(other));
