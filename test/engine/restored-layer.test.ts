/** What a session has written to a drive whose writes are discarded is brought back from the file of its layer. */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Session } from '../../src/engine/session/session.js';
import { readAll } from '../support/gaits.js';
import { leftLayer, sessionConfig } from '../support/layers.js';
import { scratchDirectory } from '../support/scratch.js';
import '../support/platform.js';

const directory = scratchDirectory();
const cluster = 65536;

test('a drive has what was written to it after it was left twice, and the image is unchanged', async () => {
  const path = join(directory, 'base.raw');
  const image = Buffer.alloc(5 * cluster + 512, 'base ');
  writeFileSync(path, image);
  let layer: string | undefined;
  const expected = Buffer.from(image);
  for (const [offset, bytes] of [
    [cluster - 3, Buffer.from('over a border')],
    // A cluster of zeroes is a hole of the file, and must not show the image below.
    [2 * cluster, Buffer.alloc(cluster)],
    [image.length - 4, Buffer.from('end.')],
  ] as const) {
    bytes.copy(expected, offset);
    const before = layer;
    layer = await leftLayer(directory, { path, layer: before }, (disk) => disk.write(bytes, offset));
    if (before !== undefined) rmSync(before);
  }
  const session = await Session.start(sessionConfig(directory, { path, layer }), () => {});
  const [device] = session.devices.drives;
  assert.ok(device !== undefined);
  assert.ok(Buffer.from(readAll(device.disk)).equals(expected));
  session.close({ sync: false });
  assert.ok(readFileSync(path).equals(image));
});

test('a layer may be an open file without a name', async () => {
  const path = join(directory, 'below.raw');
  writeFileSync(path, Buffer.alloc(3 * cluster, 'base '));
  const named = await leftLayer(directory, { path }, (disk) => disk.write(Buffer.from('over'), cluster));
  const descriptor = openSync(named, 'r');
  rmSync(named);
  const layer = `/proc/${process.pid}/fd/${descriptor}`;
  const session = await Session.start(sessionConfig(directory, { path, layer }), () => {});
  const [device] = session.devices.drives;
  assert.ok(device !== undefined);
  assert.equal(Buffer.from(readAll(device.disk)).toString('latin1', cluster, cluster + 4), 'over');
  session.close({ sync: false });
  closeSync(descriptor);
});
