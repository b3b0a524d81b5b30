/**
 * The structs of results: their fields in the order of the wire, and the types that a caller sees.
 *
 * The tables keep libguestfs's field names (`part_num`); the objects have them in camelCase (`partNum`).
 */

/** What a field holds, and the TypeScript type of its value. */
interface FieldTypes {
  string: string;
  device: string;
  /** 32 characters of an LVM identifier, without its dashes. */
  uuid: string;
  /** A string of one character. */
  char: string;
  /** Binary data. */
  buffer: Uint8Array;
  /** A size or an offset in bytes. */
  bytes: number;
  int32: number;
  uint32: number;
  int64: number;
  uint64: number;
  /** 64 bits that are no quantity, unsigned. */
  bits64: bigint;
  /** A percentage, or null where it means nothing. */
  optPercent: number | null;
}
export type FieldType = keyof FieldTypes;

/** The fields of a struct by name, in the order of the wire. */
export type StructTable = Readonly<Record<string, FieldType>>;

export const structs = {
  /** An installed application, as `inspect_list_applications` gives it; fields without a meaning are empty. */
  application: {
    app_name: 'string',
    app_display_name: 'string',
    app_epoch: 'int32',
    app_version: 'string',
    app_release: 'string',
    app_install_path: 'string',
    app_trans_path: 'string',
    app_publisher: 'string',
    app_url: 'string',
    app_source_package: 'string',
    app_summary: 'string',
    app_description: 'string',
  },
  /** An installed application or package; fields without a meaning for its kind of system are empty. */
  application2: {
    app2_name: 'string',
    app2_display_name: 'string',
    app2_epoch: 'int32',
    app2_version: 'string',
    app2_release: 'string',
    app2_arch: 'string',
    app2_install_path: 'string',
    app2_trans_path: 'string',
    app2_publisher: 'string',
    app2_url: 'string',
    app2_source_package: 'string',
    app2_summary: 'string',
    app2_description: 'string',
    app2_class: 'string',
    app2_spare2: 'string',
    app2_spare3: 'string',
    app2_spare4: 'string',
  },
  /** How far a btrfs balance is, in chunks. */
  btrfsbalance: {
    btrfsbalance_status: 'string',
    btrfsbalance_total: 'uint64',
    btrfsbalance_balanced: 'uint64',
    btrfsbalance_considered: 'uint64',
    btrfsbalance_left: 'uint64',
  },
  /** A btrfs quota group, with the bytes that it refers to and those that it refers to exclusively. */
  btrfsqgroup: {
    btrfsqgroup_id: 'string',
    btrfsqgroup_rfer: 'uint64',
    btrfsqgroup_excl: 'uint64',
  },
  /** How far a btrfs scrub is, and the errors it met. */
  btrfsscrub: {
    btrfsscrub_data_extents_scrubbed: 'uint64',
    btrfsscrub_tree_extents_scrubbed: 'uint64',
    btrfsscrub_data_bytes_scrubbed: 'uint64',
    btrfsscrub_tree_bytes_scrubbed: 'uint64',
    btrfsscrub_read_errors: 'uint64',
    btrfsscrub_csum_errors: 'uint64',
    btrfsscrub_verify_errors: 'uint64',
    btrfsscrub_no_csum: 'uint64',
    btrfsscrub_csum_discards: 'uint64',
    btrfsscrub_super_errors: 'uint64',
    btrfsscrub_malloc_errors: 'uint64',
    btrfsscrub_uncorrectable_errors: 'uint64',
    btrfsscrub_unverified_errors: 'uint64',
    btrfsscrub_corrected_errors: 'uint64',
    btrfsscrub_last_physical: 'uint64',
  },
  /** A btrfs subvolume. */
  btrfssubvolume: {
    btrfssubvolume_id: 'uint64',
    btrfssubvolume_top_level_id: 'uint64',
    btrfssubvolume_path: 'string',
  },
  /**
   * An entry of a directory; `ftyp` is `r` file, `d` directory, `l` symbolic link, `b`, `c`, `f`, `s` special, `u`
   * unknown.
   */
  dirent: {
    ino: 'int64',
    ftyp: 'char',
    name: 'string',
  },
  /** A node of a registry hive. */
  hivex_node: {
    hivex_node_h: 'int64',
  },
  /** A value of a registry hive. */
  hivex_value: {
    hivex_value_h: 'int64',
  },
  /** Something that happened to a watched file. */
  inotify_event: {
    in_wd: 'int64',
    in_mask: 'uint32',
    in_cookie: 'uint32',
    in_name: 'string',
  },
  /** A number and a truth value (0 or 1). */
  int_bool: {
    i: 'int32',
    b: 'int32',
  },
  /** A mountable in its parts: a number for its kind, the device, and the subvolume if there is one. */
  internal_mountable: {
    im_type: 'int32',
    im_device: 'string',
    im_volume: 'string',
  },
  /** The primary volume descriptor of an ISO filesystem; times are in seconds since 1970, -1 where not set. */
  isoinfo: {
    iso_system_id: 'string',
    iso_volume_id: 'string',
    iso_volume_space_size: 'uint32',
    iso_volume_set_size: 'uint32',
    iso_volume_sequence_number: 'uint32',
    iso_logical_block_size: 'uint32',
    iso_volume_set_id: 'string',
    iso_publisher_id: 'string',
    iso_data_preparer_id: 'string',
    iso_application_id: 'string',
    iso_copyright_file_id: 'string',
    iso_abstract_file_id: 'string',
    iso_bibliographic_file_id: 'string',
    iso_volume_creation_t: 'int64',
    iso_volume_modification_t: 'int64',
    iso_volume_expiration_t: 'int64',
    iso_volume_effective_t: 'int64',
  },
  /** A logical volume. */
  lvm_lv: {
    lv_name: 'string',
    lv_uuid: 'uuid',
    lv_attr: 'string',
    lv_major: 'int64',
    lv_minor: 'int64',
    lv_kernel_major: 'int64',
    lv_kernel_minor: 'int64',
    lv_size: 'bytes',
    seg_count: 'int64',
    origin: 'string',
    snap_percent: 'optPercent',
    copy_percent: 'optPercent',
    move_pv: 'string',
    lv_tags: 'string',
    mirror_log: 'string',
    modules: 'string',
  },
  /** A physical volume. */
  lvm_pv: {
    pv_name: 'device',
    pv_uuid: 'uuid',
    pv_fmt: 'string',
    pv_size: 'bytes',
    dev_size: 'bytes',
    pv_free: 'bytes',
    pv_used: 'bytes',
    pv_attr: 'string',
    pv_pe_count: 'int64',
    pv_pe_alloc_count: 'int64',
    pv_tags: 'string',
    pe_start: 'bytes',
    pv_mda_count: 'int64',
    pv_mda_free: 'bytes',
  },
  /** A volume group. */
  lvm_vg: {
    vg_name: 'string',
    vg_uuid: 'uuid',
    vg_fmt: 'string',
    vg_attr: 'string',
    vg_size: 'bytes',
    vg_free: 'bytes',
    vg_sysid: 'string',
    vg_extent_size: 'bytes',
    vg_extent_count: 'int64',
    vg_free_count: 'int64',
    max_lv: 'int64',
    max_pv: 'int64',
    pv_count: 'int64',
    lv_count: 'int64',
    snap_count: 'int64',
    vg_seqno: 'int64',
    vg_tags: 'string',
    vg_mda_count: 'int64',
    vg_mda_free: 'bytes',
  },
  /** A device of a RAID. */
  mdstat: {
    mdstat_device: 'string',
    mdstat_index: 'int32',
    mdstat_flags: 'string',
  },
  /** A partition, in bytes; `part_end` is its last byte. */
  partition: {
    part_num: 'int32',
    part_start: 'bytes',
    part_end: 'bytes',
    part_size: 'bytes',
  },
  /** The status of a file, with times in whole seconds since 1970; `blocks` are of 512 bytes. */
  stat: {
    dev: 'int64',
    ino: 'int64',
    mode: 'int64',
    nlink: 'int64',
    uid: 'int64',
    gid: 'int64',
    rdev: 'int64',
    size: 'int64',
    blksize: 'int64',
    blocks: 'int64',
    atime: 'int64',
    mtime: 'int64',
    ctime: 'int64',
  },
  /** The status of a file, with times since 1970; `st_blocks` are of 512 bytes, `st_size` is in bytes. */
  statns: {
    st_dev: 'int64',
    st_ino: 'int64',
    st_mode: 'int64',
    st_nlink: 'int64',
    st_uid: 'int64',
    st_gid: 'int64',
    st_rdev: 'int64',
    st_size: 'int64',
    st_blksize: 'int64',
    st_blocks: 'int64',
    st_atime_sec: 'int64',
    st_atime_nsec: 'int64',
    st_mtime_sec: 'int64',
    st_mtime_nsec: 'int64',
    st_ctime_sec: 'int64',
    st_ctime_nsec: 'int64',
    st_spare1: 'int64',
    st_spare2: 'int64',
    st_spare3: 'int64',
    st_spare4: 'int64',
    st_spare5: 'int64',
    st_spare6: 'int64',
  },
  /**
   * How full a filesystem is: `blocks`, `bfree` and `bavail` in units of `frsize` bytes, `files` and `ffree` in
   * inodes.
   */
  statvfs: {
    bsize: 'int64',
    frsize: 'int64',
    blocks: 'int64',
    bfree: 'int64',
    bavail: 'int64',
    files: 'int64',
    ffree: 'int64',
    favail: 'int64',
    fsid: 'bits64',
    flag: 'int64',
    namemax: 'int64',
  },
  /** A file as The Sleuth Kit sees it, perhaps deleted. */
  tsk_dirent: {
    tsk_inode: 'uint64',
    tsk_type: 'char',
    tsk_size: 'int64',
    tsk_name: 'string',
    tsk_flags: 'uint32',
    tsk_atime_sec: 'int64',
    tsk_atime_nsec: 'int64',
    tsk_mtime_sec: 'int64',
    tsk_mtime_nsec: 'int64',
    tsk_ctime_sec: 'int64',
    tsk_ctime_nsec: 'int64',
    tsk_crtime_sec: 'int64',
    tsk_crtime_nsec: 'int64',
    tsk_nlink: 'int64',
    tsk_link: 'string',
    tsk_spare1: 'int64',
  },
  /** The kernel of the backend. */
  utsname: {
    uts_sysname: 'string',
    uts_release: 'string',
    uts_version: 'string',
    uts_machine: 'string',
  },
  /** The version of the API. */
  version: {
    major: 'int64',
    minor: 'int64',
    release: 'int64',
    extra: 'string',
  },
  /** An extended attribute. */
  xattr: {
    attrname: 'string',
    attrval: 'buffer',
  },
  /** The geometry of an XFS filesystem; blocks, sectors and inodes have their sizes in bytes, sections in blocks. */
  xfsinfo: {
    xfs_mntpoint: 'string',
    xfs_inodesize: 'uint32',
    xfs_agcount: 'uint32',
    xfs_agsize: 'uint32',
    xfs_sectsize: 'uint32',
    xfs_attr: 'uint32',
    xfs_blocksize: 'uint32',
    xfs_datablocks: 'uint64',
    xfs_imaxpct: 'uint32',
    xfs_sunit: 'uint32',
    xfs_swidth: 'uint32',
    xfs_dirversion: 'uint32',
    xfs_dirblocksize: 'uint32',
    xfs_cimode: 'uint32',
    xfs_logname: 'string',
    xfs_logblocksize: 'uint32',
    xfs_logblocks: 'uint32',
    xfs_logversion: 'uint32',
    xfs_logsectsize: 'uint32',
    xfs_logsunit: 'uint32',
    xfs_lazycount: 'uint32',
    xfs_rtname: 'string',
    xfs_rtextsize: 'uint32',
    xfs_rtblocks: 'uint64',
    xfs_rtextents: 'uint64',
  },
  /** A file that fulfils a rule. */
  yara_detection: {
    yara_name: 'string',
    yara_rule: 'string',
  },
} as const satisfies Readonly<Record<string, StructTable>>;

export type StructName = keyof typeof structs;

/** `part_num` → `partNum`, as a type. */
export type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Next}${infer Rest}`
  ? `${Head}${Uppercase<Next>}${CamelCase<Rest>}`
  : Name;

/** `part_num` → `partNum`: each underscore is removed, and the letter after it becomes a capital. */
export function camelCase<const Name extends string>(name: Name): CamelCase<Name> {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<Name>;
}

/** The objects that callers see, by the libguestfs name of their struct. */
export type Structs = {
  [S in StructName]: {
    -readonly [F in keyof (typeof structs)[S] as CamelCase<F & string>]: FieldTypes[(typeof structs)[S][F] &
      FieldType];
  };
};
