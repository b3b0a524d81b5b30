/**
 * Mount options: those that matter to a reader, and those that the kernel knows but which make no difference to one. Names and
 * meanings: the kernel's Documentation/admin-guide/ext4.rst; what is refused is what Linux 6.1 refuses.
 */
import { GuestfsError } from '../../base/index.js';
import type { OpenOptions } from '../driver.js';
import { superblockOffset } from './layout.js';

export interface MountOptions {
  /** Mounted read-only: damaged group descriptors are let pass. */
  readonly readOnly: boolean;
  /** Whether a journal that is not empty is replayed. */
  readonly replay: boolean;
  readonly minixDf: boolean;
  /** Where the superblock to use lies; in bytes. */
  readonly superblockAt: number;
  /** All of them, by name. */
  readonly given: ReadonlyMap<string, string | true>;
}

type Check = (value: string | true) => boolean;

const flag: Check = (value) => value === true;
const text: Check = (value) => value !== true && value !== '';
const number =
  (most: number): Check =>
  (value) =>
    value !== true && /^\d{1,12}$/.test(value) && Number(value) <= most;
const orNothing =
  (check: Check): Check =>
  (value) =>
    value === true || check(value);
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    value !== true && words.includes(value);

const signed = 0x7fffffff;
const unsigned = 0xffffffff;
const isPowerOfTwo = (value: number): boolean => (value & (value - 1)) === 0;

/** What each option may have as its value. */
const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ...(
    'ro rw bsddf minixdf debug journal_checksum nojournal_checksum journal_async_commit nobarrier orlov oldalloc bh nobh ' +
    'delalloc nodelalloc noauto_da_alloc noinit_itable discard nodiscard block_validity noblock_validity dioread_lock ' +
    'dioread_nolock i_version nombcache no_mbcache prjquota quota noquota usrquota grpquota grpid bsdgroups nogrpid ' +
    'sysvgroups lazytime nolazytime nocheck reservation noreservation abort mblk_io_submit nomblk_io_submit inlinecrypt ' +
    'warn_on_error nowarn_on_error prefetch_block_bitmaps no_prefetch_block_bitmaps acl user_xattr noload norecovery nouid32'
  )
    .split(' ')
    .map((name) => [name, flag] as const),
  ['errors', oneOf('continue', 'remount-ro', 'panic')],
  ['data', oneOf('journal', 'ordered', 'writeback')],
  ['data_err', oneOf('abort', 'ignore')],
  ['barrier', orNothing(number(signed))],
  ['auto_da_alloc', orNothing(number(signed))],
  ['init_itable', orNothing(number(unsigned))],
  ['commit', number(Math.floor(signed / 250))],
  ['resuid', number(unsigned)],
  ['resgid', number(unsigned)],
  ['max_batch_time', number(unsigned)],
  ['min_batch_time', number(unsigned)],
  ['max_dir_size_kb', number(unsigned)],
  ['stripe', number(unsigned)],
  ['mb_optimize_scan', number(signed)],
  ['journal_ioprio', number(7)],
  ['inode_readahead_blks', (value) => number(0x40000000)(value) && isPowerOfTwo(Number(value))],
  [
    'debug_want_extra_isize',
    (value) => number(unsigned)(value) && Number(value) >= 4 && Number(value) % 2 === 0,
  ],
  ['jqfmt', oneOf('vfsold', 'vfsv0', 'vfsv1')],
  ['usrjquota', (value) => value !== true],
  ['grpjquota', (value) => value !== true],
  ['check', text],
  // A device that has no direct access can be told not to use it, and nothing else.
  ['dax', oneOf('never', 'inode')],
  ['sb', (value) => number(unsigned)(value) && Number(value) > 0],
]);

/**
 * What a filesystem that is mounted as one of an older kind does not know. Linux refuses `noload` on ext2 as well; it asks for
 * nothing there, so whoever wants a filesystem as it is stored need not look first which one it is.
 */
const laterThanExt3 =
  'journal_checksum nojournal_checksum journal_async_commit delalloc nodelalloc dioread_lock dioread_nolock dax';
const laterThanExt2 = 'data data_err commit journal_ioprio';
const unknownTo: Readonly<Record<string, ReadonlySet<string>>> = {
  ext2: new Set(`${laterThanExt3} ${laterThanExt2}`.split(' ')),
  ext3: new Set(laterThanExt3.split(' ')),
};

const shown = (name: string, value: string | true): string => (value === true ? name : `${name}=${value}`);

function refused(name: string, value: string | true, why: string): GuestfsError {
  return new GuestfsError('EINVAL', `ext4: ${why} mount option: ${shown(name, value)}`);
}

/** Sorts out options; an unknown one is EINVAL, as is a value that the kernel would refuse. */
export function parseMountOptions({
  options = {},
  readonly = false,
}: Pick<OpenOptions, 'options' | 'readonly'>): MountOptions {
  const given = new Map(Object.entries(options));
  for (const [name, value] of given) {
    const check = checks.get(name);
    if (check === undefined) throw refused(name, value, 'unknown');
    if (!check(value)) throw refused(name, value, 'invalid');
  }
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

/** EINVAL for an option that a filesystem of this type does not take; `hasProjects`: whether it has quotas of projects. */
export function checkMountOptions({ given }: MountOptions, type: string, hasProjects: boolean): void {
  for (const [name, value] of given) {
    if (unknownTo[type]?.has(name)) throw refused(name, value, `${type} has no`);
    if (name === 'prjquota' && !hasProjects)
      throw refused(name, value, 'without quotas of projects there is no');
  }
}
