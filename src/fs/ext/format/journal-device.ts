/** A disk that is a journal for filesystems on others: recognised, and told of a filesystem that uses it. */
import { CorruptError, compareBytes, GuestfsError } from '../../../base/index.js';
import type { Disk } from '../../../disk/index.js';
import { incompat } from '../features.js';
import { journalBlockTypes, journalMagic, journalSuperblock, journalUsers } from '../journal/layout.js';
import { extMagic, superblock as superblockTable } from '../layout.js';
import { has, readSuperblockBytes } from '../superblock.js';
import type { JournalDevice } from './options.js';

/** EINVAL for a disk that is no journal. */
export function readJournalDevice(disk: Disk): Omit<JournalDevice, 'number'> {
  const bytes = readSuperblockBytes(disk);
  const raw = bytes === undefined ? undefined : superblockTable.decode(bytes);
  if (raw?.s_magic !== extMagic || !has(raw.s_feature_incompat, incompat.journalDevice))
    throw new GuestfsError('EINVAL', 'the device is no journal: make one with mke2journal');
  if (raw.s_log_block_size > 6)
    throw new CorruptError('ext4 superblock', 'the block size is invalid', {
      logarithm: raw.s_log_block_size,
    });
  return { uuid: raw.s_uuid, blockSize: 1024 * 2 ** raw.s_log_block_size };
}

/** Enters a filesystem into the list of those that have this journal. */
export function addJournalUser(
  disk: Disk,
  { blockSize }: Pick<JournalDevice, 'blockSize'>,
  user: Uint8Array,
): void {
  const place = blockSize === 1024 ? 2 * blockSize : blockSize;
  const bytes = new Uint8Array(journalSuperblock.size);
  disk.read(bytes, place);
  const raw = journalSuperblock.decode(bytes);
  if (raw.h_magic !== journalMagic || raw.h_blocktype !== journalBlockTypes.superblockV2)
    throw new CorruptError('ext4 journal superblock', 'is not where it has to be', { offset: place });
  if (raw.s_nr_users > journalUsers.most)
    throw new CorruptError('ext4 journal superblock', 'has too many users', { users: raw.s_nr_users });
  const at = (index: number): number => journalUsers.at + index * journalUsers.size;
  for (let index = 0; index < raw.s_nr_users; index++)
    if (compareBytes(bytes.subarray(at(index), at(index + 1)), user) === 0) return;
  if (raw.s_nr_users === journalUsers.most)
    throw new GuestfsError('ENOSPC', 'the journal has as many users as it can');
  bytes.set(user, at(raw.s_nr_users));
  journalSuperblock.encode({ s_nr_users: raw.s_nr_users + 1 }, bytes);
  disk.write(bytes, place);
}
