/** Databases of packages, of each format, and the log and the journal beside one of SQLite. */
import { type ByteSource, sourceOf } from '../../src/base/index.js';
import { decodeRpmHeader, rpmPackages } from '../../src/formats/index.js';
import { fixturesIn, readFixture } from '../../test/support/fixtures.js';
import { type FieldPlace, part, type Target } from '../target.js';
import { diskOf } from '../trace.js';

/** Numbers of the pages of the small databases, of every kind: types, counts, offsets and links of each page. */
const pageFields = (bytes: Uint8Array): FieldPlace[] =>
  Array.from({ length: 64 }, (_, i) => i * 512)
    .filter((at) => at + 32 <= bytes.length)
    .flatMap((at) => [
      { at: at + 12, length: 4, little: true },
      { at: at + 16, length: 4, little: true },
      { at: at + 20, length: 2, little: true },
      { at: at + 3, length: 2, little: false },
      { at: at + 8, length: 4, little: false },
    ]);

const listPackages = (file: ByteSource, suffix = '', beside?: ByteSource): void => {
  const sibling = (asked: string) => (asked === suffix ? beside : undefined);
  for (const { header } of rpmPackages(file, sibling)) part(() => decodeRpmHeader(header()));
};

const rpm: Target = {
  name: 'formats/rpm',
  fixtures: fixturesIn('rpm', /(?:bdb|ndb|size-\d+\.sqlite)\.gz$/),
  fields: pageFields,
  run: (bytes) => listPackages(diskOf(bytes)),
};

/** The log of a database that is as it was. */
const sqliteLog: Target = {
  name: 'formats/sqlite-log',
  fixtures: ['rpm/logged.sqlite-wal.gz'],
  // The log's header, and that of its first frame.
  fields: () => Array.from({ length: 14 }, (_, i) => ({ at: 4 * i, length: 4, little: false })),
  run: (bytes) => listPackages(sourceOf(readFixture('rpm/logged.sqlite.gz')), '-wal', diskOf(bytes)),
};

const sqliteJournal: Target = {
  name: 'formats/sqlite-journal',
  fixtures: ['rpm/broken-off.sqlite-journal.gz'],
  fields: () => Array.from({ length: 7 }, (_, i) => ({ at: 4 * i, length: 4, little: false })),
  run: (bytes) => listPackages(sourceOf(readFixture('rpm/broken-off.sqlite.gz')), '-journal', diskOf(bytes)),
};

export const databaseTargets: readonly Target[] = [rpm, sqliteLog, sqliteJournal];
