/** Journals of systemd, against what journalctl says of them: every compression, compact or not, and files together. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixture } from '../support/fixtures.js';
import { scratchPath } from './support.js';

type Fields = readonly (readonly [name: string, hex: string])[];

interface Entry {
  readonly realtime: number;
  readonly fields: Fields;
}

/** The export format of journalctl. What it says of an entry itself, and of the boot, is not among the fields. */
function readExport(name: string): Entry[] {
  const bytes = Buffer.from(readFixture(`journal/${name}.export.gz`));
  const entries: Entry[] = [];
  let fields: [string, string][] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf('\n', at);
    const line = bytes.subarray(at, end);
    at = end + 1;
    if (line.length === 0) {
      const realtime = Number(fields.find(([key]) => key === '__REALTIME_TIMESTAMP')?.[1]);
      entries.push({
        realtime,
        fields: fields.filter(([key]) => !key.startsWith('__') && key !== '_BOOT_ID'),
      });
      fields = [];
      continue;
    }
    const equals = line.indexOf('=');
    const key = line.toString('latin1', 0, equals < 0 ? line.length : equals);
    let value = line.subarray(equals + 1);
    if (equals < 0) {
      const length = Number(bytes.readBigUInt64LE(at));
      value = bytes.subarray(at + 8, at + 8 + length);
      at += 8 + length + 1;
    }
    fields.push([key, key.startsWith('__') ? value.toString() : value.toString('hex')]);
  }
  return entries;
}

async function present(g: Guestfs): Promise<Entry> {
  return {
    realtime: await g.journalGetRealtimeUsec(),
    fields: (await g.journalGet())
      .map(({ attrname, attrval }) => [attrname, Buffer.from(attrval).toString('hex')] as const)
      .filter(([key]) => key !== '_BOOT_ID'),
  };
}

async function withJournals(
  files: Readonly<Record<string, string>>,
  work: (g: Guestfs) => Promise<void>,
): Promise<void> {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDriveScratch(64 * 1024 * 1024);
  await g.launch();
  await g.mkfs('ext4', '/dev/sda');
  await g.mount('/dev/sda', '/');
  await g.mkdirP('/log/11111111222233334444555555555555');
  await g.mkdir('/log/11111111222233334444555555555555.namespace');
  for (const [path, name] of Object.entries(files)) {
    const local = scratchPath('journal');
    writeFileSync(local, readFixture(`journal/${name}.journal.gz`));
    await g.upload(local, `/log/${path}`);
  }
  await work(g);
}

for (const name of ['regular', 'compact', 'xz', 'lz4'])
  test(`a journal: ${name}`, async () => {
    await withJournals({ 'system.journal': name }, async (g) => {
      const truth = readExport(name);
      await g.journalOpen('/log');
      await g.journalSetDataThreshold(0);
      const found: Entry[] = [];
      while (await g.journalNext()) found.push(await present(g));
      assert.deepEqual(found, truth);
      assert.equal(await g.journalNext(), false);
      assert.deepEqual(await present(g), truth.at(-1));
    });
  });

test('files of one directory and of its machines are one journal, forwards and backwards', async () => {
  const machine = '11111111222233334444555555555555';
  const files = {
    'user.journal~': 'compact',
    [`${machine}/system.journal`]: 'other',
    // The same entries once more, and one that is no journal of this machine.
    [`${machine}/copy.journal`]: 'compact',
    [`${machine}.namespace/system.journal`]: 'xz',
  };
  await withJournals(files, async (g) => {
    const truth = readExport('together');
    await g.journalOpen('/log/');
    await assert.rejects(g.journalGet(), { code: 'EADDRNOTAVAIL' });
    await assert.rejects(g.journalGetRealtimeUsec(), { code: 'EADDRNOTAVAIL' });
    await g.journalSetDataThreshold(0);
    // As in libsystemd, to the last of the files' first entries.
    assert.equal(await g.journalSkip(-1), 1);
    const twos = truth.findIndex(({ realtime }) => realtime === 1_600_000_030_500_000);
    assert.deepEqual(await present(g), truth[twos]);
    assert.equal(await g.journalNext(), true);
    assert.deepEqual(await present(g), truth[twos + 1]);
    await g.journalOpen('/log');
    await g.journalSetDataThreshold(0);
    assert.equal(await g.journalSkip(40), 40);
    assert.deepEqual(await present(g), truth[39]);
    assert.equal(await g.journalSkip(-15), 15);
    assert.deepEqual(await present(g), truth[24]);
    assert.equal(await g.journalSkip(1000), truth.length - 25);
    assert.deepEqual(await present(g), truth.at(-1));
    const found: Entry[] = [await present(g)];
    while ((await g.journalSkip(-1)) === 1) found.push(await present(g));
    assert.deepEqual(found.reverse(), truth);
    assert.equal(await g.journalSkip(0), 0);
  });
});

test('the threshold is kept until the journal is opened anew, and long fields are whole', async () => {
  await withJournals({ 'system.journal': 'compact' }, async (g) => {
    await g.journalOpen('/log');
    assert.equal(await g.journalGetDataThreshold(), 65_536);
    await g.journalSetDataThreshold(100);
    assert.equal(await g.journalGetDataThreshold(), 100);
    await assert.rejects(g.journalSetDataThreshold(-1), { code: 'EINVAL' });
    await g.journalSkip(8);
    assert.deepEqual((await present(g)).fields, readExport('compact')[7]?.fields);
    await g.journalOpen('/log');
    assert.equal(await g.journalGetDataThreshold(), 65_536);
  });
});

test('a file that is no journal is left out, and said to be one where nothing else is there', async () => {
  await withJournals({ 'system.journal': 'compact' }, async (g) => {
    const warnings: string[] = [];
    g.on('warning', (message) => warnings.push(message));
    await g.write('/log/broken.journal', 'nothing of the kind');
    await g.journalOpen('/log');
    assert.equal(await g.journalNext(), true);
    assert.match(warnings.join(), /broken\.journal.*journal file.*left out/);
    await g.rm('/log/system.journal');
    await assert.rejects(g.journalOpen('/log'), { code: 'EIO' });
    await assert.rejects(g.journalNext(), /no journal is open/);
    await assert.rejects(g.journalClose(), /no journal is open/);
    await assert.rejects(g.journalOpen('/missing'), { code: 'ENOENT' });
  });
});
