/**
 * The superblock as `tune2fs -l` prints it: the same keys in the same order, the same words, including `<none>`,
 * `<not available>` and `(none)`. Times are in UTC.
 */
import { formatUuid } from '../../../base/index.js';
import { compat, featureNames, incompat, roCompat } from '../features.js';
import { superblockFlags, superblockState } from '../layout.js';
import { freeBlockCount, has, reservedBlockCount, type Superblock } from '../superblock.js';

type Line = readonly [key: string, value: string];

/** The mode of the journal is two bits of the default mount options. */
const journalModeMask = 0x60;
const journalModes: Readonly<Record<number, string>> = {
  32: 'journal_data',
  64: 'journal_data_ordered',
  96: 'journal_data_writeback',
};
const mountOptionNames: Readonly<Record<number, string>> = {
  0: 'debug',
  1: 'bsdgroups',
  2: 'user_xattr',
  3: 'acl',
  4: 'uid16',
  8: 'nobarrier',
  9: 'block_validity',
  10: 'discard',
  11: 'nodelalloc',
};
const hashNames = [
  'legacy',
  'half_md4',
  'tea',
  'legacy_unsigned',
  'half_md4_unsigned',
  'tea_unsigned',
  'siphash',
];
const systems = ['Linux', 'Hurd', 'Masix', 'FreeBSD', 'Lites'];
const errorBehaviours: Readonly<Record<number, string>> = {
  1: 'Continue',
  2: 'Remount read-only',
  3: 'Panic',
};
const encodings: Readonly<Record<number, string>> = { 1: 'utf8-12.1' };

