/** Errors that a writer of logs can make, each of which the crashes of log-model.ts must show. */
import type { PlantedText } from '../../support/planting.js';

export interface LogMutant extends PlantedText {
  readonly error: string;
  /** Which of the kinds of log-images.ts shows it. */
  readonly kind: string;
}

const plain = 'a short log';

export const logMutants: readonly LogMutant[] = [
  {
    error: 'no barrier before the commit block',
    kind: plain,
    file: 'fs/ext/journal/transaction.ts',
    original: '  writeInOrder(log, placed);\n  log.flush();\n',
    planted: '  writeInOrder(log, placed);\n',
  },
  {
    error: 'the commit block before its blocks',
    kind: plain,
    file: 'fs/ext/journal/transaction.ts',
    original: '  writeInOrder(log, placed);\n  log.flush();\n',
    planted:
      '  log.write(commitBlock(journal, sequence, transaction.time), journal.offsetOf(logBlockAfter(journal, start, stored.length)));\n' +
      '  log.flush();\n  writeInOrder(log, placed);\n',
  },
  {
    error: 'no barrier behind the commit block',
    kind: plain,
    file: 'fs/ext/journal/transaction.ts',
    original: 'stored.length)));\n  log.flush();\n',
    planted: 'stored.length)));\n',
  },
  {
    error: 'a freed block is not revoked',
    kind: plain,
    file: 'fs/ext/journal/log.ts',
    original: 'if (this.#logged.has(number)) this.#revoked.add(number);',
    planted: '',
  },
  {
    error: 'a block that is changed again is still revoked',
    kind: plain,
    file: 'fs/ext/journal/log.ts',
    original: '      this.#revoked.delete(number);\n',
    planted: '',
  },
  {
    error: 'a freed block is handed out before the commit',
    kind: plain,
    file: 'disk/write/journal.ts',
    original: 'this.#freed.add(first, count);',
    planted: '',
  },
  {
    error: 'the magic number of the log is taken out, and nothing says so',
    kind: plain,
    file: 'fs/ext/journal/tags.ts',
    original: '(escaped ? tagFlags.escape : 0) |',
    planted: '',
  },
  {
    error: 'the tail moves before the blocks are in their places',
    kind: plain,
    file: 'fs/ext/journal/log.ts',
    original: '    this.#cache.disk.flush();\n    this.#writeStart(this.#head);',
    planted: '    this.#writeStart(this.#head);',
  },
  {
    error: 'blocks are written to their places, and the tail stays',
    kind: plain,
    file: 'fs/ext/journal/log.ts',
    original: '    this.#writeStart(this.#head);\n    this.#log.flush();\n    this.#used',
    planted: '    this.#used',
  },
  {
    error: 'the filesystem asks for no replay',
    kind: plain,
    file: 'fs/ext/journal/writing.ts',
    original: '(now.s_feature_incompat | incompat.needsRecovery) >>> 0',
    planted: 'now.s_feature_incompat',
  },
  {
    error: 'that a replay is needed is not durable before the first transaction',
    kind: plain,
    file: 'fs/ext/write/superblock-writer.ts',
    original: '  cache.disk.flush();\n',
    planted: '',
  },
  {
    error: 'the copy of the superblock in the log asks for no replay',
    kind: plain,
    file: 'disk/write/cache.ts',
    original: 'if (changed !== undefined) contents.add(',
    planted: 'if (changed === undefined) return;\n    if (length < 0) contents.add(',
  },
  {
    error: 'the request for a replay is cleared before the log is empty',
    kind: plain,
    file: 'fs/ext/journal/writing.ts',
    original: '      log.end();\n',
    planted:
      '      markSuperblock(cache, (now) => ({ s_feature_incompat: (now.s_feature_incompat & ~incompat.needsRecovery) >>> 0 }));\n' +
      '      log.end();\n',
  },
  {
    error: 'the log is said to be empty, and that is not durable',
    kind: plain,
    file: 'fs/ext/journal/log.ts',
    original: '    this.#writeStart(0);\n    this.#log.flush();',
    planted: '    this.#writeStart(0);',
  },
  {
    error: 'the beginning of the log is not said',
    kind: plain,
    file: 'fs/ext/journal/log.ts',
    original: '    this.#begin();\n',
    planted: '',
  },
  {
    error: 'the log wraps a block late',
    kind: plain,
    file: 'fs/ext/journal/transaction.ts',
    original: '% (end - first))',
    planted: '% (end - first + 1))',
  },
  {
    error: 'transactions of the log have one number',
    kind: plain,
    file: 'fs/ext/journal/log.ts',
    original: '(this.#sequence + 1) >>> 0',
    planted: 'this.#sequence',
  },
  {
    error: 'the data of an external journal’s filesystem is not flushed',
    kind: 'an external journal',
    file: 'fs/ext/journal/log.ts',
    original: 'if (hasData && this.#log !== disk) disk.flush();',
    planted: '',
  },
  {
    error: 'a checksum is that of another transaction',
    kind: 'checksums of version 3',
    file: 'fs/ext/journal/transaction.ts',
    original: 'dataChecksum(bytes, sequence, seed)',
    planted: 'dataChecksum(bytes, sequence + 1, seed)',
  },
];
