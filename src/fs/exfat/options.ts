/** The mount options of Linux's exfat (fs/exfat/super.c), with its defaults. */
import { UnsupportedError } from '../../base/index.js';
import {
  anyText,
  decimal,
  flag,
  type GivenOptions,
  type MountOptionTable,
  octal,
  oneOf,
  option,
  takeOptions,
  type ValueKind,
} from '../mount-options.js';

export interface ExfatOptions {
  readonly uid: number;
  readonly gid: number;
  /** Permissions that are removed from files, and from directories. */
  readonly fileMask: number;
  readonly directoryMask: number;
  /** Added to times without a zone to get UTC. */
  readonly timeOffsetInSeconds: number;
  /** Names that are looked for keep the dots at their ends. */
  readonly keepLastDots: boolean;
}

type Draft = { -readonly [K in keyof ExfatOptions]: ExfatOptions[K] };

/** Minutes, which lie within a day on either side of UTC. */
const timeOffset: ValueKind<number> = (value) => {
  const isNegative = value !== true && value.startsWith('-');
  const minutes = decimal(24 * 60)(isNegative ? value.slice(1) : value);
  return minutes === undefined || !isNegative ? minutes : -minutes;
};

const permissions = octal(0o777);
/** An obsolete option, whose value is ignored. */
const obsolete = option(decimal(0xffffffff));

const table: MountOptionTable<Draft> = {
  uid: option(decimal(0xffffffff), (draft, uid) => (draft.uid = uid)),
  gid: option(decimal(0xffffffff), (draft, gid) => (draft.gid = gid)),
  umask: option(permissions, (draft, mask) => (draft.fileMask = draft.directoryMask = mask)),
  fmask: option(permissions, (draft, mask) => (draft.fileMask = mask)),
  dmask: option(permissions, (draft, mask) => (draft.directoryMask = mask)),
  allow_utime: option(octal(0o7777)),
  iocharset: option(anyText, (_draft, charset) => {
    if (charset !== 'utf8') throw new UnsupportedError('exfat', [`iocharset=${charset}`]);
  }),
  errors: option(oneOf('continue', 'panic', 'remount-ro')),
  discard: option(flag),
  keep_last_dots: option(flag, (draft) => (draft.keepLastDots = true)),
  sys_tz: option(flag),
  time_offset: option(timeOffset, (draft, minutes) => (draft.timeOffsetInSeconds = -60 * minutes)),
  utf8: option(flag),
  debug: option(flag),
  namecase: obsolete,
  codepage: obsolete,
};

/** Options by name as ExfatOptions. An unknown name or a bad value is EINVAL. */
export function parseOptions(given: GivenOptions): ExfatOptions {
  return takeOptions<Draft>('exfat', table, given, {
    uid: 0,
    gid: 0,
    fileMask: 0o022,
    directoryMask: 0o022,
    timeOffsetInSeconds: 0,
    keepLastDots: false,
  });
}
