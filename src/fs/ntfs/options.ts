/**
 * Mount options of ntfs-3g: those that change what a reader sees, those that change nothing for one, and those that only
 * the appliance can follow. ntfs-3g(8).
 */
import { UnsupportedError } from '../../base/index.js';
import type { OpenOptions } from '../driver.js';
import {
  anyText,
  decimal,
  flag,
  type OptionRule,
  octal,
  oneOf,
  option,
  takeOptions,
} from '../mount-options.js';

export interface NtfsOptions {
  readonly uid: number;
  readonly gid: number;
  /** Permissions that files and directories lack. */
  readonly fileMask: number;
  readonly directoryMask: number;
  readonly caseSensitive: boolean;
  /** Whether the filesystem's own files are listed. */
  readonly showsInternal: boolean;
  /** Whether hidden files are left out of listings. */
  readonly hidesHidden: boolean;
  /** Whether named streams are extended attributes. */
  readonly hasStreams: boolean;
}

type Draft = { -readonly [Key in keyof NtfsOptions]: NtfsOptions[Key] };

const greatestId = 0xffff_fffe;
const isSwitched = option(flag);
const put =
  <Key extends keyof Draft>(key: Key, value: Draft[Key]): OptionRule<Draft> =>
  (draft, given) => {
    if (given !== true) return false;
    draft[key] = value;
    return true;
  };

/** What would make owners and permissions out of descriptors, names of streams, and the bytes of encrypted files. */
const elsewhere =
  (name: string): OptionRule<Draft> =>
  () => {
    throw new UnsupportedError('NTFS', [`the mount option ${name}`], { elsewhere: 'appliance' });
  };

const masks = (...keys: readonly ('fileMask' | 'directoryMask')[]): OptionRule<Draft> =>
  option(octal(0o7777), (draft: Draft, value) => {
    for (const key of keys) draft[key] = value;
  });

const table: Readonly<Record<string, OptionRule<Draft>>> = {
  ...Object.fromEntries(
    (
      'ro rw atime noatime relatime norelatime nodev dev nosuid suid noexec exec sync async dirsync user nouser users ' +
      'nousers big_writes debug no_detach no_def_opts remove_hiberfile recover norecover allow_other nonempty ' +
      'windows_names compression nocompression silent hide_dot_files force default_permissions'
    )
      .split(' ')
      .map((name) => [name, isSwitched]),
  ),
  ...Object.fromEntries(
    'permissions acl noacl inherit posix_nlink efs_raw special_files usermapping user_xattr xattrmapping static_grp'
      .split(' ')
      .map((name) => [name, elsewhere(name)]),
  ),
  delay_mtime: option(anyText),
  locale: option(anyText),
  max_read: option(decimal(0xffff_ffff)),
  uid: option(decimal(greatestId), (draft: Draft, value) => {
    draft.uid = value;
  }),
  gid: option(decimal(greatestId), (draft: Draft, value) => {
    draft.gid = value;
  }),
  umask: masks('fileMask', 'directoryMask'),
  fmask: masks('fileMask'),
  dmask: masks('directoryMask'),
  ignore_case: put('caseSensitive', false),
  show_sys_files: put('showsInternal', true),
  hide_hid_files: put('hidesHidden', true),
  streams_interface: option(oneOf('none', 'xattr', 'windows', 'openxattr'), (draft: Draft, value) => {
    if (value === 'windows' || value === 'openxattr')
      throw new UnsupportedError('NTFS', [`the mount option streams_interface=${value}`], {
        elsewhere: 'appliance',
      });
    draft.hasStreams = value === 'xattr';
  }),
};

/** Sorts options. EINVAL for an unknown one, and for one with a value of another kind. */
export function parseMountOptions({ options = {} }: Pick<OpenOptions, 'options'>): NtfsOptions {
  return takeOptions<Draft>('ntfs', table, options, {
    uid: 0,
    gid: 0,
    fileMask: 0,
    directoryMask: 0,
    caseSensitive: true,
    showsInternal: false,
    hidesHidden: false,
    hasStreams: true,
  });
}
