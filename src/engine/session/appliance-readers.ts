/**
 * Those of the actions left to the appliance that change nothing on a disk: they need the appliance, and no drive that is open
 * for writing. What is in neither list of these two files the engine does itself, and it writes nothing.
 */
import type { ApplianceOnly } from './appliance-only.js';

export const applianceReaders: ReadonlySet<string> = new Set([
  // Inside the appliance. What a program does is its own affair: most are only asked something.
  'command',
  'command_lines',
  'command_out',
  'sh',
  'sh_lines',
  'sh_out',
  'utsname',
  'dmesg',
  'modprobe',
  'debug_upload',
  'internal_exit',
  // Partitions
  'sfdisk_l',
  'sfdisk_kernel_geometry',
  'sfdisk_disk_geometry',
  // Mounting: what is mounted is no disk
  'mount_9p',
  // Files, and what goes out
  'zfile',
  'txz_out',
  'rsync_out',
  // LUKS: opening makes a device in the appliance
  'cryptsetup_open',
  'cryptsetup_close',
  'luks_open',
  'luks_open_ro',
  'luks_close',
  'clevis_luks_unlock',
  // Software RAID, and Windows dynamic disks, whose volumes are devices in the appliance too
  'md_detail',
  'md_stat',
  'md_stop',
  'ldmtool_create_all',
  'ldmtool_remove_all',
  'ldmtool_scan',
  'ldmtool_scan_devices',
  'ldmtool_diskgroup_name',
  'ldmtool_diskgroup_volumes',
  'ldmtool_diskgroup_disks',
  'ldmtool_volume_type',
  'ldmtool_volume_hint',
  'ldmtool_volume_partitions',
  // btrfs
  'btrfs_balance_status',
  'btrfs_filesystem_show',
  'btrfs_qgroup_show',
  'btrfs_scrub_status',
  'btrfs_subvolume_get_default',
  'btrfs_subvolume_list',
  'btrfs_subvolume_show',
  // XFS
  'xfs_info2',
  'xfs_info',
  // NTFS
  'ntfs_3g_probe',
  'ntfsclone_out',
  'ntfscat_i',
  // Windows registry: until hivex_commit all is in memory
  'hivex_open',
  'hivex_close',
  'hivex_root',
  'hivex_node_name',
  'hivex_node_parent',
  'hivex_node_children',
  'hivex_node_get_child',
  'hivex_node_values',
  'hivex_node_get_value',
  'hivex_value_key',
  'hivex_value_type',
  'hivex_value_string',
  'hivex_value_value',
  'hivex_value_utf8',
  // Configuration files: until aug_save all is in memory
  'aug_init',
  'aug_close',
  'aug_load',
  'aug_get',
  'aug_match',
  'aug_ls',
  'aug_label',
  'aug_defvar',
  'aug_defnode',
  'aug_transform',
  // Journal
  'journal_open',
  'journal_close',
  'journal_next',
  'journal_skip',
  'journal_get',
  'journal_get_realtime_usec',
  'journal_get_data_threshold',
  'journal_set_data_threshold',
  // Watching files
  'inotify_init',
  'inotify_close',
  'inotify_add_watch',
  'inotify_rm_watch',
  'inotify_read',
  'inotify_files',
  // SELinux: the context of the appliance's own process
  'setcon',
  // Forensics
  'yara_load',
  'yara_scan',
  'yara_destroy',
] satisfies ApplianceOnly[]);
