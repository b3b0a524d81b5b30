/**
 * Mount options: those that matter to a reader, and those that the kernel knows but that have no effect on one. Names
 * and meanings: the kernel's Documentation/admin-guide/ext4.rst. This refuses what Linux 6.1 refuses.
 */
import { isPowerOfTwo } from '../../base/index.js';
import type { OpenOptions } from '../driver.js';
import {
  anyText,
  decimal,
  flag,
  type OptionRule,
  type OptionValue,
  oneOf,
  option,
  orAlone,
  refusedOption,
  someText,
  takeOptions,
  type ValueKind,
} from '../mount-options.js';
import { superblockOffset } from './layout.js';

export interface ExtMountOptions {
  /** Mounted read-only: damaged group descriptors are accepted. */
  readonly readOnly: boolean;
  /** Whether a journal that is not empty is replayed. */
  readonly replay: boolean;
  readonly minixDf: boolean;
  /** Where the superblock to use lies; in bytes. */
  readonly superblockAt: number;
  /** All of them, by name. */
  readonly given: ReadonlyMap<string, OptionValue>;
}

const signed = 0x7fffffff;
const unsigned = 0xffffffff;
const isSwitched = option(flag);

/** A number for which `holds`. */
const numberThat =
  (kind: ValueKind<number>, holds: (value: number) => boolean): ValueKind<number> =>
  (value) => {
    const read = kind(value);
    return read !== undefined && holds(read) ? read : undefined;
  };

/** What each option may have as its value. */
const table: Readonly<Record<string, OptionRule<unknown>>> = {
  ...Object.fromEntries(
    (
      'ro rw bsddf minixdf debug journal_checksum nojournal_checksum journal_async_commit nobarrier orlov oldalloc bh nobh ' +
      'delalloc nodelalloc noauto_da_alloc noinit_itable discard nodiscard block_validity noblock_validity dioread_lock ' +
      'dioread_nolock i_version nombcache no_mbcache prjquota quota noquota usrquota grpquota grpid bsdgroups nogrpid ' +
      'sysvgroups lazytime nolazytime nocheck reservation noreservation abort mblk_io_submit nomblk_io_submit inlinecrypt ' +
      'warn_on_error nowarn_on_error prefetch_block_bitmaps no_prefetch_block_bitmaps acl user_xattr noload norecovery nouid32'
    )
      .split(' ')
      .map((name) => [name, isSwitched]),
  ),
  errors: option(oneOf('continue', 'remount-ro', 'panic')),
  data: option(oneOf('journal', 'ordered', 'writeback')),
  data_err: option(oneOf('abort', 'ignore')),
  barrier: option(orAlone(decimal(signed))),
  auto_da_alloc: option(orAlone(decimal(signed))),
  init_itable: option(orAlone(decimal(unsigned))),
  commit: option(decimal(Math.floor(signed / 250))),
  resuid: option(decimal(unsigned)),
  resgid: option(decimal(unsigned)),
  max_batch_time: option(decimal(unsigned)),
  min_batch_time: option(decimal(unsigned)),
  max_dir_size_kb: option(decimal(unsigned)),
  stripe: option(decimal(unsigned)),
  mb_optimize_scan: option(decimal(signed)),
  journal_ioprio: option(decimal(7)),
  inode_readahead_blks: option(
    numberThat(decimal(0x40000000), (value) => value === 0 || isPowerOfTwo(value)),
  ),
  debug_want_extra_isize: option(numberThat(decimal(unsigned, 4), (value) => value % 2 === 0)),
  jqfmt: option(oneOf('vfsold', 'vfsv0', 'vfsv1')),
  usrjquota: option(anyText),
  grpjquota: option(anyText),
  check: option(someText),
  // For a device without direct access, only turning it off is allowed.
  dax: option(oneOf('never', 'inode')),
  sb: option(decimal(unsigned, 1)),
};

/**
 * Options that a filesystem mounted as an older kind does not have. Linux refuses `noload` on ext2 too; here it is
 * accepted, so that a caller who wants a filesystem as stored need not know its kind.
 */
const laterThanExt3 =
  'journal_checksum nojournal_checksum journal_async_commit delalloc nodelalloc dioread_lock dioread_nolock dax';
const laterThanExt2 = 'data data_err commit journal_ioprio';
const unknownTo: Readonly<Record<string, ReadonlySet<string>>> = {
  ext2: new Set(`${laterThanExt3} ${laterThanExt2}`.split(' ')),
  ext3: new Set(laterThanExt3.split(' ')),
};

const refused = (name: string, value: OptionValue, why: string): Error =>
  refusedOption('ext4', name, value, why);

/** Sorts options. EINVAL for an unknown one, and for a value that the kernel would refuse. */
export function parseMountOptions({
  options = {},
  readonly = false,
}: Pick<OpenOptions, 'options' | 'readonly'>): ExtMountOptions {
  takeOptions('ext4', table, options, undefined);
  const given = new Map(Object.entries(options));
  const data = given.get('data') ?? 'ordered';
  if (given.has('journal_async_commit') && data === 'ordered')
    throw refused('journal_async_commit', true, 'with data=ordered, which is the default, Linux refuses the');
  for (const name of ['usrjquota', 'grpjquota'])
    if ((given.get(name) ?? '') !== '' && !given.has('jqfmt'))
      throw refused(name, given.get(name) ?? '', 'without jqfmt=, Linux refuses the');
  const place = given.get('sb');
  return {
    readOnly: readonly || given.has('ro'),
    replay: !given.has('noload') && !given.has('norecovery'),
    minixDf: given.has('minixdf'),
    superblockAt: place === undefined ? superblockOffset : Number(place) * 1024,
    given,
  };
}

/**
 * EINVAL for an option that a filesystem of this type does not take; `hasProjects`: whether it has quotas of
 * projects.
 */
export function checkMountOptions({ given }: ExtMountOptions, type: string, hasProjects: boolean): void {
  for (const [name, value] of given) {
    if (unknownTo[type]?.has(name)) throw refused(name, value, `${type} has no`);
    if (name === 'prjquota' && !hasProjects)
      throw refused(name, value, 'without quotas of projects there is no');
  }
}
