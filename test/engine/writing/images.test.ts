/** Drives on images that are written in place, and on those that are not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Guestfs } from '../../../src/guestfs/index.js';
import { readFixture } from '../../support/fixtures.js';
import { noise } from '../../support/random.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';

const directory = scratchDirectory();

async function launch(path: string, options: { readonly?: boolean; format?: string } = {}): Promise<Guestfs> {
  const g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
  g.addDrive(path, options);
  await g.launch();
  return g;
}

test(
  'a qcow2 drive is changed in place, and locked until its handle is shut down',
  needs('qemu-img', 'qemu-io'),
  async () => {
    const path = join(directory, 'disk.qcow2');
    const g = new Guestfs({ environment: false, stderr: null, backend: 'embedded' });
    await g.diskCreate(path, 'qcow2', 5_000_192);
    await g.close();
    await using first = await launch(path);
    const bytes = Buffer.from(noise(30_000));
    assert.equal(await first.pwriteDevice('/dev/sda', bytes, 70_001), bytes.length);
    const byQemu = spawnSync('qemu-io', ['-c', 'write 0 512', path], { encoding: 'utf8' });
    assert.match(byQemu.stderr, /lock/);
    await assert.rejects(launch(path), {
      code: 'EBUSY',
      message: /in use by another handle of this process/,
    });
    await (await launch(path, { readonly: true })).close();
    await first.shutdown();
    const { status, stdout } = spawnSync('qemu-img', ['check', path], { encoding: 'utf8' });
    assert.equal(status, 0, stdout);
    await using second = await launch(path);
    assert.ok(bytes.equals(await second.preadDevice('/dev/sda', bytes.length, 70_001)));
  },
);

test(
  'a file on an image that the engine only reads is refused by name when it is changed',
  needs('qemu-img'),
  async () => {
    const raw = join(directory, 'names.img');
    const path = join(directory, 'names.vmdk');
    writeFileSync(raw, readFixture('cli/names.img.gz'));
    assert.equal(spawnSync('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', raw, path]).status, 0);
    const bytes = readFileSync(path);
    await using g = await launch(path);
    await g.mount('/dev/sda', '/');
    await g.ls('/');
    await assert.rejects(g.touch('/new'), {
      code: 'ENOTSUP',
      message: /writing to vmdk images .*direct backend/,
    });
    await g.shutdown();
    assert.ok(readFileSync(path).equals(bytes));
  },
);

test('a drive of a format that the engine only reads is refused by name when it is written to', async () => {
  const path = join(directory, 'disk.vmdk');
  const bytes = readFixture('vmdk/sparse.vmdk.gz');
  writeFileSync(path, bytes);
  await using g = await launch(path);
  await g.preadDevice('/dev/sda', 512, 0);
  await assert.rejects(g.pwriteDevice('/dev/sda', Buffer.alloc(512), 0), {
    code: 'ENOTSUP',
    message: /writing to vmdk images .*direct backend/,
  });
  assert.ok(readFileSync(path).equals(bytes));
});
