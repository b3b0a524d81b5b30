/**
 * Mount options: those that matter to a reader, and those that the kernel knows but that have no effect on one. Names
 * and meanings: the kernel's Documentation/admin-guide/xfs.rst. This refuses what Linux 6.1 refuses.
 */
import { GuestfsError } from '../../base/index.js';
import type { OpenOptions } from '../driver.js';
import {
  decimal,
  flag,
  type OptionRule,
  oneOf,
  option,
  refusedOption,
  someText,
  takeOptions,
  type ValueKind,
} from '../mount-options.js';

interface XfsMountOptions {
  /** Whether a log that is not empty is replayed. */
  readonly replay: boolean;
  /** The name of the device of an external log, as it was given. */
  readonly logDevice: string | undefined;
}

interface Draft {
  readOnly: boolean;
  noRecovery: boolean;
  noAlign: boolean;
  stripeUnit: number | undefined;
  stripeWidth: number | undefined;
  logDevice: string | undefined;
}

const unsigned = 0xffffffff;
const isSwitched = option(flag);

/** A size in bytes: digits, and a letter for its unit. */
const size: ValueKind<number> = (value) => {
  const found = value === true ? null : /^([0-9]{1,10})([kmg]?)$/i.exec(value);
  if (found === null) return undefined;
  const shift = { '': 0, k: 10, m: 20, g: 30 }[(found[2] ?? '').toLowerCase()] ?? 0;
  return Number(found[1]) * 2 ** shift;
};

/** A size that is a power of two from `least` to `most`. */
const powerBetween =
  (least: number, most: number): ValueKind<number> =>
  (value) => {
    const read = size(value);
    return read !== undefined && read >= least && read <= most && Number.isInteger(Math.log2(read))
      ? read
      : undefined;
  };

const logBufferSize = powerBetween(16 * 1024, 256 * 1024);

const table: Readonly<Record<string, OptionRule<Draft>>> = {
  ...Object.fromEntries(
    (
      'rw wsync swalloc nouuid grpid nogrpid bsdgroups sysvgroups inode64 inode32 ikeep noikeep largeio nolargeio attr2 ' +
      'noattr2 filestreams quota noquota usrquota grpquota prjquota uquota gquota pquota uqnoenforce gqnoenforce ' +
      'pqnoenforce qnoenforce discard nodiscard nolazytime lazytime'
    )
      .split(' ')
      .map((name) => [name, isSwitched]),
  ),
  ro: option(flag, (draft: Draft) => {
    draft.readOnly = true;
  }),
  norecovery: option(flag, (draft: Draft) => {
    draft.noRecovery = true;
  }),
  noalign: option(flag, (draft: Draft) => {
    draft.noAlign = true;
  }),
  sunit: option(decimal(unsigned), (draft: Draft, value) => {
    draft.stripeUnit = value;
  }),
  swidth: option(decimal(unsigned), (draft: Draft, value) => {
    draft.stripeWidth = value;
  }),
  logdev: option(someText, (draft: Draft, value) => {
    draft.logDevice = value;
  }),
  rtdev: option(someText),
  logbufs: option((value) => {
    const read = decimal(8)(value);
    return read === 0 || (read ?? 0) >= 2 ? read : undefined;
  }),
  logbsize: option((value) => (size(value) === 0 ? 0 : logBufferSize(value))),
  allocsize: option(powerBetween(4096, 2 ** 30)),
  // For a device without direct access, only turning it off is allowed.
  dax: option(oneOf('never', 'inode')),
};

/** Sorts options. EINVAL for an unknown one, and for a value that the kernel would refuse. */
export function parseMountOptions({
  options = {},
  readonly = false,
}: Pick<OpenOptions, 'options' | 'readonly'>): XfsMountOptions {
  const draft: Draft = {
    readOnly: readonly,
    noRecovery: false,
    noAlign: false,
    stripeUnit: undefined,
    stripeWidth: undefined,
    logDevice: undefined,
  };
  takeOptions('xfs', table, options, draft);
  const { stripeUnit, stripeWidth } = draft;
  if (draft.noRecovery && !draft.readOnly)
    throw new GuestfsError(
      'EINVAL',
      'xfs: with norecovery, only a read-only mount is possible: add the option ro',
    );
  if (draft.noAlign && (stripeUnit ?? stripeWidth) !== undefined)
    throw refusedOption('xfs', 'noalign', true, 'with sunit or swidth, Linux refuses the');
  if ((stripeUnit ?? 0) === 0 ? (stripeWidth ?? 0) !== 0 : (stripeWidth ?? 0) === 0)
    throw new GuestfsError('EINVAL', 'xfs: sunit and swidth must be given together');
  if (stripeUnit !== undefined && stripeUnit > 0 && (stripeWidth ?? 0) % stripeUnit !== 0)
    throw new GuestfsError('EINVAL', 'xfs: swidth must be a multiple of sunit');
  return { replay: !draft.noRecovery, logDevice: draft.logDevice };
}
