/** A filesystem whose journal is on another drive: the session finds it, and neither drive is changed. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixture } from '../support/fixtures.js';
import { scratchPath } from './support.js';

const image = scratchPath('filesystem.img');
const log = scratchPath('log.img');
const stored = readFixture('ext-external/external-4k-checksums.img.gz');
const storedLog = readFixture('ext-external/external-4k-checksums.log.gz');
writeFileSync(image, stored);
writeFileSync(log, storedLog);

test('a journal on another drive is replayed, and both drives stay as they are', async () => {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(image, { readonly: true, format: 'raw' });
  g.addDrive(log, { readonly: true, format: 'raw' });
  await g.launch();
  assert.equal(await g.vfsType('/dev/sdb'), 'jbd');
  await g.mountRo('/dev/sda', '/');
  assert.deepEqual((await g.ls('/')).sort(), ['kept', 'lost+found', 'new']);
  assert.equal(await g.readlink('/new/link'), '../kept');
  await g.umountAll();
  await g.close();
  assert.ok(Buffer.compare(readFileSync(image), stored) === 0);
  assert.ok(Buffer.compare(readFileSync(log), storedLog) === 0);
});

test('without the drive of its journal a filesystem is refused, and can be read as it was before', async () => {
  await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
  g.addDrive(image, { readonly: true, format: 'raw' });
  await g.launch();
  await assert.rejects(g.mountRo('/dev/sda', '/'), {
    code: 'ENOTSUP',
    message: /external journal 10a10a10-0003-4e5f-8a9b-00c0ffee0000, which is on no drive here/,
  });
  await g.mountOptions('ro,norecovery', '/dev/sda', '/');
  assert.ok((await g.ls('/')).includes('removed'));
});
