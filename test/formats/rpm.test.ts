import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ByteSource, CorruptError, sourceOf, UnsupportedError, viewOf } from '../../src/base/index.js';
import { type Application, decodeRpmHeader, rpmPackages } from '../../src/formats/index.js';
import { readFixture, readFixtureJson } from '../support/fixtures.js';

/** What rpm itself lists, every field as it prints it. */
type Told = Readonly<Record<'number' | keyof Omit<Application, 'sourcePackage' | 'program'>, string>>;

const truth = readFixtureJson<Readonly<Record<string, readonly Told[]>>>('rpm/truth.json.gz');

const databases = {
  whole: 'rpm/whole.sqlite.gz',
  'size-512': 'rpm/size-512.sqlite.gz',
  'size-65536': 'rpm/size-65536.sqlite.gz',
  logged: 'rpm/logged.sqlite.gz',
  'broken-off': 'rpm/broken-off.sqlite.gz',
  little: 'rpm/little.bdb.gz',
  big: 'rpm/big.bdb.gz',
  'page-512': 'rpm/page-512.bdb.gz',
  ndb: 'rpm/packages.ndb.gz',
} as const;

const logBytes = readFixture('rpm/logged.sqlite-wal.gz');
const journalBytes = readFixture('rpm/broken-off.sqlite-journal.gz');

/** Files beside a database, by what their names have at the end. */
type Beside = Readonly<Record<string, Uint8Array>>;
const beside: Readonly<Record<string, Beside>> = {
  logged: { '-wal': logBytes },
  'broken-off': { '-journal': journalBytes },
};

/** A source that refuses what lies outside it, as disks do, and counts. */
function strict(bytes: Uint8Array): ByteSource & { read: ByteSource['read']; bytesRead: number } {
  const source = {
    size: bytes.length,
    bytesRead: 0,
    read(into: Uint8Array, offset: number) {
      if (offset < 0 || offset + into.length > bytes.length)
        throw new CorruptError('disk', 'is read past its end', { offset });
      source.bytesRead += into.length;
      into.set(bytes.subarray(offset, offset + into.length));
    },
  };
  return source;
}

function list(bytes: Uint8Array, files: Beside = {}): Told[] {
  const listed: Told[] = [];
  const sibling = (suffix: string) => {
    const found = files[suffix];
    return found && strict(found);
  };
  for (const { number, header } of rpmPackages(strict(bytes), sibling)) {
    const { sourcePackage, program, epoch, ...texts } = decodeRpmHeader(header());
    assert.deepEqual({ sourcePackage, program }, { sourcePackage: '', program: undefined });
    listed.push({ number: String(number), ...texts, epoch: String(epoch) });
  }
  return listed;
}

/** rpm prints `(none)` where there is no epoch. */
const asListed = (told: readonly Told[]): Told[] =>
  told.map((each) => ({ ...each, epoch: each.epoch === '(none)' ? '0' : each.epoch }));

for (const [name, file] of Object.entries(databases)) {
  test(`${name}: the packages are those that rpm lists, in its order`, () => {
    const told = truth[name] ?? [];
    assert.ok(told.length > 20);
    assert.deepEqual(list(readFixture(file), beside[name]), asListed(told));
  });
}

test('a log that is not written back counts as far as it was committed', () => {
  const database = readFixture(databases.logged);
  const committed = list(database, { '-wal': logBytes });
  const before = list(database);
  assert.ok(before.length > committed.length);
  // Any damage ends the log there: at its first frame nothing is left of it.
  const damaged = logBytes.slice();
  damaged[32 + 24 + 100] = (damaged[32 + 24 + 100] ?? 0) ^ 1;
  assert.deepEqual(list(database, { '-wal': damaged }), before);
  assert.deepEqual(list(database, { '-wal': new Uint8Array(0) }), before);
  // One that was never begun, and one of zeroes.
  assert.deepEqual(list(database, { '-wal': new Uint8Array(1_000_000) }), before);
});

test('a transaction that broke off is undone, and one that ended is not', () => {
  const database = readFixture(databases['broken-off']);
  const undone = list(database, { '-journal': journalBytes });
  const told = asListed(truth['size-512'] ?? []);
  assert.deepEqual(undone, told);
  assert.throws(() => list(database), CorruptError);
  // SQLite ends a transaction by removing, emptying or zeroing its journal.
  const whole = readFixture(databases['size-512']);
  for (const ended of [new Uint8Array(0), journalBytes.slice().fill(0, 0, 28)])
    assert.deepEqual(list(whole, { '-journal': ended }), told);
  const several = Buffer.concat([journalBytes, journalBytes.subarray(0, 8)]);
  assert.throws(() => list(database, { '-journal': several }), /several databases/);
});

