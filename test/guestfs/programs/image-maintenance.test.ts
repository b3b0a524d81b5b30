/** Images as files: checked, repaired and resized by the engine's thread. */
import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { checkImage, Guestfs, imageInfo, resizeImage } from '../../../src/guestfs/index.js';
import { scratchDirectory } from '../../support/scratch.js';
import { checkQcow2, needs } from '../../support/tools.js';

const quiet = { environment: false, stderr: null } as const;
const directory = scratchDirectory();
const place = (name: string): string => join(directory, name);
/** All clusters of it are counted as used. */
const full = place('full.qcow2');
const clusterSize = 512;
const clusters = (256 * 1024 * 1024) / clusterSize;

before(async () => {
  await using g = new Guestfs({ ...quiet, backend: 'embedded' });
  await g.diskCreate(full, 'qcow2', 256 * 1024 * 1024, {
    preallocation: 'metadata',
    clustersize: clusterSize,
  });
});

describe('checkImage', () => {
  test('works in the thread of the engine: this one goes on, and hears how far it is', async () => {
    let ticks = 0;
    const clock = setInterval(() => ticks++, 1);
    const told: { position: number; total: number }[] = [];
    try {
      const { format, corruptions, leaks, allocatedClusters, totalClusters } = await checkImage(full, {
        ...quiet,
        onProgress: (progress) => told.push(progress),
      });
      assert.deepEqual([format, corruptions, leaks], ['qcow2', 0, 0]);
      assert.deepEqual([allocatedClusters, totalClusters], [clusters, clusters]);
    } finally {
      clearInterval(clock);
    }
    assert.ok(ticks > 5, `the event loop came round ${ticks} times`);
    assert.ok(
      told.every(({ position, total }, i) => position <= total && position >= (told[i - 1]?.position ?? 0)),
    );
  });

  test('ends when it is cancelled, and where its budget is used up', async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 30);
    await assert.rejects(checkImage(full, { ...quiet, signal: controller.signal }), { code: 'ECANCELED' });
    await assert.rejects(checkImage(full, { ...quiet, limits: { lookups: 1000 } }), {
      code: 'EDQUOT',
      action: 'checkImage',
    });
    await assert.rejects(checkImage(full, { ...quiet, limits: { bytes: 4096 } }), { code: 'EDQUOT' });
  });

  test('repairs, or changes nothing', needs('qemu-img'), async () => {
    const leaking = place('leaking.qcow2');
    copyFileSync(full, leaking);
    const bytes = readFileSync(leaking);
    const table = Number(bytes.readBigUInt64BE(48));
    const block = Number(bytes.readBigUInt64BE(table));
    bytes.writeUInt16BE(5, block + 2 * 20);
    writeFileSync(leaking, bytes);
    assert.ok((await checkImage(leaking, quiet)).leaks + (await checkImage(leaking, quiet)).corruptions > 0);
    assert.ok(readFileSync(leaking).equals(bytes));
    assert.deepEqual((await checkImage(leaking, { ...quiet, repair: 'all' })).problems, []);
    checkQcow2(leaking);
    await assert.rejects(checkImage(place('missing'), quiet), { code: 'ENOENT' });
  });
});

describe('resizeImage', () => {
  test('takes a size, or a change of it', needs('qemu-img'), async () => {
    const image = place('size.qcow2');
    copyFileSync(full, image);
    const mebibyte = 1024 * 1024;
    assert.deepEqual(await resizeImage(image, 300 * mebibyte, quiet), {
      before: 256 * mebibyte,
      after: 300 * mebibyte,
    });
    await resizeImage(image, { changeInBytes: 20 * mebibyte }, quiet);
    assert.equal((await imageInfo(image)).virtualSizeInBytes, 320 * mebibyte);
    const kept = statSync(image).mtimeMs;
    await assert.rejects(resizeImage(image, { changeInBytes: -mebibyte }, quiet), {
      code: 'EINVAL',
      message: /would be lost/,
    });
    await assert.rejects(resizeImage(image, { changeInBytes: -(2 ** 40) }, { ...quiet, shrink: true }), {
      code: 'EINVAL',
      message: /cannot be taken away/,
    });
    await assert.rejects(resizeImage(image, -1, quiet), RangeError);
    await assert.rejects(resizeImage(image, 1.5, quiet), RangeError);
    assert.equal(statSync(image).mtimeMs, kept);
    await resizeImage(image, mebibyte, { ...quiet, shrink: true });
    assert.equal((await imageInfo(image)).virtualSizeInBytes, mebibyte);
    checkQcow2(image);
  });
});
