/** New images, as qemu reads them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createImage, imageChain, imageInfo } from '../../../src/engine/index.js';
import { needs, toolEnvironment } from '../../support/tools.js';

const directory = mkdtempSync(join(tmpdir(), 'guestfs-create-'));
after(() => rmSync(directory, { recursive: true, force: true }));
let count = 0;
const fresh = (name = 'disk') => join(directory, `${count++}-${name}`);

interface Told {
  readonly 'virtual-size': number;
  readonly 'cluster-size': number;
  readonly 'backing-filename'?: string;
  readonly 'backing-filename-format'?: string;
  readonly 'format-specific': { readonly data: { readonly compat: string } };
}

const told = (path: string): Told =>
  JSON.parse(
    execFileSync('qemu-img', ['info', '-U', '--output=json', path], {
      env: toolEnvironment,
      encoding: 'utf8',
    }),
  );

function check(path: string): void {
  const { status, stdout, stderr } = spawnSync('qemu-img', ['check', '-U', path], {
    env: toolEnvironment,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
}

const megabyte = 1024 * 1024;

test('a raw image is a file of that length, without space or with all of it', async () => {
  const sparse = fresh();
  await createImage(sparse, 'raw', 10_000_001, {});
  assert.equal(statSync(sparse).size, 10_000_001);
  assert.ok(statSync(sparse).blocks * 512 < megabyte);
  const full = fresh();
  await createImage(full, 'raw', 3 * megabyte + 1, { preallocation: 'full' });
  assert.equal(statSync(full).size, 3 * megabyte + 1);
  assert.ok(statSync(full).blocks * 512 >= 3 * megabyte);
  await createImage(full, 'raw', 512, {});
  assert.deepEqual(readFileSync(full), Buffer.alloc(512));
});

const sizes = [1, 512, 65536, 65537, 100 * megabyte, 5 * 1024 * 1024 * megabyte];

test('an empty qcow2 image is what qemu makes of these options', needs('qemu-img'), async () => {
  for (const size of sizes)
    for (const compat of ['0.10', '1.1'])
      for (const clustersize of [undefined, 512, 4096, 2097152]) {
        if (clustersize === 512 && size > 1024 * megabyte) continue;
        const path = fresh();
        await createImage(path, 'qcow2', size, { compat, clustersize });
        check(path);
        const info = told(path);
        assert.equal(info['virtual-size'], Math.ceil(size / 512) * 512);
        assert.equal(info['cluster-size'], clustersize ?? 65536);
        assert.equal(info['format-specific'].data.compat, compat);
        assert.equal((await imageInfo(path)).virtualSizeInBytes, info['virtual-size']);
        assert.ok(statSync(path).blocks * 512 <= 8 * megabyte);
        rmSync(path);
      }
});

test(
  'a qcow2 image with its space allocated reads as zeroes and is written in place',
  needs('qemu-img', 'qemu-io'),
  async () => {
    for (const [size, clustersize] of [
      [100, 512],
      [megabyte, 512],
      [40 * megabyte, 4096],
      [3 * megabyte + 512, 65536],
      [9 * megabyte, 2097152],
    ] as const)
      for (const preallocation of ['metadata', 'full']) {
        const path = fresh();
        await createImage(path, 'qcow2', size, { preallocation, clustersize });
        check(path);
        const before = statSync(path);
        if (preallocation === 'full') assert.ok(before.blocks * 512 >= size);
        const zero = spawnSync(
          'qemu-io',
          ['-f', 'qcow2', '-c', 'read -P 0 0 512', '-c', 'write -P 7 0 512', path],
          {
            env: toolEnvironment,
            encoding: 'utf8',
          },
        );
        assert.equal(zero.status, 0, zero.stderr);
        assert.doesNotMatch(zero.stdout, /verification failed/);
        check(path);
        // Its data had a place already, so nothing was added at the end.
        assert.equal(statSync(path).size, before.size);
        rmSync(path);
      }
  },
);

test('an image over another has its size, and names it as it was told', needs('qemu-img'), async () => {
  const base = fresh('base');
  await createImage(base, 'raw', 3_000_320, {});
  const middle = fresh('middle');
  const baseName = base.slice(directory.length + 1);
  await createImage(middle, 'qcow2', -1, { backingfile: baseName, backingformat: 'raw' });
  const top = fresh('top');
  await createImage(top, 'qcow2', -1, { backingfile: middle, backingformat: 'qcow2', compat: '0.10' });
  for (const [path, file, format] of [
    [middle, baseName, 'raw'],
    [top, middle, 'qcow2'],
  ] as const) {
    check(path);
    const info = told(path);
    assert.equal(info['virtual-size'], 3_000_320);
    assert.equal(info['backing-filename'], file);
    assert.equal(info['backing-filename-format'], format);
  }
  assert.deepEqual(
    (await imageChain(top)).map(({ format }) => format),
    ['qcow2', 'qcow2', 'raw'],
  );
});

test('options that make no sense are refused, and nothing is made', async () => {
  const path = fresh();
  const attempts: Parameters<typeof createImage>[] = [
    [path, 'raw', 0, {}],
    [path, 'raw', -1, {}],
    [path, 'raw', 512, { compat: '1.1' }],
    [path, 'raw', 512, { clustersize: 65536 }],
    [path, 'raw', -1, { backingfile: 'x' }],
    [path, 'raw', 512, { backingformat: 'raw' }],
    [path, 'raw', 512, { preallocation: 'metadata' }],
    [path, 'qcow2', 512, { backingfile: 'x', backingformat: 'raw' }],
    [path, 'qcow2', -1, { backingfile: 'x' }],
    [path, 'qcow2', -1, { backingfile: 'x', backingformat: 'raw,readonly' }],
    [path, 'qcow2', -1, { backingfile: 'x', backingformat: 'raw', preallocation: 'full' }],
    [path, 'qcow2', 512, { compat: '1.0' }],
    [path, 'qcow2', 512, { clustersize: 256 }],
    [path, 'qcow2', 512, { clustersize: 65537 }],
    [path, 'qcow2', 512, { preallocation: 'some' }],
    ['', 'qcow2', 512, {}],
    ['/dev/null', 'raw', 512, {}],
  ];
  for (const attempt of attempts)
    await assert.rejects(createImage(...attempt), { code: 'EINVAL' }, JSON.stringify(attempt));
  await assert.rejects(createImage(path, 'vmdk', 512, {}), { code: 'ENOTSUP' });
  await assert.rejects(createImage(path, 'qcow2', 2 ** 52, { clustersize: 512 }), { code: 'EFBIG' });
  const backing = { backingfile: `${path}-none`, backingformat: 'raw' };
  await assert.rejects(createImage(path, 'qcow2', -1, backing), { code: 'ENOENT' });
  await assert.rejects(createImage(`${directory}/none/x`, 'raw', 512, {}), { code: 'ENOENT' });
  assert.equal(existsSync(path), false);
});

test('an image that cannot be finished is removed, one that could not be begun is left', async () => {
  const path = fresh();
  await assert.rejects(createImage(path, 'raw', megabyte, { preallocation: 'full' }, AbortSignal.abort()), {
    code: 'ECANCELED',
  });
  assert.equal(existsSync(path), false);
  writeFileSync(path, 'kept');
  await assert.rejects(createImage(path, 'qcow2', megabyte, { compat: '2' }), { code: 'EINVAL' });
  assert.equal(readFileSync(path, 'utf8'), 'kept');
});

test('a pipe is refused at once: opening one would wait for its other end', needs('mkfifo'), async () => {
  const path = fresh('fifo');
  execFileSync('mkfifo', [path], { env: toolEnvironment });
  for (const format of ['raw', 'qcow2'])
    await assert.rejects(createImage(path, format, megabyte, {}), { code: 'EINVAL' });
  await assert.rejects(createImage('/dev/null', 'raw', megabyte, {}), { code: 'EINVAL' });
});
