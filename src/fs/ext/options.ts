/**
 * Mount options: those that matter to a reader, and those that the kernel knows but which make no difference to one.
 * Names and meanings: the kernel's Documentation/admin-guide/ext4.rst.
 */
import { GuestfsError } from '../../base/index.js';
import type { OpenOptions } from '../driver.js';
import { superblockOffset } from './layout.js';
import type { XattrVisibility } from './xattr.js';

export interface MountOptions {
  /** Mounted read-only: damaged group descriptors are let pass. */
  readonly readOnly: boolean;
  /** Whether a journal that is not empty is replayed. */
  readonly replay: boolean;
  readonly minixDf: boolean;
  readonly xattrs: XattrVisibility;
  /** Where the superblock to use lies; in bytes. */
  readonly superblockAt: number;
}

/** Options that change writing only, or nothing at all. With a value or without. */
const ignored = new Set(
  (
    'rw bsddf debug errors data data_err journal_checksum nojournal_checksum journal_async_commit barrier nobarrier ' +
    'commit orlov oldalloc resuid resgid bh nobh delalloc nodelalloc max_batch_time min_batch_time journal_ioprio ' +
    'auto_da_alloc noauto_da_alloc noinit_itable init_itable discard nodiscard block_validity noblock_validity ' +
    'dioread_lock dioread_nolock max_dir_size_kb i_version nombcache prjquota quota noquota usrquota grpquota jqfmt ' +
    'usrjquota grpjquota grpid bsdgroups nogrpid sysvgroups stripe inode_readahead_blks lazytime nolazytime check ' +
    'nocheck reservation noreservation journal_dev journal_path abort mblk_io_submit nomblk_io_submit dax ' +
    'mb_optimize_scan inlinecrypt test_dummy_encryption warn_on_error nowarn_on_error prefetch_block_bitmaps ' +
    'no_prefetch_block_bitmaps relatime noatime atime nodiratime strictatime norelatime sync async dirsync exec noexec ' +
    'suid nosuid dev nodev defaults auto noauto user nouser'
  ).split(' '),
);

/** Sorts out options; an unknown one is EINVAL, as are those that `mount` would refuse by their value. */
export function parseMountOptions(options: OpenOptions['options'] = {}): MountOptions {
  let readOnly = false;
  let replay = true;
  let minixDf = false;
  let user = true;
  let acl = true;
  let superblockAt = superblockOffset;
  for (const [name, value] of Object.entries(options)) {
    switch (name) {
      case 'ro':
        readOnly = true;
        break;
      case 'norecovery':
      case 'noload':
        replay = false;
        break;
      case 'minixdf':
        minixDf = true;
        break;
      case 'user_xattr':
      case 'nouser_xattr':
        user = name === 'user_xattr';
        break;
      case 'acl':
      case 'noacl':
        acl = name === 'acl';
        break;
      case 'sb':
        superblockAt = superblockPlace(value);
        break;
      default:
        if (!ignored.has(name)) throw new GuestfsError('EINVAL', `ext4: unknown mount option: ${name}`);
    }
  }
  return { readOnly, replay, minixDf, xattrs: { user, acl }, superblockAt };
}

/** The value of `sb=`, in units of 1024 bytes. */
function superblockPlace(value: string | true): number {
  const unit = typeof value === 'string' && /^\d{1,12}$/.test(value) ? Number(value) : 0;
  if (unit === 0) throw new GuestfsError('EINVAL', `ext4: invalid mount option: sb=${value}`);
  return unit * 1024;
}
