/** A crash while a qcow2 image is written loses space at worst: the tables agree, and what was synced is whole. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { GuestfsError } from '../../src/base/index.js';
import { MemoryDisk } from '../../src/disk/index.js';
import { readHeader } from '../../src/image/qcow2/header.js';
import { checkQcow2 } from '../../src/image/qcow2/write/check.js';
import { countCrashes, surviveCrashes } from '../support/crashes.js';
import { readAll } from '../support/gaits.js';
import { openImage } from '../support/host-images.js';
import { noise, Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs } from '../support/tools.js';
import { crashedImages, make, open, sizeInBytes, worker } from './qcow2-crashes.js';
import { qemuImg } from './qcow2-writing.js';

const path = join(scratchDirectory(), 'image.qcow2');

for (const [name, options, filled] of crashedImages)
  test(`a crash leaves leaks at worst, and what was synced: ${name}`, needs('qemu-img'), () => {
    const { work, check } = worker(24);
    surviveCrashes(make(options, filled), work, check, { most: filled === 'full' ? 100 : 300 });
  });

test('a barrier that is left out is found', needs('qemu-img'), () => {
  const before = make('cluster_size=512,refcount_bits=64', 'snapshot');
  const { work, check } = worker(9);
  const { recording } = countCrashes(before, work, () => {}, { most: 1 });
  const harmless: number[] = [];
  for (let barrier = 0; barrier < recording.barriers; barrier++) {
    const { wrong } = countCrashes(before, work, check, { most: 150, withoutBarriers: [barrier] });
    if (wrong.length === 0) harmless.push(barrier);
  }
  // Behind the last one nothing follows.
  assert.deepEqual(harmless, [recording.barriers - 1]);
});

test(
  'a host that fails at any write loses nothing that was synced, and its error is told',
  needs('qemu-img'),
  () => {
    const before = make('cluster_size=512,refcount_bits=64', 'snapshot');
    let failures = 0;
    for (const code of ['EIO', 'ENOSPC'] as const)
      for (let at = 1; ; at += 3) {
        let left = at;
        const fail = (): void => {
          if (--left === 0) throw new GuestfsError(code, 'the host');
        };
        class Failing extends MemoryDisk {
          override write(from: Uint8Array, offset: number): void {
            fail();
            super.write(from, offset);
          }
          override flush(): void {
            fail();
          }
        }
        const file = new Failing(before.slice(), { writable: true });
        const disk = open(file, true);
        const model = readAll(disk);
        const unsure = new Set<number>();
        const random = new Random(at);
        let thrown: unknown;
        try {
          for (let round = 0; round < 12; round++) {
            const offset = random.below(sizeInBytes - 3000);
            const bytes = noise(1 + random.below(3000), round);
            for (let sector = Math.floor(offset / 512); sector * 512 < offset + bytes.length; sector++)
              unsure.add(sector);
            disk.write(bytes, offset);
            model.set(bytes, offset);
            if (round % 3 === 2) {
              disk.flush();
              unsure.clear();
            }
          }
          disk.close();
          unsure.clear();
        } catch (error) {
          thrown = error;
        }
        if (thrown === undefined) break;
        failures++;
        assert.equal((thrown as { code?: string }).code, code);
        // Whatever comes now is told of or done, and nothing is torn.
        try {
          disk.write(noise(512), 0);
          unsure.add(0);
          model.set(noise(512), 0);
          disk.flush();
        } catch (error) {
          assert.ok(['EROFS', code].includes((error as { code: string }).code));
        }
        disk.close();
        const { corruptions, problems } = checkQcow2(file, readHeader(file));
        assert.equal(corruptions, 0, `${code} at ${at}: ${problems.join('\n')}`);
        const found = readAll(open(file, false));
        for (let sector = 0; sector * 512 < sizeInBytes; sector++)
          if (!unsure.has(sector))
            assert.deepEqual(
              found.subarray(sector * 512, sector * 512 + 512),
              model.subarray(sector * 512, sector * 512 + 512),
              `${code} at ${at}: sector ${sector}`,
            );
      }
    assert.ok(failures > 20, `${failures} failures`);
  },
);

test('a process that is killed while it writes leaves what it synced', needs('qemu-img'), async () => {
  qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=4096', path, '64M');
  const at = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  const program = `
    import ${at('../support/platform.js')};
    import { openImage } from ${at('../support/host-images.js')};
    const { disk } = openImage(${JSON.stringify(path)}, { writable: true });
    for (let turn = 1; ; turn++) {
      // Here and there, so that tables grow, and over what was there.
      for (let piece = 0; piece < 40; piece++)
        disk.write(new Uint8Array(3000).fill(turn), ((turn * 40 + piece) * 70_001) % (disk.size - 3000));
      disk.write(new Uint8Array(10_000).fill(turn), 0);
      disk.flush();
      process.stdout.write(turn + '\\n');
    }`;
  for (const turns of [1, 4, 9]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let synced = 0;
    for await (const chunk of child.stdout) {
      synced = Number(String(chunk).trim().split('\n').at(-1));
      if (synced >= turns) child.kill('SIGKILL');
    }
    const { status, stdout } = spawnSync('qemu-img', ['check', '-f', 'qcow2', path], { encoding: 'utf8' });
    assert.ok(status === 0 || status === 3, stdout);
    const disk = openImage(path).disk;
    const found = new Uint8Array(10_000);
    disk.read(found, 0);
    disk.close();
    assert.ok(
      found.every((byte) => byte === synced || byte === synced + 1),
      `${found[0]} after ${synced}`,
    );
  }
});
