/** FAT volumes made and filled by the engine, on a disk that it has partitioned: the tools have no complaint. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GuestfsError } from '../../../src/base/index.js';
import { Guestfs } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs, toolEnvironment } from '../../support/tools.js';

const directory = scratchDirectory();

function complaintOf(program: string, ...args: string[]): string | undefined {
  const { status, stdout, stderr } = spawnSync(program, args, { env: toolEnvironment, encoding: 'utf8' });
  return status === 0 ? undefined : stdout + stderr;
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
    return thrown.code;
  }
}

test('a partition becomes a FAT volume with files', needs('fsck.fat', 'sgdisk'), async () => {
  const image = join(directory, 'disk.img');
  const size = 48 * 1024 * 1024;
  const descriptor = openSync(image, 'w');
  ftruncateSync(descriptor, size);
  closeSync(descriptor);
  {
    await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    g.addDrive(image, { format: 'raw' });
    await g.launch();
    await g.partInit('/dev/sda', 'gpt');
    await g.partAdd('/dev/sda', 'p', 2048, -34);
    await g.partSetBootable('/dev/sda', 1, true);
    await g.mkfs('vfat', '/dev/sda1', { label: 'EFI', blocksize: 1024 });
    assert.equal(await g.vfsLabel('/dev/sda1'), 'EFI');
    await g.mount('/dev/sda1', '/');
    await g.mkdirP('/EFI/boot');
    await g.write('/EFI/boot/bootx64.efi', 'a loader with a long name');
    await g.write('/startup.nsh', 'bootx64');
    await g.mv('/startup.nsh', '/EFI/Startup script.nsh');
    await g.write('/gone', 'x');
    await g.rm('/gone');
    assert.equal(await codeOf(g.lnS('/EFI', '/link')), 'EPERM');
    assert.equal(await codeOf(g.chown(1, 1, '/EFI')), 'EPERM');
    assert.equal(await codeOf(g.partDel('/dev/sda', 1)), 'EBUSY');
    assert.equal(await codeOf(g.mkfs('vfat', '/dev/sda1')), 'EBUSY');
    assert.deepEqual(await g.find('/'), [
      'EFI',
      'EFI/Startup script.nsh',
      'EFI/boot',
      'EFI/boot/bootx64.efi',
    ]);
    await g.umountAll();
    assert.equal(await codeOf(g.mkfs('vfat', '/dev/sda1', { blocksize: 256 })), 'EINVAL');
    await g.shutdown();
  }
  assert.equal(complaintOf('sgdisk', '-v', image), undefined);
  const partition = join(directory, 'partition.img');
  writeFileSync(partition, readFileSync(image).subarray(2048 * 512, size - 33 * 512));
  assert.equal(complaintOf('fsck.fat', '-n', partition), undefined);
});

test('what FAT refuses leaves the files that were to be replaced', needs('fsck.fat'), async () => {
  const image = join(directory, 'refused.img');
  const descriptor = openSync(image, 'w');
  ftruncateSync(descriptor, 8 * 1024 * 1024);
  closeSync(descriptor);
  {
    await using g = new Guestfs({ environment: false, backend: 'embedded', stderr: null });
    g.addDrive(image, { format: 'raw' });
    await g.launch();
    await g.mkfs('vfat', '/dev/sda');
    await g.mount('/dev/sda', '/');
    await g.mkdir('/Dir');
    for (const name of ['/one', '/two', '/Dir/three']) await g.write(name, name);
    await g.rename('/one', '/ONE');
    assert.equal(await codeOf(g.mv('/one', '/ONE')), 'EINVAL');
    assert.equal(await codeOf(g.mv('/Dir/three', '/DIR/THREE')), 'EINVAL');
    assert.equal(await codeOf(g.lnF('/one', '/two')), 'EPERM');
    assert.equal(await codeOf(g.lnSf('/one', '/two')), 'EPERM');
    assert.deepEqual(await g.find('/'), ['Dir', 'Dir/three', 'one', 'two']);
    assert.equal(await g.cat('/two'), '/two');
    await g.shutdown();
  }
  assert.equal(complaintOf('fsck.fat', '-n', image), undefined);
});
