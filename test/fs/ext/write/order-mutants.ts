/** Errors that whoever writes an ext filesystem can make in its order, each of which crash-model.ts must show. */
import type { PlantedText } from '../../../support/planting.js';

interface OrderMutant extends PlantedText {
  readonly error: string;
  /** Which of the kinds of crash-model.ts shows it. */
  readonly kind: string;
  /** Who looks at what is left, one after the other: `own` recovery, or what is there without one, and e2fsck. */
  readonly judges: readonly ('own' | 'e2fsck')[];
}

const inOrder = { kind: 'ext2 1k', judges: ['own', 'e2fsck'] } as const;
const logged = { kind: 'ext3 2k', judges: ['own'] } as const;
const loggedByE2fsck = { kind: 'ext3 2k', judges: ['e2fsck'] } as const;

export const orderMutants: readonly OrderMutant[] = [
  {
    ...inOrder,
    error: 'no barrier between the phases',
    file: 'disk/write/rules.ts',
    original: '      writeBlocks(disk, blocks);\n      disk.flush();',
    planted: '      writeBlocks(disk, blocks);',
  },
  {
    ...inOrder,
    error: 'no barrier behind the data',
    file: 'disk/write/rules.ts',
    original: '    if (hasData) disk.flush();\n    for (const stage',
    planted: '    for (const stage',
  },
  {
    ...inOrder,
    error: 'what was to be written of a freed block before is not',
    file: 'disk/write/rules.ts',
    original: 'for (const { first, count } of freed) this.#freeze(first, count);',
    planted: '',
  },
  {
    ...inOrder,
    error: 'a block has in an early phase what a later one makes of it',
    file: 'disk/write/rules.ts',
    original:
      '      if (known !== undefined && known < base + stageIn(change.first, change))\n        this.#stages[known]?.set(number, change.before);\n',
    planted: '',
  },
  {
    ...inOrder,
    error: 'what an early phase made of a block is not written',
    file: 'disk/write/rules.ts',
    original:
      '      if (change !== undefined) this.#stage(base + stageIn(phase, change)).set(number, bytes);\n',
    planted: '',
  },
  {
    ...inOrder,
    error: 'the filesystem is said to be valid while it is written',
    file: 'fs/ext/journal/writing.ts',
    original: 's_state: now.s_state & ~superblockState.valid,',
    planted: 's_state: now.s_state,',
  },
  {
    ...inOrder,
    error: 'a name comes before its inode',
    file: 'fs/ext/write/writer.ts',
    original: '      blocks.barrier();\n      directories.add(volume.inode(directory),',
    planted: '      directories.add(volume.inode(directory),',
  },
  {
    ...inOrder,
    error: 'an inode goes before its name',
    file: 'fs/ext/write/writer.ts',
    original: '      this.#touchDirectory(directory, 0);\n      blocks.barrier();\n',
    planted: '      this.#touchDirectory(directory, 0);\n',
  },
  {
    ...inOrder,
    error: 'a directory goes before its name',
    file: 'fs/ext/write/writer.ts',
    original: '      this.#touchDirectory(directory, -1);\n      blocks.barrier();\n',
    planted: '      this.#touchDirectory(directory, -1);\n',
  },
  {
    ...inOrder,
    error: 'the old name, and what is replaced, go before the new name is there',
    file: 'fs/ext/write/writer.ts',
    original: '      blocks.barrier();\n      directories.remove(volume.inode(from), bytes);',
    planted: '      directories.remove(volume.inode(from), bytes);',
  },
  {
    ...logged,
    error: 'small writes that were gathered are not written before what leads to them',
    file: 'fs/ext/write/blocks.ts',
    original: 'if (this.#data !== undefined) this.#running.after(this.#data);',
    planted: '',
  },
  {
    ...logged,
    error: 'a block is taken that is free only when the transaction is durable',
    file: 'fs/ext/write/blocks.ts',
    original: 'return this.#journal.freedIn(first, end);',
    planted: 'return undefined;',
  },
  {
    ...loggedByE2fsck,
    error: 'a file without a name, which is held, is on no list',
    file: 'fs/ext/write/writer.ts',
    original: '    if (this.#held.has(number)) {\n      life.addOrphan(number);',
    planted: '    if (this.#held.has(number)) {',
  },
];
