/** Bitmaps of what was written, in qcow2 images that we write to: what qemu says of them, and does with them, then. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openImage } from '../support/host-images.js';
import { noise } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { assertClean, qemuImg } from './qcow2-writing.js';

const path = join(scratchDirectory(), 'bitmaps.qcow2');

/** An image with a bitmap that notes writes and one that does not any more, both with writes of qemu's in them. */
function make(): void {
  qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4096', path, '4M');
  for (const name of ['noting', 'resting']) qemuImg('bitmap', '--add', '-g', '4096', path, name);
  const { status, stderr } = spawnSync('qemu-io', ['-c', 'write -P 1 64k 200k', path], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  qemuImg('bitmap', '--disable', path, 'resting');
}

/** Whether qemu takes a bitmap for what was written since: merges it into a new one. */
function canMerge(name: string): boolean {
  qemuImg('bitmap', '--add', '--disable', '-g', '4096', path, 'merged');
  const words = ['bitmap', '--merge', name, path, 'merged'];
  const { status } = spawnSync('qemu-img', words, { env: toolEnvironment });
  qemuImg('bitmap', '--remove', path, 'merged');
  return status === 0;
}

const flags = (): Record<string, string[]> =>
  Object.fromEntries(
    (JSON.parse(qemuImg('info', '--output=json', path))['format-specific'].data.bitmaps ?? []).map(
      (each: { name: string; flags: string[] }) => [each.name, each.flags],
    ),
  );

/** Opens the image for writing and works on it. */
function write(work: (disk: ReturnType<typeof openImage>['disk']) => void): string[] {
  const told: string[] = [];
  const { disk } = openImage(path, { writable: true, warn: (message) => told.push(message) });
  work(disk);
  disk.close();
  return told;
}

test(
  'an image that is opened for writing and only read keeps its bitmaps',
  needs('qemu-img', 'qemu-io'),
  () => {
    make();
    const before = readFileSync(path);
    assert.deepEqual(
      write((disk) => disk.read(new Uint8Array(5000), 64 * 1024)),
      [],
    );
    assert.ok(readFileSync(path).equals(before));
    assert.ok(canMerge('noting') && canMerge('resting'));
  },
);

test(
  'what was noting is inconsistent to qemu after a write, and can be removed; what rests is kept',
  needs('qemu-img', 'qemu-io'),
  () => {
    for (const change of ['write', 'zero', 'discard'] as const) {
      make();
      const told = write((disk) => {
        if (change === 'write') disk.write(noise(10_000), 5000);
        else disk.zero(70_000, 50_000, { discard: change === 'discard' });
        disk.flush();
      });
      assert.match(told.join(), /noting$/);
      assert.deepEqual(flags(), { noting: ['in-use', 'auto'], resting: [] }, change);
      assertClean(path, change);
      assert.ok(!canMerge('noting'), `${change}: nobody takes a bitmap for true that missed a write`);
      assert.ok(canMerge('resting'), change);
      const clear = spawnSync('qemu-img', ['bitmap', '--clear', path, 'noting'], { env: toolEnvironment });
      assert.notEqual(clear.status, 0);
      qemuImg('bitmap', '--remove', path, 'noting');
      assert.deepEqual(flags(), { resting: [] });
      // A second write says no more, and qemu writes on.
      assert.deepEqual(
        write((disk) => disk.write(noise(100), 0)),
        [],
      );
      assert.equal(spawnSync('qemu-io', ['-c', 'write -P 2 1M 64k', path]).status, 0);
      assertClean(path, `${change}, and qemu's write`);
    }
  },
);

test(
  'bitmaps that another program made void are void to us, and to qemu afterwards',
  needs('qemu-img', 'qemu-io'),
  () => {
    make();
    // As a program leaves it that knows no bitmaps: the bit that says that they are true is cleared.
    const bytes = readFileSync(path);
    bytes.writeBigUInt64BE(bytes.readBigUInt64BE(88) & ~1n, 88);
    writeFileSync(path, bytes);
    assert.deepEqual(
      write((disk) => disk.write(noise(10_000), 5000)),
      [],
    );
    assert.deepEqual(flags(), {});
    const { stdout } = spawnSync('qemu-img', ['check', '-f', 'qcow2', path], { encoding: 'utf8' });
    // Their clusters are nobody's, to qemu: leaks at worst.
    assert.doesNotMatch(stdout, /corrupt|ERROR/);
  },
);
