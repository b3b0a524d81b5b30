/** The names of all actions, by topic: whole tables take milliseconds. Written by `npm run action-names`. */
export const namesByTopic = {
  drives:
    'add_drive add_drive_ro add_drive_scratch add_drive_with_if add_drive_ro_with_if add_cdrom ' +
    'remove_drive add_domain add_libvirt_dom set_libvirt_supported_credentials ' +
    'get_libvirt_requested_credentials get_libvirt_requested_credential_prompt ' +
    'get_libvirt_requested_credential_challenge get_libvirt_requested_credential_defresult ' +
    'set_libvirt_requested_credential max_disks ',
  settings:
    'set_verbose get_verbose set_trace get_trace set_autosync get_autosync set_identifier get_identifier ' +
    'set_program get_program set_path get_path set_tmpdir get_tmpdir set_cachedir get_cachedir ' +
    'get_sockdir set_memsize get_memsize set_smp get_smp set_network get_network set_append get_append ' +
    'set_hv get_hv set_qemu get_qemu config set_backend get_backend set_attach_method get_attach_method ' +
    'set_backend_settings get_backend_settings set_backend_setting get_backend_setting ' +
    'clear_backend_setting set_pgroup get_pgroup set_recovery_proc get_recovery_proc set_direct ' +
    'get_direct set_selinux get_selinux parse_environment parse_environment_list ',
  session:
    'launch shutdown kill_subprocess user_cancel is_config is_launching is_ready is_busy get_state ' +
    'wait_ready get_pid c_pointer version available available_all_groups feature_available ' +
    'filesystem_available ',
  appliance:
    'command command_lines command_out sh sh_lines sh_out utsname dmesg umask get_umask sync drop_caches ' +
    'sleep modprobe ping_daemon echo_daemon debug debug_drives debug_upload internal_exit ',
  images: 'disk_create disk_format disk_virtual_size disk_has_backing_file ',
  devices:
    'list_devices nr_devices device_index device_name canonical_device_name list_disk_labels ' +
    'list_dm_devices is_whole_device is_lv mountable_device mountable_subvolume blockdev_getsize64 ' +
    'blockdev_getsz blockdev_getss blockdev_getbsz blockdev_setbsz blockdev_getro blockdev_setro ' +
    'blockdev_setrw blockdev_setra blockdev_flushbufs blockdev_rereadpt pread_device pwrite_device ',
  partitions:
    'list_partitions part_list part_to_dev part_to_partnum part_get_parttype part_disk part_init part_add ' +
    'part_del part_resize part_expand_gpt part_get_bootable part_set_bootable part_get_name part_set_name ' +
    'part_get_mbr_id part_set_mbr_id part_get_mbr_part_type part_get_gpt_type part_set_gpt_type ' +
    'part_get_gpt_guid part_set_gpt_guid part_get_gpt_attributes part_set_gpt_attributes ' +
    'part_get_disk_guid part_set_disk_guid part_set_disk_guid_random sfdisk_l sfdisk_kernel_geometry ' +
    'sfdisk_disk_geometry sfdisk sfdisk_N sfdiskM ',
  filesystems:
    'list_filesystems vfs_type vfs_label vfs_uuid vfs_minimum_size set_label set_uuid set_uuid_random ' +
    'findfs_label findfs_uuid findfs_partlabel findfs_partuuid blkid mkfs mkfs_b fsck wipefs f2fs_expand ' +
    'isoinfo isoinfo_device ',
  mount:
    'mount mount_ro mount_options mount_vfs mount_loop remount umount umount_all mounts mountpoints ' +
    'mkmountpoint rmmountpoint statvfs df df_h mount_9p list_9p mount_local mount_local_run umount_local ',
  directories:
    'ls ls0 ll llz readdir find find0 glob_expand du mkdir mkdir_mode mkdir_p rmdir mkdtemp mktemp rm_rf ' +
    'fill_dir mklost_and_found ',
  files:
    'cat read_file read_lines pread write write_append write_file pwrite touch truncate truncate_size ' +
    'fallocate fallocate64 fill fill_pattern filesize exists is_file is_dir is_symlink is_blockdev ' +
    'is_chardev is_fifo is_socket file zfile file_architecture rm rm_f initrd_list initrd_cat ',
  links:
    'ln ln_f ln_s ln_sf readlink readlinklist realpath case_sensitive_path mkfifo mknod mknod_b mknod_c ',
  attributes:
    'statns lstatns lstatnslist stat lstat lstatlist chmod chown lchown utimens getxattrs lgetxattrs ' +
    'getxattr lgetxattr lxattrlist setxattr lsetxattr removexattr lremovexattr acl_get_file acl_set_file ' +
    'acl_delete_def_file cap_get_file cap_set_file copy_attributes ',
  text:
    'head head_n tail tail_n grep egrep fgrep grepi egrepi fgrepi zgrep zegrep zfgrep zgrepi zegrepi ' +
    'zfgrepi strings strings_e hexdump wc_l wc_w wc_c ',
  checksums: 'checksum checksum_device checksums_out equal ',
  transfer:
    'upload upload_offset download download_offset copy_in copy_out tar_in tar_out tgz_in tgz_out txz_in ' +
    'txz_out cpio_out base64_in base64_out compress_out compress_device_out mksquashfs rsync rsync_in ' +
    'rsync_out ',
  copy:
    'cp cp_a cp_r mv rename copy_file_to_file copy_file_to_device copy_device_to_file ' +
    'copy_device_to_device copy_size dd ',
  ext:
    'mke2fs tune2fs tune2fs_l e2fsck e2fsck_f resize2fs resize2fs_size resize2fs_M get_e2attrs ' +
    'set_e2attrs get_e2generation set_e2generation get_e2label set_e2label get_e2uuid set_e2uuid mke2fs_J ' +
    'mke2fs_JL mke2fs_JU mke2journal mke2journal_L mke2journal_U ',
  lvm:
    'lvm_scan vgscan lvs lvs_full vgs vgs_full pvs pvs_full lvuuid vguuid pvuuid vglvuuids vgpvuuids ' +
    'lvm_canonical_lv_name vgmeta vg_activate vg_activate_all lvm_set_filter lvm_clear_filter pvcreate ' +
    'pvremove pvresize pvresize_size pvchange_uuid pvchange_uuid_all vgcreate vgremove vgrename ' +
    'vgchange_uuid vgchange_uuid_all lvcreate lvcreate_free lvremove lvrename lvresize lvresize_free ' +
    'lvm_remove_all ',
  luks:
    'cryptsetup_open cryptsetup_close luks_open luks_open_ro luks_close luks_format luks_format_cipher ' +
    'luks_add_key luks_kill_slot luks_uuid clevis_luks_unlock ',
  md: 'md_create md_detail md_stat md_stop list_md_devices ',
  ldm:
    'list_ldm_volumes list_ldm_partitions ldmtool_create_all ldmtool_remove_all ldmtool_scan ' +
    'ldmtool_scan_devices ldmtool_diskgroup_name ldmtool_diskgroup_volumes ldmtool_diskgroup_disks ' +
    'ldmtool_volume_type ldmtool_volume_hint ldmtool_volume_partitions ',
  swap:
    'mkswap mkswap_L mkswap_U mkswap_file swapon_device swapoff_device swapon_file swapoff_file ' +
    'swapon_label swapoff_label swapon_uuid swapoff_uuid ',
  btrfs:
    'btrfs_balance_cancel btrfs_balance_pause btrfs_balance_resume btrfs_balance_status btrfs_device_add ' +
    'btrfs_device_delete btrfs_filesystem_balance btrfs_filesystem_defragment btrfs_filesystem_resize ' +
    'btrfs_filesystem_show btrfs_filesystem_sync btrfs_fsck btrfs_image btrfs_qgroup_assign ' +
    'btrfs_qgroup_create btrfs_qgroup_destroy btrfs_qgroup_limit btrfs_qgroup_remove btrfs_qgroup_show ' +
    'btrfs_quota_enable btrfs_quota_rescan btrfs_replace btrfs_rescue_chunk_recover ' +
    'btrfs_rescue_super_recover btrfs_scrub_cancel btrfs_scrub_full btrfs_scrub_resume btrfs_scrub_start ' +
    'btrfs_scrub_status btrfs_set_seeding btrfs_subvolume_create btrfs_subvolume_delete ' +
    'btrfs_subvolume_get_default btrfs_subvolume_list btrfs_subvolume_set_default btrfs_subvolume_show ' +
    'btrfs_subvolume_snapshot btrfstune_enable_extended_inode_refs ' +
    'btrfstune_enable_skinny_metadata_extent_refs btrfstune_seeding mkfs_btrfs ',
  xfs: 'xfs_info2 xfs_info xfs_growfs xfs_admin xfs_repair ',
  ntfs: 'ntfs_3g_probe ntfsfix ntfsresize ntfsresize_size ntfs_chmod ntfsclone_out ntfsclone_in ntfscat_i ',
  zero:
    'zero zero_device is_zero is_zero_device zero_free_space zerofree fstrim blkdiscard blkdiscardzeroes ' +
    'scrub_device scrub_file scrub_freespace ',
  inspection:
    'inspect_os inspect_get_roots inspect_get_type inspect_get_distro inspect_get_product_name ' +
    'inspect_get_product_variant inspect_get_osinfo inspect_get_major_version inspect_get_minor_version ' +
    'inspect_get_build_id inspect_get_arch inspect_get_hostname inspect_get_mountpoints ' +
    'inspect_get_filesystems inspect_get_drive_mappings inspect_get_package_format ' +
    'inspect_get_package_management inspect_list_applications2 inspect_list_applications inspect_get_icon ' +
    'inspect_get_windows_systemroot inspect_get_windows_current_control_set ' +
    'inspect_get_windows_software_hive inspect_get_windows_system_hive inspect_get_windows_group_policy ' +
    'inspect_get_format inspect_is_live inspect_is_multipart inspect_is_netinst ',
  registry:
    'hivex_open hivex_close hivex_commit hivex_root hivex_node_name hivex_node_parent hivex_node_children ' +
    'hivex_node_get_child hivex_node_values hivex_node_get_value hivex_node_set_value ' +
    'hivex_node_add_child hivex_node_delete_child hivex_value_key hivex_value_type hivex_value_string ' +
    'hivex_value_value hivex_value_utf8 ',
  augeas:
    'aug_init aug_close aug_load aug_save aug_get aug_set aug_setm aug_clear aug_rm aug_mv aug_insert ' +
    'aug_match aug_ls aug_label aug_defvar aug_defnode aug_transform ',
  journal:
    'journal_open journal_close journal_next journal_skip journal_get journal_get_realtime_usec ' +
    'journal_get_data_threshold journal_set_data_threshold ',
  inotify: 'inotify_init inotify_close inotify_add_watch inotify_rm_watch inotify_read inotify_files ',
  selinux: 'setfiles selinux_relabel setcon getcon ',
  boot: 'grub_install extlinux syslinux ',
  forensics: 'filesystem_walk find_inode download_inode download_blocks yara_load yara_scan yara_destroy ',
} as const;

/** The actions that once had no optional arguments, and have a second name. */
export const namesWithOpts =
  'add_drive mkfs umount glob_expand is_file is_dir is_blockdev is_chardev is_fifo is_socket grep ' +
  'tar_in tar_out mkswap btrfs_subvolume_create btrfs_subvolume_snapshot ntfsresize ';
