/** The mount options of Linux's vfat (mount(8), "Mount options for fat" and "for vfat"), with its defaults. */
import { systemError, UnsupportedError } from '../../base/index.js';
import { isKernelCharset } from './charset.js';
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
  /** The character set that names are shown in. */
  readonly charset: string;
  /** Characters that it has not are shown as a colon and four hexadecimal digits. */
  readonly escapeUnknown: boolean;
  /** Believe the count of free clusters in FSInfo instead of counting. */
  readonly trustFreeCount: boolean;
}

type Draft = { -readonly [K in keyof FatOptions]: FatOptions[K] } & { utf8: boolean };
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

type Setter = (draft: Draft, value: Value, name: string) => unknown;

/** A switch: alone, it is on. */
function truth(name: string, value: Value): boolean {
  return (
    value === true ||
    ['1', 'yes', 'true'].includes(oneOf(name, value, ['0', 'no', 'false', '1', 'yes', 'true']))
  );
}

/** An option that has no value, and what it does; nothing when reading, unless told otherwise. */
const alone =
  (set: (draft: Draft) => unknown = () => {}): Setter =>
  (draft, value, name) =>
    value === true ? set(draft) : invalid(name, value);
const ignored = alone();
/** An option of former times, whose value is not looked at. */
const obsolete: Setter = (_draft, value, name) => (value === true ? invalid(name, value) : undefined);

const setters: Readonly<Record<string, Setter>> = {
  uid: (draft, value, name) => (draft.uid = number(name, value, 10, 0xffffffff)),
  gid: (draft, value, name) => (draft.gid = number(name, value, 10, 0xffffffff)),
  umask: (draft, value, name) => (draft.fileMask = draft.directoryMask = number(name, value, 8, 0o777)),
  fmask: (draft, value, name) => (draft.fileMask = number(name, value, 8, 0o777)),
  dmask: (draft, value, name) => (draft.directoryMask = number(name, value, 8, 0o777)),
  showexec: alone((draft) => (draft.showExecutable = true)),
  rodir: alone((draft) => (draft.readOnlyDirectories = true)),
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
  usefree: alone((draft) => (draft.trustFreeCount = true)),
  utf8: (draft, value, name) => (draft.utf8 = truth(name, value)),
  uni_xlate: (draft, value, name) => (draft.escapeUnknown = truth(name, value)),
  iocharset: (draft, value, name) => {
    if (value === true || !isKernelCharset(value)) return invalid(name, value);
    draft.charset = value;
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
  nfs: (_draft, value, name) => value === true || oneOf(name, value, ['stale_rw', 'nostale_ro']),
  allow_utime: (_draft, value, name) => number(name, value, 8, 0o7777),
  nonumtail: (_draft, value, name) => truth(name, value),
  discard: ignored,
  flush: ignored,
  quiet: ignored,
  debug: ignored,
  sys_immutable: ignored,
  dos1xfloppy: ignored,
  posix: ignored,
  cvf_format: obsolete,
  cvf_options: obsolete,
  conv: obsolete,
  fat: obsolete,
  blocksize: obsolete,
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
    charset: 'ascii',
    escapeUnknown: false,
    trustFreeCount: false,
    utf8: true,
  };
  for (const [name, value] of Object.entries(given)) {
    const set = Object.hasOwn(setters, name) ? setters[name] : undefined;
    if (set === undefined) invalid(name, value);
    else set(draft, value, name);
  }
  // With utf8, the character set is for comparing only; ASCII letters fold alike in all that are here.
  if (draft.utf8 && !draft.escapeUnknown) draft.charset = 'utf8';
  return draft;
}
