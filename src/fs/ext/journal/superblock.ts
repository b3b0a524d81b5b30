/** Changes to the superblock of a journal. */
import type { Disk } from '../../../disk/index.js';
import { journalSuperblockChecksum } from './checksum.js';
import type { Journal } from './journal.js';
import { journalSuperblock } from './layout.js';

/** All that changes lies in one sector of its disk: a crash leaves the old or the new. */
export function changeJournalSuperblock(
  journal: Journal,
  log: Disk,
  change: (raw: Journal['raw']) => Partial<Journal['raw']>,
): void {
  const offset = journal.offsetOf(journal.superblockBlock);
  const bytes = new Uint8Array(journalSuperblock.size);
  log.read(bytes, offset);
  journalSuperblock.encode(change(journalSuperblock.decode(bytes)), bytes);
  if (journal.checksumSeed !== undefined)
    journalSuperblock.encode({ s_checksum: journalSuperblockChecksum(bytes) }, bytes);
  log.write(bytes, offset);
}