test('lists of files are not read', () => {
  for (const name of ['whole', 'page-512', 'ndb'] as const) {
    const bytes = readFixture(databases[name]);
    const source = strict(bytes);
    const sizes: number[] = [];
    for (const { header } of rpmPackages(source, () => undefined)) {
      const value = header();
      const before = source.bytesRead;
      decodeRpmHeader(value);
      if (value.size > 60_000) sizes.push(source.bytesRead - before);
    }
    assert.equal(sizes.length, 1, name);
    assert.ok((sizes[0] ?? 0) <= 16_384, `${name}: ${sizes[0]}`);
  }
});

/** What a change of some bytes makes of a database. */
function refusal(name: keyof typeof databases, change: (bytes: Uint8Array, view: DataView) => void): string {
  const bytes = readFixture(databases[name]);
  change(bytes, viewOf(bytes));
  try {
    list(bytes);
  } catch (thrown) {
    assert.ok(thrown instanceof CorruptError || thrown instanceof UnsupportedError, String(thrown));
    return thrown.message;
  }
  return 'nothing';
}

test('page sizes that are impossible are refused', () => {
  for (const size of [0, 3, 511, 4097, 0x8001, 0xffff])
    assert.match(
      refusal('whole', (_, view) => view.setUint16(16, size)),
      /impossible page size/,
    );
  for (const size of [0, 256, 4097, 0x10_0000, 0xffff_ffff])
    assert.match(
      refusal('little', (_, view) => view.setUint32(20, size, true)),
      /impossible page size/,
    );
  assert.match(
    refusal('whole', (bytes) => bytes.fill(255, 20, 21)),
    /nothing|page|cell|row/,
  );
});

test('what other versions have is refused by its name', () => {
  assert.match(
    refusal('whole', (bytes) => bytes.fill(9, 19, 20)),
    /format version 9/,
  );
  assert.match(
    refusal('whole', (_, view) => view.setUint32(56, 2)),
    /UTF-16/,
  );
  assert.match(
    refusal('little', (_, view) => view.setUint32(16, 3, true)),
    /version 3 of hash files/,
  );
  assert.match(
    refusal('little', (_, view) => view.setUint32(12, 0x00053162, true)),
    /B-tree/,
  );
  assert.match(
    refusal('little', (_, view) => view.setUint8(24, 1)),
    /encryption/,
  );
  assert.match(
    refusal('little', (_, view) => view.setUint8(26, 1)),
    /checksums/,
  );
  assert.match(
    refusal('ndb', (_, view) => view.setUint32(4, 1, true)),
    /version 1/,
  );
  assert.match(
    refusal('ndb', (bytes) => bytes.fill(0, 0, 1)),
    /format that is not known/,
  );
});

test('a tree whose pages lead back to themselves ends', () => {
  // The root of the schema says that it is an interior page, whose last child is itself.
  const loop = refusal('whole', (bytes, view) => {
    bytes[100] = 5;
    view.setUint16(103, 0);
    view.setUint32(108, 1);
  });
  assert.match(loop, /uses a page twice/);
  const outside = refusal('whole', (bytes, view) => {
    bytes[100] = 5;
    view.setUint16(103, 0);
    view.setUint32(108, 0xffff_ffff);
  });
  assert.match(outside, /page that is not there/);
  assert.match(
    refusal('whole', (_, view) => view.setUint16(103, 0xffff)),
    /more cells than a page holds/,
  );
});

test('buckets that lead back to themselves end, and so do chains of pages', () => {
  const pages = (bytes: Uint8Array, type: number) =>
    Array.from({ length: bytes.length / 4096 }, (_, page) => page * 4096).filter(
      (at) => at > 0 && bytes[at + 25] === type,
    );
  const link = (type: number) =>
    refusal('little', (bytes, view) => {
      for (const at of pages(bytes, type)) view.setUint32(at + 16, at / 4096, true);
    });
  assert.match(link(13), /uses a page twice/);
  // A chain of pages ends when the header's length is reached: only a longer one goes round.
  const long = refusal('little', (bytes, view) => {
    const [at = 0] = pages(bytes, 7);
    view.setUint16(at + 22, 100, true);
    view.setUint32(at + 16, at / 4096, true);
  });
  assert.match(long, /uses a page twice|nothing/);
});

