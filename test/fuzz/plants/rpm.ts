/** Plants in the readers of rpm's databases. */
import type { Plant } from '../plant.js';

export const plants: readonly Plant[] = [
  {
    error: 'an error of the wrong kind is thrown',
    file: 'formats/rpm/header.ts',
    original: "throw corrupt('has a value outside it', { tag, offset });\n    places",
    planted: "throw new RangeError('has a value outside it');\n    places",
    target: 'formats/rpm',
    fixtures: ['rpm/packages.ndb.gz'],
    finding: /RangeError: has a value outside/,
  },
  {
    error: 'a tree whose pages lead back to themselves is walked for ever',
    file: 'formats/paged-value.ts',
    original: 'if (this.#used.has(page)) throw',
    planted: 'if (page < 0) throw',
    target: 'formats/rpm',
    fixtures: ['rpm/little.bdb.gz'],
    finding: /did not end/,
  },
  {
    error: 'an error of the wrong kind is thrown for a log',
    file: 'formats/sqlite/log.ts',
    original: "throw new CorruptError('SQLite log', 'has an impossible page size'",
    planted: "throw new TypeError('SQLite log has an impossible page size'",
    target: 'formats/sqlite-log',
    fixtures: ['rpm/logged.sqlite-wal.gz'],
    finding: /TypeError: SQLite log has/,
  },
];
