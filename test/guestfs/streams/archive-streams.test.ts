/** `tarStream` and `zipStream`: what foreign tools unpack is the tree of the guest, on both backends. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createWriteStream, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GuestfsError } from '../../../src/base/index.js';
import type { Guestfs } from '../../../src/guestfs/index.js';
import { ext4Image, scratchPath, withExt4 } from '../../engine/support.js';
import { directHandle, needsAppliance } from '../../support/appliance.js';
import { needs } from '../../support/tools.js';

/** Of 5 GiB each, and zeroes. */
const excludes = ['huge'];

/** The earliest time that a zip file holds is in 1980. */
const earliest = Date.UTC(1980, 0, 3) / 1000;

/** Each file and what it is: sum or target, permissions and time; of a directory the permissions alone. */
function describeTree(top: string, path = '', found = new Map<string, string>()): Map<string, string> {
  for (const name of readdirSync(Buffer.from(join(top, path), 'latin1'), { encoding: 'latin1' })) {
    const below = join(path, name);
    const full = Buffer.from(join(top, below), 'latin1');
    const stats = lstatSync(full);
    const time = Math.max(earliest, Math.floor(stats.mtimeMs / 1000));
    const mode = stats.mode.toString(8);
    if (stats.isSymbolicLink()) found.set(below, `-> ${readlinkSync(full, 'latin1')} ${time}`);
    else if (stats.isDirectory()) {
      found.set(below, mode);
      describeTree(top, below, found);
    } else if (stats.isFile())
      found.set(below, `${mode} ${time} ${createHash('sha256').update(readFileSync(full)).digest('hex')}`);
  }
  return found;
}

async function unpackBoth(g: Guestfs): Promise<void> {
  const [tar, zip] = [scratchPath('all.tar'), scratchPath('all.zip')];
  await pipeline(g.tarStream('/', { excludes, numericowner: true }), createWriteStream(tar));
  assert.equal(g.state, 'ready');
  await pipeline(g.zipStream('/', { excludes }), createWriteStream(zip));
  const [fromTar, fromZip] = [scratchPath('tar'), scratchPath('zip')];
  for (const directory of [fromTar, fromZip]) mkdirSync(directory);
  execFileSync('tar', ['-xpf', tar, '-C', fromTar, '--no-same-owner']);
  execFileSync('bsdtar', ['-xpf', zip, '-C', fromZip, '--no-same-owner']);
  const expected = describeTree(fromTar);
  assert.ok(expected.size > 20, `${expected.size}`);
  assert.deepEqual(describeTree(fromZip), expected);
  execFileSync('unzip', ['-tqq', zip]);
}

const tools = needs('tar', 'bsdtar', 'unzip');

test('both hold the tree', tools, () => withExt4(unpackBoth));

test('both hold the tree on the direct backend', { ...tools, ...needsAppliance() }, async () => {
  await using g = directHandle();
  g.addDrive(ext4Image(), { readonly: true, format: 'raw' });
  await g.launch();
  await g.mountRo('/dev/sda', '/');
  await unpackBoth(g);
});

// Half a minute of a processor: for a long run.
if (process.env.GUESTFS_TEST_LARGE !== undefined)
  test('a file of more than 4 GiB is whole in a zip file', tools, () =>
    withExt4(async (g) => {
      const zip = scratchPath('large.zip');
      await pipeline(g.zipStream('/', { level: 1 }), createWriteStream(zip));
      assert.ok(lstatSync(zip).size < 2 ** 26);
      execFileSync('unzip', ['-tqq', zip]);
      const { stSize } = await g.lstatns('/huge');
      assert.ok(stSize > 2 ** 32);
      const size = new RegExp(`\\b${stSize} .*huge$`, 'm');
      assert.match(execFileSync('unzip', ['-l', zip], { encoding: 'utf8' }), size);
      assert.match(execFileSync('bsdtar', ['-tvf', zip], { encoding: 'utf8' }), size);
    }),
  );

test('destroy ends a zip file within 100 ms', () =>
  withExt4(async (g) => {
    const times: number[] = [];
    for (let round = 0; round < 3; round++) {
      const stream = g.zipStream('/');
      stream.resume();
      await sleep(50);
      const began = performance.now();
      stream.destroy();
      await new Promise((resolve) => stream.once('close', resolve));
      times.push(performance.now() - began);
    }
    assert.ok(Math.min(...times) < 100, `${times}`);
    assert.equal(g.state, 'ready');
  }));

test('errors have the name of the method, and wrong options are refused', () =>
  withExt4(async (g) => {
    for (const [method, stream] of [
      ['tarStream', g.tarStream('/nowhere')],
      ['zipStream', g.zipStream('/nowhere')],
    ] as const)
      await assert.rejects(
        stream.toArray(),
        (thrown) =>
          thrown instanceof GuestfsError &&
          thrown.code === 'ENOENT' &&
          thrown.message.startsWith(`${method}: `),
      );
    const zip = g.zipStream.bind(g) as (...given: unknown[]) => unknown;
    assert.throws(() => zip('/', { level: 10 }), RangeError);
    assert.throws(() => zip('/', { xattrs: true }), /zipStream: no option xattrs/);
    assert.throws(() => zip('/', { password: 'x' }), /zipStream: no option password/);
  }));
