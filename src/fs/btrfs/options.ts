/**
 * Mount options: those that matter to a reader, and those that the kernel knows but that have no effect on one. Names
 * and meanings: btrfs(5), and the kernel's fs/btrfs/super.c of Linux 6.1.
 */
import { GuestfsError } from '../../base/index.js';
import type { OpenOptions } from '../driver.js';
import {
  decimal,
  flag,
  type OptionRule,
  oneOf,
  option,
  orAlone,
  refusedOption,
  someText,
  takeOptions,
  type ValueKind,
} from '../mount-options.js';

interface BtrfsMountOptions {
  /** The path of the subvolume that is wanted. */
  readonly subvolume: string | undefined;
  /** Its number. */
  readonly subvolumeId: number | undefined;
  /** Whether devices may be missing. */
  readonly degraded: boolean;
  /** Whether a log tree is replayed. */
  readonly replay: boolean;
  /** Whether data is compared with its checksums. */
  readonly verify: boolean;
}

interface Draft {
  readOnly: boolean;
  subvolume: string | undefined;
  subvolumeId: number | undefined;
  degraded: boolean;
  replay: boolean;
  verify: boolean;
}

const isSwitched = option(flag);
const greatest = Number.MAX_SAFE_INTEGER;

/** A size in bytes: digits, and a letter for its unit. */
const size: ValueKind<string> = (value) =>
  value !== true && /^[0-9]{1,15}[kmgtpe]?$/i.test(value) ? value : undefined;

/** A method and perhaps a level. */
const method: ValueKind<string> = (value) =>
  value !== true && /^(?:no|none|lzo|(?:zlib|zstd)(?::[0-9]{1,2})?)$/.test(value) ? value : undefined;

/** Words of `rescue=`, with colons between. */
const rescues: Readonly<Record<string, (draft: Draft) => void>> = {
  usebackuproot: () => {},
  nologreplay: (draft) => {
    draft.replay = false;
  },
  ignorebadroots: () => {},
  ibadroots: () => {},
  ignoredatacsums: (draft) => {
    draft.verify = false;
  },
  idatacsums: (draft) => {
    draft.verify = false;
  },
  all: (draft) => {
    draft.replay = false;
    draft.verify = false;
  },
};
const rescueWords: ValueKind<readonly string[]> = (value) => {
  const words = value === true ? [] : value.split(':');
  return words.length > 0 && words.every((word) => Object.hasOwn(rescues, word)) ? words : undefined;
};

const noReplay: OptionRule<Draft> = option(flag, (draft: Draft) => {
  draft.replay = false;
});

const table: Readonly<Record<string, OptionRule<Draft>>> = {
  ...Object.fromEntries(
    (
      'rw acl noacl autodefrag noautodefrag barrier nobarrier clear_cache datacow nodatacow datasum nodatasum ' +
      'enospc_debug noenospc_debug flushoncommit noflushoncommit nospace_cache nodiscard rescan_uuid_tree skip_balance ' +
      'ssd nossd ssd_spread nossd_spread treelog notreelog usebackuproot recovery user_subvol_rm_allowed check_int ' +
      'check_int_data ref_verify inode_cache noinode_cache'
    )
      .split(' ')
      .map((name) => [name, isSwitched]),
  ),
  ro: option(flag, (draft: Draft) => {
    draft.readOnly = true;
  }),
  degraded: option(flag, (draft: Draft) => {
    draft.degraded = true;
  }),
  nologreplay: noReplay,
  norecovery: noReplay,
  rescue: option(rescueWords, (draft: Draft, words) => {
    for (const word of words) rescues[word]?.(draft);
  }),
  subvol: option(someText, (draft: Draft, path) => {
    draft.subvolume = path;
  }),
  subvolid: option(decimal(greatest), (draft: Draft, id) => {
    draft.subvolumeId = id;
  }),
  commit: option(decimal(greatest)),
  compress: option(orAlone(method)),
  'compress-force': option(orAlone(method)),
  device: option(someText),
  discard: option(orAlone(oneOf('sync', 'async'))),
  fatal_errors: option(oneOf('bug', 'panic')),
  max_inline: option(size),
  metadata_ratio: option(decimal(greatest)),
  space_cache: option(orAlone(oneOf('v1', 'v2'))),
  thread_pool: option(decimal(greatest, 1)),
};

/** Sorts options. EINVAL for an unknown one, and for a value that the kernel would refuse. */
export function parseMountOptions({
  options = {},
  readonly = false,
}: Pick<OpenOptions, 'options' | 'readonly'>): BtrfsMountOptions {
  const draft: Draft = {
    readOnly: readonly,
    subvolume: undefined,
    subvolumeId: undefined,
    degraded: false,
    replay: true,
    verify: true,
  };
  takeOptions('btrfs', table, options, draft);
  if (!draft.readOnly && (!draft.replay || !draft.verify))
    throw new GuestfsError(
      'EINVAL',
      'btrfs: without the log or checksums, only a read-only mount is possible: add the option ro',
    );
  if (draft.subvolume !== undefined && !draft.subvolume.split('/').every((word) => word !== '..'))
    throw refusedOption('btrfs', 'subvol', draft.subvolume, 'invalid');
  return draft;
}
