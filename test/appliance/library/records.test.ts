import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StructName } from '../../../src/api/index.js';
import { structKind } from '../../../src/appliance/wire/codec.js';
import { XdrWriter } from '../../../src/appliance/wire/xdr.js';
import { FakeDaemon, fails, run, writes } from './fake-daemon.js';

function records(name: StructName, rows: readonly Readonly<Record<string, unknown>>[]): Buffer {
  const writer = new XdrWriter();
  for (const row of rows) structKind(name).write(writer, row);
  return writer.finish();
}

const entries = [
  { ino: 2, ftyp: 'd', name: '.' },
  { ino: 12, ftyp: 'r', name: 'ä' },
];

test('a directory is read from a stream of records', async () => {
  for (const pieceLength of [1, 8192]) {
    const daemon = new FakeDaemon({ internal_readdir: writes(records('dirent', entries), pieceLength) });
    assert.deepEqual(await run(daemon, 'readdir', ['/d']), entries);
  }
});

test('an older daemon reads a directory in one message', async () => {
  const daemon = new FakeDaemon({ readdir: entries });
  assert.deepEqual(await run(daemon, 'readdir', ['/d']), entries);
  assert.deepEqual(daemon.procedures, ['internal_readdir', 'readdir']);
});

test('what is wrong with a directory is told, and nothing else is tried', async () => {
  const daemon = new FakeDaemon({
    internal_readdir: fails('ENOTDIR', '/d: not a directory'),
    readdir: entries,
  });
  await assert.rejects(run(daemon, 'readdir', ['/d']), { message: '/d: not a directory' });
});

const file = {
  tskInode: 12,
  tskType: 'r',
  tskSize: -1,
  tskName: 'gone',
  tskFlags: 0,
  tskAtimeSec: 1,
  tskAtimeNsec: 2,
  tskMtimeSec: 3,
  tskMtimeNsec: 4,
  tskCtimeSec: 5,
  tskCtimeNsec: 6,
  tskCrtimeSec: 7,
  tskCrtimeNsec: 8,
  tskNlink: 1,
  tskLink: '',
  tskSpare1: 0,
};

test('deleted files and fulfilled rules come as records', async () => {
  const found = records('tsk_dirent', [file, { ...file, tskName: 'other' }]);
  const daemon = new FakeDaemon({
    internal_filesystem_walk: writes(found),
    internal_find_inode: writes(found, 3),
    internal_yara_scan: writes(records('yara_detection', [{ yaraName: '/f', yaraRule: 'r' }])),
  });
  const expected = [file, { ...file, tskName: 'other' }];
  assert.deepEqual(await run(daemon, 'filesystem_walk', ['/dev/sda1']), expected);
  assert.deepEqual(await run(daemon, 'find_inode', ['/dev/sda1', 12]), expected);
  assert.deepEqual(await run(daemon, 'yara_scan', ['/']), [{ yaraName: '/f', yaraRule: 'r' }]);
  assert.equal(daemon.calls[1]?.args[1], 12);
});

function journal(...fields: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    fields.flatMap((field) => {
      const bytes = Buffer.from(field as Buffer);
      const length = Buffer.alloc(8);
      length.writeBigUInt64BE(BigInt(bytes.length));
      return [length, bytes];
    }),
  );
}

test('the fields of a journal entry are names and bytes', async () => {
  const binary = Buffer.from([0x42, 0x3d, 0x3d, 0x00, 0xff]);
  const daemon = new FakeDaemon({ internal_journal_get: writes(journal('MESSAGE=a=b', 'E=', binary), 5) });
  assert.deepEqual(await run(daemon, 'journal_get'), [
    { attrname: 'MESSAGE', attrval: Buffer.from('a=b') },
    { attrname: 'E', attrval: Buffer.alloc(0) },
    { attrname: 'B', attrval: Buffer.from([0x3d, 0x00, 0xff]) },
  ]);
  assert.deepEqual(await run(new FakeDaemon({ internal_journal_get: writes('') }), 'journal_get'), []);
});

test('records that break off or lie about their length are an error', async () => {
  const whole = records('dirent', entries);
  for (const bytes of [whole.subarray(0, -1), whole.subarray(0, 5), Buffer.alloc(13, 0xff)])
    await assert.rejects(run(new FakeDaemon({ internal_readdir: writes(bytes) }), 'readdir', ['/']), {
      code: 'EIO',
    });
  const long = journal('A=b');
  long[0] = 0xff;
  for (const bytes of [
    journal('A=b').subarray(0, -1),
    journal('A=b').subarray(0, 7),
    journal('noname'),
    long,
  ])
    await assert.rejects(run(new FakeDaemon({ internal_journal_get: writes(bytes) }), 'journal_get'), {
      code: 'EIO',
    });
});
