/** Every kind of thing that may be on a device: the rooms' lists, in one order. */
import type { Elsewhere } from '../../base/index.js';
import { containers, type FileSystemDriver, fileSystems } from '../../fs/index.js';
import { type LockedKind, type MemberKind, volumeSystems } from '../../volume/index.js';

/** One kind, by its `role`. */
export type LayerKind = MemberKind | LockedKind | FileSystemDriver;

/**
 * The order of the search, which is libblkid's: a disk that is several things at once gets the name of the first.
 * Members of arrays come first, because their contents are visible through them. Kinds that are not named here come
 * last. For tests.
 */
export const order: readonly string[] = `
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

function place({ name }: LayerKind): number {
  const index = order.indexOf(name);
  return index < 0 ? order.length : index;
}

export const kinds: readonly LayerKind[] = [...volumeSystems, ...containers, ...fileSystems].sort(
  (one, other) => place(one) - place(other),
);

/** Whether this package can open the kind: its volumes, its one disk, its files. */
export function canBeRead(kind: LayerKind): boolean {
  switch (kind.role) {
    case 'member':
      return kind.assemble !== undefined;
    case 'locked':
      return kind.unlock !== undefined;
    case 'filesystem':
      return kind.open !== undefined;
  }
}

/** Who else may open a kind that this package only recognises. */
export function elsewhereFor({ beyondLinux }: LayerKind): Elsewhere {
  return beyondLinux === true ? 'nowhere' : 'appliance';
}
