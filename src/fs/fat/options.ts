/** The mount options of Linux's vfat (mount(8), "Mount options for fat" and "for vfat"), with its defaults. */
import { UnsupportedError } from '../../base/index.js';
import {
  anyText,
  decimal,
  flag,
  type GivenOptions,
  type MountOptionTable,
  type OptionRule,
  octal,
  oneOf,
  option,
  orAlone,
  takeOptions,
  truth,
  type ValueKind,
} from '../mount-options.js';
import { isKernelCharset } from './charset.js';
import type { ShortNameDisplay } from './names.js';

export interface FatOptions {
  readonly uid: number;
  readonly gid: number;
  /** Permissions that are removed from files, and from directories. */
  readonly fileMask: number;
  readonly directoryMask: number;
  /** Only names with the extensions EXE, COM and BAT become executable. */
  readonly showExecutable: boolean;
  /** The read-only attribute applies to directories as well. */
  readonly readOnlyDirectories: boolean;
  readonly shortNames: ShortNameDisplay;
  readonly caseSensitive: boolean;
  /** Added to stored times to get UTC. */
  readonly timeOffsetInSeconds: number;
  /** The character set that names are shown in. */
  readonly charset: string;
  /** Characters outside the character set are shown as a colon and four hexadecimal digits. */
  readonly escapeUnknown: boolean;
  /** Believe the count of free clusters in FSInfo instead of counting. */
  readonly trustFreeCount: boolean;
  /** The kernel mounts read-only with these options, whatever else is asked for. */
  readonly readOnly: boolean;
  /** The options given that change what writing does, in ways that are not implemented. */
  readonly unwritten: readonly string[];
}

type Draft = { -readonly [K in keyof Omit<FatOptions, 'unwritten'>]: FatOptions[K] } & {
  utf8: boolean;
  unwritten: string[];
};

/** Minutes, which lie within a day on either side of UTC. */
const timeOffset: ValueKind<number> = (value) => {
  const isNegative = value !== true && value.startsWith('-');
  const minutes = decimal(24 * 60)(isNegative ? value.slice(1) : value);
  return minutes === undefined || !isNegative ? minutes : -minutes;
};
const charset: ValueKind<string> = (value) => (value !== true && isKernelCharset(value) ? value : undefined);

const permissions = octal(0o777);
/** Options of the kernel that make no difference when reading. */
const ignored = option(flag);
/** Options that make a difference when writing. */
const unwritten = (name: string): OptionRule<Draft> => option(flag, (draft) => draft.unwritten.push(name));
/** An obsolete option, whose value is ignored. */
const obsolete = option(anyText);

const table: MountOptionTable<Draft> = {
  uid: option(decimal(0xffffffff), (draft, uid) => (draft.uid = uid)),
  gid: option(decimal(0xffffffff), (draft, gid) => (draft.gid = gid)),
  umask: option(permissions, (draft, mask) => (draft.fileMask = draft.directoryMask = mask)),
  fmask: option(permissions, (draft, mask) => (draft.fileMask = mask)),
  dmask: option(permissions, (draft, mask) => (draft.directoryMask = mask)),
  showexec: option(flag, (draft) => (draft.showExecutable = true)),
  rodir: option(flag, (draft) => (draft.readOnlyDirectories = true)),
  shortname: option(
    oneOf('lower', 'win95', 'winnt', 'mixed'),
    (draft, display) => (draft.shortNames = display),
  ),
  check: option(
    oneOf('r', 'relaxed', 'n', 'normal', 's', 'strict'),
    (draft, check) => (draft.caseSensitive = check.startsWith('s')),
  ),
  tz: option(oneOf('UTC'), (draft) => (draft.timeOffsetInSeconds = 0)),
  time_offset: option(timeOffset, (draft, minutes) => (draft.timeOffsetInSeconds = -60 * minutes)),
  usefree: option(flag, (draft) => (draft.trustFreeCount = true)),
  utf8: option(truth, (draft, isOn) => (draft.utf8 = isOn)),
  uni_xlate: option(truth, (draft, isOn) => (draft.escapeUnknown = isOn)),
  iocharset: option(charset, (draft, name) => (draft.charset = name)),
  codepage: option(decimal(65535), (_draft, page) => {
    if (page !== 437) throw new UnsupportedError('vfat', [`codepage=${page}`]);
  }),
  errors: option(oneOf('continue', 'panic', 'remount-ro')),
  nfs: option(orAlone(oneOf('stale_rw', 'nostale_ro')), (draft, kind) => {
    draft.readOnly = kind === 'nostale_ro';
  }),
  allow_utime: option(octal(0o7777)),
  nonumtail: option(truth, (draft, isOn) => isOn && draft.unwritten.push('nonumtail')),
  discard: ignored,
  flush: ignored,
  quiet: unwritten('quiet'),
  debug: ignored,
  sys_immutable: unwritten('sys_immutable'),
  dos1xfloppy: ignored,
  posix: ignored,
  cvf_format: obsolete,
  cvf_options: obsolete,
  conv: obsolete,
  fat: obsolete,
  blocksize: obsolete,
};

/** Options by name as FatOptions. An unknown name or a bad value is EINVAL. */
export function parseOptions(given: GivenOptions): FatOptions {
  const draft: Draft = {
    uid: 0,
    gid: 0,
    fileMask: 0o022,
    directoryMask: 0o022,
    showExecutable: false,
    readOnlyDirectories: false,
    shortNames: 'mixed',
    caseSensitive: false,
    timeOffsetInSeconds: 0,
    charset: 'ascii',
    escapeUnknown: false,
    trustFreeCount: false,
    readOnly: false,
    unwritten: [],
    utf8: true,
  };
  takeOptions('vfat', table, given, draft);
  // With utf8, the character set only affects comparing; ASCII letters fold alike in all known sets.
  if (draft.utf8 && !draft.escapeUnknown) draft.charset = 'utf8';
  else draft.unwritten.push(draft.escapeUnknown ? 'uni_xlate' : 'utf8=0');
  return draft;
}
