/** Disks that need more than to be opened: sectors of 4096 bytes, labels of other machines, half of a volume group. */
import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readFixtureBuffer } from '../support/fixtures.js';
import { guestfs, scratch } from './command.js';

/** A drive of the fixtures, as a file. */
function drive(fixture: string, sizeInBytes?: number): string {
  const path = join(scratch, fixture.replaceAll('/', '-'));
  writeFileSync(path, readFixtureBuffer(`${fixture}.img.gz`));
  if (sizeInBytes !== undefined) truncateSync(path, sizeInBytes);
  return path;
}

describe('disks', { concurrency: 4 }, () => {
  test('a disk whose table is for sectors of 4096 bytes is read as such, with a word about it', async () => {
    const image = drive('partition/gpt-4k');
    const { status, out, err } = await guestfs('info', image);
    assert.equal(status, 0, err);
    assert.match(out, /\/dev\/sda: 8\.0M, gpt\n/);
    assert.match(out, /\/dev\/sda7/);
    assert.match(err, /gpt-4k: its partition table is for sectors of 4096 bytes/);
    assert.doesNotMatch(err, /warning/);
  });

  test('--blocksize says how large sectors are, and nothing is tried then', async () => {
    const image = drive('partition/gpt-4k');
    const large = await guestfs('info', '--blocksize=4096', image);
    assert.match(large.out, /\/dev\/sda7/);
    assert.equal(large.err, '');
    const small = await guestfs('info', '--blocksize=512', image);
    assert.match(small.out, /no partition table/);
    assert.match(small.err, /there is a GPT for sectors of 4096: add the drive with blocksize 4096/);
    assert.equal((await guestfs('info', '--blocksize=1024', image)).status, 2);
  });

  test('the partitions of other labels are shown, with a filesystem in one', async () => {
    const { status, out, err } = await guestfs('info', drive('scenarios/mac'));
    assert.equal(status, 0, err);
    assert.match(out, /\/dev\/sda: 8\.0M, mac\n/);
    assert.match(out, /\/dev\/sda2 .*Apple_UNIX_SVR2 .*ext2 'mac'/);
    assert.match(
      (await guestfs('cat', '-m', '/dev/sda2', `${drive('scenarios/mac')}:/mac`)).out,
      /Macintosh/,
    );
    const slices = await guestfs('info', drive('scenarios/slices'));
    assert.match(slices.out, /\/dev\/sda15 /);
    assert.equal(slices.err, '');
  });

  test('of half a volume group, the volumes that are wholly here are used and the others named', async () => {
    const image = drive('scenarios/half');
    const { status, out, err } = await guestfs('cat', `${image}:/f`);
    assert.equal(status, 0, err);
    assert.equal(out, 'on the volume that is here\n');
    assert.match(err, /not activated, as some of it is missing: \/dev\/vg\/there, \/dev\/vg\/both/);
    assert.equal((await guestfs('cat', '-m', '/dev/vg/here', `${image}:/f`)).out, out);
    assert.match((await guestfs('filesystems', image)).out, /\/dev\/vg\/here +ext2/);
    const missing = await guestfs('ls', '-m', '/dev/vg/there', image);
    assert.equal(missing.status, 4);
    assert.match(missing.err, /\/dev\/vg\/there: no such device: the volume group vg misses/);
  });
});
