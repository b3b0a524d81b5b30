/** The command on a filesystem with damaged things in it: all the rest, a warning each, and status 6. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readFixtureBuffer } from '../support/fixtures.js';
import { finished, scratch, start } from './command.js';

const image = join(scratch, 'damaged.img');
writeFileSync(image, readFixtureBuffer('damaged/ext4.img.gz'));
const run = (...args: string[]) => finished(start(args));

test('find prints all the rest, warns of each thing once and ends with status 6', async () => {
  const { status, out, err } = await run('find', '-m', '/dev/sda', image);
  assert.equal(status, 6);
  assert.equal(out.split('\n').filter(Boolean).length, 14);
  assert.equal(err.match(/^guestfs: warning: .*: left out$/gm)?.length, 3, err);
});

test('ls -l prints all the rest and ends with status 6; what is whole has status 0', async () => {
  const bad = await run('ls', '-l', '-m', '/dev/sda', image);
  assert.equal(bad.status, 6);
  assert.match(bad.out, / link$/m);
  assert.equal(bad.out.split('\n').filter(Boolean).length, 9);
  const good = await run('ls', '-l', '-m', '/dev/sda', `${image}:/good`);
  assert.deepEqual([good.status, good.err], [0, '']);
});

test('cp -r and tar-out leave what could be read in its place, and end with status 6', async () => {
  const tree = join(scratch, 'copied');
  const copy = await run('cp', '-r', '-m', '/dev/sda', `${image}:/`, tree);
  assert.equal(copy.status, 6);
  assert.equal(readdirSync(tree, { recursive: true }).length, 11);
  assert.match(copy.err, /^guestfs: cp: 5 files or directories are damaged and not all there: /m);
  assert.match(copy.err, /^hint: all that could be read is there/m);
  const archive = join(scratch, 'all.tar');
  const tar = await run('tar-out', '-m', '/dev/sda', `${image}:/`, archive);
  assert.equal(tar.status, 6);
  assert.equal(readFileSync(archive).length % 10240, 0);
  assert.ok(readFileSync(archive).includes('in good\n'));
});
