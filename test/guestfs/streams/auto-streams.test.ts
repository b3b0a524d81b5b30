/** Streams on `auto`: before the appliance takes over, while a call waits that makes it, by themselves, and after it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import type { Guestfs } from '../../../src/guestfs/index.js';
import { autoHandle, needsAppliance } from '../../support/appliance.js';
import { scratchDirectory } from '../../support/scratch.js';
import { needs } from '../../support/tools.js';

const big = '/var/lib/dpkg/status';

async function open(): Promise<Guestfs> {
  const g = autoHandle();
  g.addDrive('samples/debian.qcow2', { readonly: true });
  await g.launch();
  await g.mountRo('/dev/sda2', '/');
  return g;
}

const bytesOf = async (stream: AsyncIterable<Uint8Array>): Promise<Buffer> => {
  const pieces: Uint8Array[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
};

/** The names in an archive, as tar tells them. */
const namesIn = (archive: Buffer, ...options: string[]): string[] =>
  execFileSync('tar', ['-t', ...options, '-f', '-'], { input: archive, encoding: 'utf8' })
    .split('\n')
    .sort();

const options = { ...needsAppliance(), timeout: 240_000 };

describe('streams on auto', options, () => {
  test('a stream that is half read is read to its end before a call goes over, and all are the same after it', async () => {
    await using g = await open();
    const whole = Buffer.from(await g.readFile(big));
    const range = { start: 1000, end: 9999 };
    const tar = await bytesOf(g.tarStream('/etc'));
    const stream = g.createReadStream(big, { highWaterMark: 4096 });
    const pieces = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const first = (await pieces.next()).value as Buffer;
    let isOver = false;
    const going = g.sh('true').catch((error: Error) => error.message);
    void going.then(() => {
      isOver = true;
    });
    const rest: Buffer[] = [first];
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      assert.deepEqual([isOver, g.backend], [false, 'embedded']);
      rest.push(next.value);
    }
    assert.ok(Buffer.concat(rest).equals(whole));
    await going;
    assert.equal(g.backend, 'direct');

    assert.ok((await bytesOf(g.createReadStream(big))).equals(whole));
    assert.ok((await bytesOf(g.createReadStream(big, range))).equals(whole.subarray(1000, 10_000)));
    assert.ok((await bytesOf(g.readable(big, range))).equals(whole.subarray(1000, 10_000)));
    assert.deepEqual(namesIn(await bytesOf(g.tarStream('/etc'))), namesIn(tar));
    const cut = g.tarStream('/');
    await cut[Symbol.asyncIterator]().next();
    cut.destroy();
    await new Promise((resolve) => cut.once('close', resolve));
    assert.equal(await g.cat('/etc/hostname'), 'dolphin\n');
  });

  test('a stream that only the appliance can make goes over by itself', needs('bzip2', 'unzip'), async () => {
    await using g = await open();
    const names = namesIn(await bytesOf(g.tarStream('/etc')));
    const compressed = await bytesOf(g.tarStream('/etc', { compress: 'bzip2' }));
    assert.equal(g.backend, 'direct');
    assert.deepEqual(namesIn(compressed, '-j'), names);
    const zip = join(scratchDirectory(), 'etc.zip');
    await pipeline(g.zipStream('/etc'), createWriteStream(zip));
    execFileSync('unzip', ['-tqq', zip]);
  });
});
