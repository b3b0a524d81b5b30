/** Where barriers are, who finds those that are left out, and which no crash misses. */
import type { BarrierFile } from '../barriers.js';
import type { Hunt } from '../mutant.js';

const unjournalled = ['ext2 1k', 'ext4 without a journal', 'ext2 without an index and types'] as const;
const ordered: readonly Hunt[] = (['own', 'e2fsck'] as const).flatMap((judge) =>
  unjournalled.map((kind): Hunt => ['ext', kind, judge]),
);
const logged: readonly Hunt[] = [
  ['log', 'a short log'],
  ['log', 'an external journal'],
];
const qcow2: readonly Hunt[] = [['qcow2', 'writes']];
const sizes: readonly Hunt[] = [['qcow2', 'sizes']];

export const barrierFiles: readonly BarrierFile[] = [
  { file: 'disk/write/rules.ts', hunts: [...ordered, ['journals']] },
  { file: 'disk/write/journal.ts', hunts: [['ext', 'ext3 2k', 'own'], ['journals']] },
  { file: 'fs/ext/write/contents.ts', hunts: ordered },
  { file: 'fs/ext/write/directory-writer.ts', hunts: ordered },
  { file: 'fs/ext/write/inode-life.ts', hunts: ordered },
  { file: 'fs/ext/write/writer.ts', hunts: ordered },
  { file: 'fs/ext/write/superblock-writer.ts', hunts: logged },
  {
    file: 'fs/ext/journal/log.ts',
    hunts: logged,
    harmless: [
      {
        text: '    this.#writeStart(this.#head);\n    this.#log.flush();',
        why: 'a transaction is shorter than what was free before, and its barrier comes before what it frees is taken',
      },
    ],
  },
  {
    file: 'fs/ext/journal/transaction.ts',
    hunts: [...logged, ['recovery']],
    harmless: [
      {
        text: '  if (found) log.flush();',
        why: 'the same recovery writes the same bytes again: only what another program left would differ',
      },
    ],
  },
  {
    file: 'fs/ext/journal/recover.ts',
    hunts: [['recovery']],
    harmless: [
      {
        text: '  disk.write(bytes, superblockAt);\n  disk.flush();',
        why: 'what a recovery does last is done again where it was lost',
      },
      {
        text: '  changeJournalSuperblock(journal, log, () => ({ s_errno: 0 }));\n  log.flush();',
        why: 'an error that the log tells of may be told twice',
      },
    ],
  },
  { file: 'fs/ext/format/grow.ts', hunts: [['grow']] },
  { file: 'fs/ext/format/format.ts', hunts: [['making']] },
  { file: 'fs/ext/format/tune.ts', hunts: [['making']] },
  { file: 'fs/fat/format.ts', hunts: [['making']] },
  {
    file: 'image/qcow2/write/allocator.ts',
    hunts: qcow2,
    harmless: [
      {
        text: '      data();\n      file.flush();',
        why: 'the barrier of the data is the same, unless it is in a file of its own',
      },
      {
        text: 'this.flush(() => dataFile.flush());',
        why: 'the next line of the flush is the same barrier, unless the data is in a file of its own',
      },
      {
        text: 'this.flush(() => this.#of.dataFile.flush());',
        why: 'the next line of the flush is the same barrier, unless the data is in a file of its own',
      },
      {
        text: 'this.flush(() => this.#of.dataFile.flush());\n    this.#of.file.flush();',
        why: 'counts that are not lowered are leaks',
      },
    ],
  },
  { file: 'image/qcow2/write/refcounts.ts', hunts: qcow2 },
  { file: 'image/qcow2/write/image-file.ts', hunts: qcow2 },
  { file: 'image/qcow2/write/writable.ts', hunts: qcow2 },
  { file: 'image/qcow2/write/resize.ts', hunts: sizes },
  { file: 'partition/editing/sectors.ts', hunts: [['partition']] },
  { file: 'volume/lvm2/write/areas.ts', hunts: [['lvm2']] },
  { file: 'volume/lvm2/write/group.ts', hunts: [['lvm2']] },
  { file: 'volume/lvm2/write/label.ts', hunts: [['lvm2']] },
];
