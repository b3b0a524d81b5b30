/** Drives in what images are shipped in: those that a backend does not read, and several disks in one. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Guestfs } from '../../src/guestfs/index.js';
import { readFixtureBuffer } from '../support/fixtures.js';
import { scratchDirectory } from '../support/scratch.js';
import { archive } from '../support/tar-archive.js';

const directory = scratchDirectory();

function file(name: string, bytes: Uint8Array): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

async function launched(
  backend: 'embedded' | 'direct' | 'auto',
  path: string,
): Promise<{ g: Guestfs; warnings: string[] }> {
  const warnings: string[] = [];
  const g = new Guestfs({ environment: false, backend, stderr: null });
  g.on('warning', (message) => warnings.push(String(message)));
  g.addDrive(path, { readonly: true });
  try {
    await g.launch();
    return { g, warnings };
  } catch (thrown) {
    await g.close();
    throw thrown;
  }
}

test('the appliance is not started with a compressed image: the error says to unpack it', async () => {
  const disk = readFixtureBuffer('ext/ext2-1k.img.gz');
  const packed = file('disk.img.gz', gzipSync(disk));
  await assert.rejects(launched('direct', packed), {
    code: 'ENOTSUP',
    message: /disk\.img\.gz: the gzip file: .*unpack it, and add the image itself/,
  });
  // The engine unpacks it, and `auto` goes over to no machine that could not.
  for (const backend of ['embedded', 'auto'] as const) {
    const { g } = await launched(backend, packed);
    assert.equal(await g.blockdevGetsize64('/dev/sda'), disk.length);
    await g.close();
  }
});

test('of several disks in an archive the first is the drive, and a warning says how to add the others', async () => {
  const text = 'x'.repeat(1024);
  const path = file(
    'disks.tar',
    archive(...['a.raw', 'b.raw', 'c.raw'].map((name) => ({ name, type: 'file' as const, text }))),
  );
  const { g, warnings } = await launched('embedded', path);
  assert.equal(await g.blockdevGetsize64('/dev/sda'), 1024);
  await g.close();
  assert.match(warnings.join(), /more disks than ‘a\.raw’, which is opened: b\.raw, c\.raw; unpack it/);
});