/** What C's `ctime` makes of seconds since 1970. */
function timeText(seconds: number, high: number): string {
  const date = new Date((seconds + high * 0x1_0000_0000) * 1000);
  const [weekday, day, month, year, clock] = date.toUTCString().replace(',', '').split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2)} ${clock} ${year}`;
}

/** An interval in months of 30 days, weeks and so on. */
function intervalText(seconds: number): string {
  const units: [number, string][] = [
    [2592000, 'month'],
    [604800, 'week'],
    [86400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  const parts: string[] = [];
  let rest = seconds;
  for (const [length, name] of units) {
    const count = Math.floor(rest / length);
    rest -= count * length;
    if (count > 0) parts.push(`${count} ${name}${count > 1 ? 's' : ''}`);
  }
  return parts.length === 0 ? '<none>' : parts.join(', ');
}

/** Kilobytes in the largest unit that gives at least eight thousand. */
function writesText(kilobytes: bigint): string {
  const units = ['kB', 'MB', 'GB', 'TB'];
  let power = 0n;
  while (power < 3n && kilobytes >= 1n << (13n + 10n * power)) power++;
  const rounded = power === 0n ? kilobytes : (kilobytes + (1n << (10n * power - 1n))) >> (10n * power);
  return `${rounded} ${units[Number(power)]}`;
}

function mountOptionsText(mask: number): string {
  const names: string[] = [];
  const mode = journalModes[mask & journalModeMask];
  if (mode !== undefined) names.push(mode);
  for (let bit = 0; bit < 32; bit++) {
    if (((1 << bit) & journalModeMask) === 0 && (mask >>> bit) & 1)
      names.push(mountOptionNames[bit] ?? `MNTOPT_${bit}`);
  }
  return names.length === 0 ? '(none)' : names.join(' ');
}

function flagsText(flags: number): string {
  const names: string[] = [];
  if (has(flags, superblockFlags.signedHash)) names.push('signed_directory_hash');
  if (has(flags, superblockFlags.unsignedHash)) names.push('unsigned_directory_hash');
  if (has(flags, superblockFlags.testFilesystem)) names.push('test_filesystem');
  return names.join(' ');
}

function isSet(bytes: Uint8Array): boolean {
  return bytes.some((byte) => byte !== 0);
}

const hex = (value: number, digits: number): string => `0x${value.toString(16).padStart(digits, '0')}`;
const owner = (id: number): string => (id === 0 ? 'root' : 'unknown');

/** All lines, as key and value. */
export function tune2fsLines(superblock: Superblock): Line[] {
  return [...identity(superblock), ...sizes(superblock), ...history(superblock), ...places(superblock)];
}

function identity({ raw, features }: Superblock): Line[] {
  const revision = ['original', 'dynamic'][raw.s_rev_level] ?? 'unknown';
  const names = featureNames(features);
  const lines: Line[] = [
    ['Filesystem volume name', raw.s_volume_name || '<none>'],
    ['Last mounted on', raw.s_last_mounted || '<not available>'],
    ['Filesystem UUID', isSet(raw.s_uuid) ? formatUuid(raw.s_uuid) : '<none>'],
    ['Filesystem magic number', `0x${raw.s_magic.toString(16).toUpperCase().padStart(4, '0')}`],
    ['Filesystem revision #', `${raw.s_rev_level} (${revision})`],
    ['Filesystem features', names.length === 0 ? '(none)' : names.join(' ')],
  ];
  if (raw.s_flags !== 0) lines.push(['Filesystem flags', flagsText(raw.s_flags)]);
  lines.push(['Default mount options', mountOptionsText(raw.s_default_mount_opts)]);
  if (raw.s_mount_opts !== '') lines.push(['Mount options', raw.s_mount_opts]);
  const clean = has(raw.s_state, superblockState.valid) ? 'clean' : 'not clean';
  lines.push(
    ['Filesystem state', has(raw.s_state, superblockState.error) ? `${clean} with errors` : clean],
    ['Errors behavior', errorBehaviours[raw.s_errors] ?? 'Unknown (continue)'],
    ['Filesystem OS type', systems[raw.s_creator_os] ?? '(unknown os)'],
  );
  return lines;
}

function sizes(superblock: Superblock): Line[] {
  const { raw, features, blockSize, blocksPerCluster, inodesPerGroup, inodeSize } = superblock;
  const bigalloc = has(features.roCompat, roCompat.bigalloc);
  const lines: Line[] = [
    ['Inode count', String(raw.s_inodes_count)],
    ['Block count', String(superblock.blockCount)],
    ['Reserved block count', String(reservedBlockCount(superblock))],
  ];
  if (raw.s_overhead_clusters !== 0) lines.push(['Overhead clusters', String(raw.s_overhead_clusters)]);
  lines.push(
    ['Free blocks', String(freeBlockCount(superblock))],
    ['Free inodes', String(raw.s_free_inodes_count)],
    ['First block', String(raw.s_first_data_block)],
    ['Block size', String(blockSize)],
    [bigalloc ? 'Cluster size' : 'Fragment size', String(blockSize * blocksPerCluster)],
  );
  if (has(features.incompat, incompat.sixtyFourBit))
    lines.push(['Group descriptor size', String(raw.s_desc_size)]);
  if (raw.s_reserved_gdt_blocks !== 0) lines.push(['Reserved GDT blocks', String(raw.s_reserved_gdt_blocks)]);
  lines.push(
    ['Blocks per group', String(raw.s_blocks_per_group)],
    [bigalloc ? 'Clusters per group' : 'Fragments per group', String(raw.s_clusters_per_group)],
    ['Inodes per group', String(inodesPerGroup)],
    ['Inode blocks per group', String(Math.ceil((inodesPerGroup * inodeSize) / blockSize))],
  );
  if (raw.s_raid_stride !== 0) lines.push(['RAID stride', String(raw.s_raid_stride)]);
  if (raw.s_raid_stripe_width !== 0) lines.push(['RAID stripe width', String(raw.s_raid_stripe_width)]);
  if (raw.s_first_meta_bg !== 0) lines.push(['First meta block group', String(raw.s_first_meta_bg)]);
  if (raw.s_log_groups_per_flex !== 0)
    lines.push(['Flex block group size', String(2 ** Math.min(31, raw.s_log_groups_per_flex))]);
  return lines;
}

function history({ raw }: Superblock): Line[] {
  const time = (seconds: number, high: number): string =>
    seconds === 0 && high === 0 ? 'n/a' : timeText(seconds, high);
  const lines: Line[] = [];
  if (raw.s_mkfs_time !== 0)
    lines.push(['Filesystem created', timeText(raw.s_mkfs_time, raw.s_mkfs_time_hi)]);
  lines.push(
    ['Last mount time', time(raw.s_mtime, raw.s_mtime_hi)],
    ['Last write time', timeText(raw.s_wtime, raw.s_wtime_hi)],
    ['Mount count', String(raw.s_mnt_count)],
    ['Maximum mount count', String(raw.s_max_mnt_count)],
    ['Last checked', timeText(raw.s_lastcheck, raw.s_lastcheck_hi)],
    ['Check interval', `${raw.s_checkinterval} (${intervalText(raw.s_checkinterval)})`],
  );
  if (raw.s_checkinterval !== 0)
    lines.push(['Next check after', timeText(raw.s_lastcheck + raw.s_checkinterval, raw.s_lastcheck_hi)]);
  if (raw.s_kbytes_written !== 0n) lines.push(['Lifetime writes', writesText(raw.s_kbytes_written)]);
  lines.push(
    ['Reserved blocks uid', `${raw.s_def_resuid} (user ${owner(raw.s_def_resuid)})`],
    ['Reserved blocks gid', `${raw.s_def_resgid} (group ${owner(raw.s_def_resgid)})`],
  );
  return lines;
}

function places({ raw, features }: Superblock): Line[] {
  const lines: Line[] = [];
  const number = (key: string, value: number | bigint): void => {
    if (value !== 0 && value !== 0n) lines.push([key, String(value)]);
  };
  if (raw.s_rev_level >= 1) {
    lines.push(['First inode', String(raw.s_first_ino)], ['Inode size', String(raw.s_inode_size)]);
    number('Required extra isize', raw.s_min_extra_isize);
    number('Desired extra isize', raw.s_want_extra_isize);
  }
  if (isSet(raw.s_journal_uuid)) lines.push(['Journal UUID', formatUuid(raw.s_journal_uuid)]);
  number('Journal inode', raw.s_journal_inum);
  if (raw.s_journal_dev !== 0) lines.push(['Journal device', hex(raw.s_journal_dev, 4)]);
  number('First orphan inode', raw.s_last_orphan);
  if (has(features.compat, compat.dirIndex) || raw.s_def_hash_version !== 0)
    lines.push([
      'Default directory hash',
      hashNames[raw.s_def_hash_version] ?? `HASHALG_${raw.s_def_hash_version}`,
    ]);
  if (isSet(raw.s_hash_seed)) lines.push(['Directory Hash Seed', formatUuid(raw.s_hash_seed)]);
  if (raw.s_jnl_backup_type !== 0)
    lines.push([
      'Journal backup',
      raw.s_jnl_backup_type === 1 ? 'inode blocks' : `type ${raw.s_jnl_backup_type}`,
    ]);
  if (raw.s_backup_bgs_0 !== 0 || raw.s_backup_bgs_1 !== 0)
    lines.push(['Backup block groups', `${raw.s_backup_bgs_0} ${raw.s_backup_bgs_1}`]);
  number('Snapshot inode', raw.s_snapshot_inum);
  lines.push(...errors(raw));
  if (has(features.incompat, incompat.mmp))
    lines.push(
      ['MMP block number', String(raw.s_mmp_block)],
      ['MMP update interval', String(raw.s_mmp_update_interval)],
    );
  number('User quota inode', raw.s_usr_quota_inum);
  number('Group quota inode', raw.s_grp_quota_inum);
  number('Project quota inode', raw.s_prj_quota_inum);
  if (has(features.roCompat, roCompat.metadataChecksums))
    lines.push(
      ['Checksum type', raw.s_checksum_type === 1 ? 'crc32c' : 'unknown'],
      ['Checksum', hex(raw.s_checksum, 8)],
    );
  if (isSet(raw.s_encrypt_pw_salt)) lines.push(['Encryption PW Salt', formatUuid(raw.s_encrypt_pw_salt)]);
  if (has(features.incompat, incompat.checksumSeed))
    lines.push(['Checksum seed', hex(raw.s_checksum_seed, 8)]);
  if (has(features.incompat, incompat.casefold))
    lines.push(['Character encoding', encodings[raw.s_encoding] ?? `UNKNOWN_ENCODING_${raw.s_encoding}`]);
  if (has(features.compat, compat.orphanFile)) number('Orphan file inode', raw.s_orphan_file_inum);
  return lines;
}

function errors(raw: Superblock['raw']): Line[] {
  const lines: Line[] = [];
  if (raw.s_error_count !== 0) lines.push(['FS Error count', String(raw.s_error_count)]);
  if (raw.s_first_error_time !== 0)
    lines.push(
      ['First error time', timeText(raw.s_first_error_time, raw.s_first_error_time_hi)],
      ['First error function', raw.s_first_error_func],
      ['First error line #', String(raw.s_first_error_line)],
      ['First error inode #', String(raw.s_first_error_ino)],
      ['First error block #', String(raw.s_first_error_block)],
    );
  if (raw.s_last_error_time !== 0)
    lines.push(
      ['Last error time', timeText(raw.s_last_error_time, raw.s_last_error_time_hi)],
      ['Last error function', raw.s_last_error_func],
      ['Last error line #', String(raw.s_last_error_line)],
      ['Last error inode #', String(raw.s_last_error_ino)],
      ['Last error block #', String(raw.s_last_error_block)],
    );
  return lines;
}
