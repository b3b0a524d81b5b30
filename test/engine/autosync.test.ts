/** The end of a session: what was written to its drives is on their disks, unless autosync is off. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { BackendConfig } from '../../src/api/index.js';
import { Session } from '../../src/engine/session/session.js';

const directory = mkdtempSync(join(tmpdir(), 'guestfs-autosync-'));
after(() => rmSync(directory, { recursive: true }));

const image = join(directory, 'disk.img');
writeFileSync(image, Buffer.alloc(1024 * 1024));

/** A session on the image, whose drive counts its flushes. */
async function startSession(): Promise<{ session: Session; flushes: () => number }> {
  const config = {
    drives: [{ path: image, readonly: false, format: 'raw' }],
    policy: 'untrusted',
    tmpdir: directory,
  } as unknown as BackendConfig; // what a session reads of it
  const session = await Session.start(config, () => {});
  const [device] = session.devices.drives;
  assert.ok(device);
  const open = session.drive(device);
  assert.ok(open);
  const { disk } = open;
  let count = 0;
  const flush = disk.flush.bind(disk);
  disk.flush = () => {
    count++;
    flush();
  };
  return { session, flushes: () => count };
}

test('a session that ends with sync flushes its drives, and one without does not', async () => {
  for (const sync of [true, false]) {
    const { session, flushes } = await startSession();
    session.close({ sync });
    assert.equal(flushes(), sync ? 1 : 0);
  }
});

test('a drive that cannot be flushed is told of when all is closed', async () => {
  const { session } = await startSession();
  const [device] = session.devices.drives;
  const open = device && session.drive(device);
  assert.ok(open);
  open.disk.flush = () => {
    throw new Error('no space');
  };
  assert.throws(() => session.close({ sync: true }), /no space/);
  assert.equal(session.drive(device), undefined);
});
