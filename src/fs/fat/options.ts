/** The mount options of Linux's vfat (mount(8), "Mount options for fat" and "for vfat"), with its defaults. */
import { systemError, UnsupportedError } from '../../base/index.js';
import type { ShortNameDisplay } from './names.js';

export interface FatOptions {
  readonly uid: number;
  readonly gid: number;
  /** Permissions that files, and that directories, do not have. */
  readonly fileMask: number;
  readonly directoryMask: number;
  /** Only names with the extensions EXE, COM and BAT are executable. */
  readonly showExecutable: boolean;
  /** The read-only attribute counts for directories as well. */
  readonly readOnlyDirectories: boolean;
  readonly shortNames: ShortNameDisplay;
  readonly caseSensitive: boolean;
  /** Added to stored times to get UTC. */
  readonly timeOffsetInSeconds: number;
  /** Believe the count of free clusters in FSInfo instead of counting. */
  readonly trustFreeCount: boolean;
}

type Draft = { -readonly [K in keyof FatOptions]: FatOptions[K] };
type Value = string | true;

function invalid(name: string, value: Value): never {
  throw systemError('EINVAL', `vfat: mount option ${value === true ? name : `${name}=${value}`}`);
}

/** A number in the given base, at most `maximum`. */
function number(name: string, value: Value, radix: 8 | 10, maximum: number): number {
  const digits = radix === 8 ? /^[0-7]{1,12}$/ : /^[0-9]{1,10}$/;
  if (value === true || !digits.test(value)) return invalid(name, value);
  const parsed = Number.parseInt(value, radix);
  return parsed <= maximum ? parsed : invalid(name, value);
}

function oneOf<Choice extends string>(name: string, value: Value, choices: readonly Choice[]): Choice {
  return choices.find((choice) => choice === value) ?? invalid(name, value);
}

/** What a switch without a value does: nothing when reading. */
const ignored = (draft: Draft): Draft => draft;

const setters: Readonly<Record<string, (draft: Draft, value: Value, name: string) => unknown>> = {
  uid: (draft, value, name) => (draft.uid = number(name, value, 10, 0xffffffff)),
  gid: (draft, value, name) => (draft.gid = number(name, value, 10, 0xffffffff)),
  umask: (draft, value, name) => (draft.fileMask = draft.directoryMask = number(name, value, 8, 0o777)),
  fmask: (draft, value, name) => (draft.fileMask = number(name, value, 8, 0o777)),
  dmask: (draft, value, name) => (draft.directoryMask = number(name, value, 8, 0o777)),
  showexec: (draft) => (draft.showExecutable = true),
  rodir: (draft) => (draft.readOnlyDirectories = true),
  shortname: (draft, value, name) =>
    (draft.shortNames = oneOf(name, value, ['lower', 'win95', 'winnt', 'mixed'])),
  check: (draft, value, name) => {
    const check = oneOf(name, value, ['r', 'relaxed', 'n', 'normal', 's', 'strict']);
    draft.caseSensitive = check.startsWith('s');
  },
  tz: (draft, value, name) => {
    oneOf(name, value, ['UTC']);
    draft.timeOffsetInSeconds = 0;
  },
  time_offset: (draft, value, name) => {
    const negative = typeof value === 'string' && value.startsWith('-');
    const minutes = number(name, negative ? value.slice(1) : value, 10, 24 * 60);
    draft.timeOffsetInSeconds = (negative ? 60 : -60) * minutes;
  },
  usefree: (draft) => (draft.trustFreeCount = true),
  utf8: (draft, value, name) => {
    if (value !== true && !['1', 'yes', 'true'].includes(value)) {
      oneOf(name, value, ['0', 'no', 'false']);
      throw new UnsupportedError('vfat', [`utf8=${value}`]);
    }
    return draft;
  },
  iocharset: (draft, value, name) => {
    if (value === true) invalid(name, value);
    // With utf8, which is always on here, vfat takes this for comparing only; ASCII letters fold alike in these.
    if (value !== 'utf8' && value !== 'ascii') throw new UnsupportedError('vfat', [`iocharset=${value}`]);
    return draft;
  },
  codepage: (draft, value, name) => {
    const page = number(name, value, 10, 65535);
    if (page !== 437) throw new UnsupportedError('vfat', [`codepage=${page}`]);
    return draft;
  },
  errors: (draft, value, name) => {
    oneOf(name, value, ['continue', 'panic', 'remount-ro']);
    return draft;
  },
  nfs: ignored,
  allow_utime: ignored,
  nonumtail: ignored,
  discard: ignored,
  flush: ignored,
  quiet: ignored,
  debug: ignored,
  sys_immutable: ignored,
};

/** Options by name as FatOptions. An unknown name or a bad value is EINVAL. */
export function parseOptions(given: Readonly<Record<string, Value>>): FatOptions {
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
    trustFreeCount: false,
  };
  for (const [name, value] of Object.entries(given)) {
    const set = Object.hasOwn(setters, name) ? setters[name] : undefined;
    if (set === undefined) invalid(name, value);
    else set(draft, value, name);
  }
  return draft;
}