test('slots outside the file, or over each other, are refused', () => {
  const slot = 3 * 16;
  assert.match(
    refusal('ndb', (_, view) => view.setUint32(12, 0xffff_ffff, true)),
    /number of slots/,
  );
  assert.match(
    refusal('ndb', (_, view) => view.setUint32(slot + 8, 0x0fff_ffff, true)),
    /outside it/,
  );
  assert.match(
    refusal('ndb', (_, view) => view.setUint32(slot + 12, 0xffff_ffff, true)),
    /outside it/,
  );
  assert.match(
    refusal('ndb', (_, view) => view.setUint32(slot, 0, true)),
    /damaged slot/,
  );
  assert.match(
    refusal('ndb', (_, view) => view.setUint32(slot + 12, view.getUint32(slot + 12, true) + 1, true)),
    /overlap/,
  );
});

/** A header in memory, as sqlite has one in a cell. */
function headerOf(
  entries: readonly (readonly [tag: number, type: number, offset: number])[],
  data: Uint8Array,
) {
  const bytes = new Uint8Array(8 + 16 * entries.length + data.length);
  const view = viewOf(bytes);
  view.setUint32(0, entries.length);
  view.setUint32(4, data.length);
  for (const [i, [tag, type, offset]] of entries.entries()) {
    const at = 8 + 16 * i;
    for (const [j, number] of [tag, type, offset, 1].entries()) view.setUint32(at + 4 * j, number);
  }
  bytes.set(data, 8 + 16 * entries.length);
  return { size: bytes.length, start: () => bytes };
}

const texts = Buffer.from('bash\0\0\0\x000001\0');

test('a text ends at its first NUL, and what is missing is (none)', () => {
  const application = decodeRpmHeader(headerOf([[1000, 6, 0]], texts));
  assert.equal(application.name, 'bash');
  assert.equal(application.version, '(none)');
  assert.equal(application.epoch, 0);
});

test('of two entries for one tag, the one of the installed package counts', () => {
  const bytes = Buffer.from('old\0new\0');
  assert.equal(
    decodeRpmHeader(
      headerOf(
        [
          [1000, 6, 0],
          [1000, 6, 4],
        ],
        bytes,
      ),
    ).name,
    'new',
  );
});

test('an epoch is 32 bits with a sign, as the calls have it', () => {
  const data = Buffer.concat([Buffer.from('bash\0\0\0\0'), Buffer.from([0xff, 0xff, 0xff, 0xfe])]);
  assert.equal(
    decodeRpmHeader(
      headerOf(
        [
          [1000, 6, 0],
          [1003, 4, 8],
        ],
        data,
      ),
    ).epoch,
    -2,
  );
});

test('headers that are impossible are refused', () => {
  const refused = (entries: Parameters<typeof headerOf>[0], problem: RegExp, data: Uint8Array = texts) =>
    assert.throws(() => decodeRpmHeader(headerOf(entries, data)), { name: 'CorruptError', message: problem });
  refused([], /impossible size/);
  refused([[1001, 6, 0]], /no name/);
  refused([[1000, 6, 5000]], /outside/);
  refused([[1000, 4, 0]], /wrong type/);
  refused(
    [
      [1000, 6, 0],
      [1003, 6, 0],
    ],
    /wrong type/,
  );
  refused([[1000, 6, 0]], /without an end/, Buffer.from('bash'));
  refused(
    [
      [1000, 6, 0],
      [1003, 4, texts.length - 2],
    ],
    /outside/,
  );
  const { start, size } = headerOf([[1000, 6, 0]], texts);
  assert.throws(() => decodeRpmHeader({ start, size: size + 1 }), /another size/);
  assert.throws(() => decodeRpmHeader({ start, size: 7 }), /cut short/);
  // The magic of a package file is no header of a database.
  assert.throws(
    () => decodeRpmHeader({ size: 16, start: () => Buffer.from('8eade801000000000000000100000001', 'hex') }),
    /impossible size/,
  );
});

// The chain of a long package of Berkeley DB ends the file, and its end is not read.
test('databases that are cut short are errors, unless what is missing is never read', () => {
  for (const [name, file] of Object.entries(databases)) {
    const whole = readFixture(file);
    for (let part = 0; part < 24; part++) {
      let listed: Told[];
      try {
        listed = list(whole.subarray(0, Math.floor((whole.length * part) / 24)));
      } catch (thrown) {
        assert.ok(thrown instanceof CorruptError || thrown instanceof UnsupportedError, String(thrown));
        continue;
      }
      assert.deepEqual(listed, asListed(truth[name] ?? []));
      assert.match(file, /bdb/);
    }
  }
});

test('no file at all is no database', () => {
  assert.throws(() => rpmPackages(sourceOf(new Uint8Array(0)), () => undefined), /format that is not known/);
});
