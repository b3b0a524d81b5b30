/** Files that are made and read before qemu runs: layers, kernels, filesystems. What is read may be anything. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { makeOverlay } from '../../src/appliance/drives/drives.js';
import { describeAppliance, findPlace } from '../../src/appliance/machine/appliance.js';
import { LineLog } from '../../src/appliance/machine/console.js';
import { readExtUuid, readKernelImage } from '../../src/appliance/machine/kernel-image.js';
import { listKernels } from '../../src/appliance/machine/supermin.js';
import { GuestfsError } from '../../src/base/index.js';
import { needs, toolEnvironment } from '../support/tools.js';
import { pattern } from './fake-daemon.js';
import { extHead, kernelHead } from './support.js';

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'guestfs-images-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

describe('the layer that takes writes', () => {
  const gibibyte = 2 ** 30;
  const sizes = [
    0,
    1,
    511,
    512,
    513,
    65536,
    gibibyte / 2,
    gibibyte / 2 + 1,
    100 * gibibyte + 512,
    2 ** 43,
    2 ** 50,
  ];

  test('is clean for qemu at every size, and as large as the disk', needs('qemu-img'), (t) => {
    const path = join(directory(t), 'a,b "c".qcow2');
    for (const size of sizes) {
      rmSync(path, { force: true });
      makeOverlay(path, size);
      const node = JSON.stringify({ driver: 'qcow2', file: { driver: 'file', filename: path } });
      const qemuImg = (...args: string[]): string =>
        execFileSync('qemu-img', args, { env: toolEnvironment, encoding: 'utf8' });
      const check = JSON.parse(qemuImg('check', '--output=json', `json:${node}`)) as Record<string, unknown>;
      assert.equal(check['check-errors'], 0, `${size}`);
      assert.equal(check.corruptions ?? 0, 0, `${size}`);
      assert.equal(check.leaks ?? 0, 0, `${size}`);
      const info = JSON.parse(qemuImg('info', '--output=json', `json:${node}`)) as Record<string, unknown>;
      assert.equal(info['virtual-size'], Math.ceil(size / 512) * 512);
      assert.equal(info['backing-filename'], undefined);
      assert.equal(statSync(path).mode & 0o7777, 0o600);
      assert.ok(statSync(path).blocks * 512 < 2 ** 20, 'its tables are holes');
    }
  });

  test('takes writes of qemu, to the last sector', needs('qemu-img', 'qemu-io'), (t) => {
    const path = join(directory(t), 'x.qcow2');
    for (const size of [512, gibibyte / 2 + 512, 2 ** 43]) {
      rmSync(path, { force: true });
      makeOverlay(path, size);
      const run = spawnSync(
        'qemu-io',
        ['-f', 'qcow2', '-c', `write -P 7 ${size - 512} 512`, '-c', `read -P 7 ${size - 512} 512`, path],
        {
          env: toolEnvironment,
          encoding: 'utf8',
        },
      );
      assert.equal(run.status, 0, run.stdout + run.stderr);
      assert.doesNotMatch(run.stdout, /failed/);
      execFileSync('qemu-img', ['check', path], { env: toolEnvironment });
    }
  });

  test('has a largest size', (t) => {
    const most = 2 ** 51;
    makeOverlay(join(directory(t), 'x'), most);
    assert.throws(
      () => makeOverlay(join(directory(t), 'y'), most + 1),
      (thrown) => thrown instanceof GuestfsError && thrown.code === 'EFBIG',
    );
  });

  test('is not made over what is there', (t) => {
    const path = join(directory(t), 'x');
    writeFileSync(path, 'mine');
    assert.throws(() => makeOverlay(path, 512), { code: 'EEXIST' });
  });
});

describe('the image of a kernel', () => {
  test('tells its processor and version', (t) => {
    const path = join(directory(t), 'kernel');
    writeFileSync(path, kernelHead());
    assert.deepEqual(readKernelImage(path), { architecture: 'x86_64', version: '6.1.0-test' });
  });

  test('of this machine is recognised', {
    ...(listKernels().all.length > 0 ? {} : { skip: 'no kernel in /boot' }),
  }, () => {
    const { all, unreadable } = listKernels();
    for (const path of all.filter((kernel) => !unreadable.includes(kernel))) {
      const { architecture, version } = readKernelImage(path);
      assert.equal(architecture, { x64: 'x86_64', arm64: 'aarch64' }[process.arch as 'x64' | 'arm64']);
      assert.equal(version, path.replace(/^.*\/vmlinu[xz]-/, ''));
    }
  });

  test('may be cut, zeroed or random', (t) => {
    const path = join(directory(t), 'kernel');
    const good = kernelHead();
    for (let length = 0; length <= good.length; length += 7) {
      writeFileSync(path, good.subarray(0, length));
      const { architecture, version } = readKernelImage(path);
      assert.equal(architecture, length >= 0x210 ? 'x86_64' : undefined);
      assert.ok(version === undefined || '6.1.0-test'.startsWith(version));
    }
    for (const content of [Buffer.alloc(4096), pattern(4096), pattern(60), Buffer.alloc(0)]) {
      writeFileSync(path, content);
      assert.deepEqual(readKernelImage(path), { architecture: undefined, version: undefined });
    }
    // The version lies where a number in the file says: before, behind, at no text at all.
    for (const at of [0, 1, 0xfe00, 0xffff]) {
      const kernel = kernelHead();
      kernel.writeUInt16LE(at, 0x20e);
      writeFileSync(path, kernel);
      assert.deepEqual(readKernelImage(path), { architecture: 'x86_64', version: undefined });
    }
    const endless = kernelHead();
    endless.fill('v', 0x300);
    writeFileSync(path, Buffer.concat([endless, Buffer.alloc(4096, 'v')]));
    assert.equal(readKernelImage(path).version, undefined);
  });

  test('may be missing or a directory', (t) => {
    const path = directory(t);
    for (const [what, expected] of [
      [join(path, 'nothing'), 'ENOENT'],
      [path, 'EISDIR'],
    ] as const)
      for (const read of [readKernelImage, readExtUuid])
        assert.throws(
          () => read(what),
          (thrown) =>
            thrown instanceof GuestfsError && thrown.code === expected && thrown.message.includes(what),
        );
  });
});

describe('the filesystem of an appliance', () => {
  test('has its UUID as blkid tells it', needs('mke2fs', 'blkid'), (t) => {
    const path = join(directory(t), 'root');
    execFileSync('mke2fs', ['-Fq', '-t', 'ext2', path, '1M'], { env: toolEnvironment });
    const told = execFileSync('blkid', ['-p', '-o', 'value', '-s', 'UUID', path], {
      env: toolEnvironment,
      encoding: 'utf8',
    });
    assert.equal(readExtUuid(path), told.trim());
  });

  test('may be cut, zeroed or random', (t) => {
    const path = join(directory(t), 'root');
    const good = extHead();
    for (let length = 0; length <= good.length; length += 5) {
      writeFileSync(path, good.subarray(0, length));
      assert.equal(
        readExtUuid(path),
        length >= 1024 + 0x78 ? '00112233-4455-6677-8899-aabbccddeeff' : undefined,
      );
    }
    for (const content of [Buffer.alloc(4096), pattern(4096)]) {
      writeFileSync(path, content);
      assert.equal(readExtUuid(path), undefined);
    }
  });
});

test('a whole appliance is found and described, and changes its identity with any file', (t) => {
  const path = directory(t);
  assert.equal(findPlace(`::${path}:relative`), undefined);
  for (const [name, content] of [
    ['README.fixed', ''],
    ['kernel', kernelHead()],
    ['initrd', 'x'],
    ['root', extHead()],
  ] as const)
    writeFileSync(join(path, name), content);
  assert.deepEqual(findPlace(`/no/such::${path}`), { kind: 'fixed', directory: path });
  const first = describeAppliance('fixed', path, 'x86_64');
  assert.equal(first.rootUuid, '00112233-4455-6677-8899-aabbccddeeff');
  assert.equal(first.rootSizeInBytes, 2048);
  assert.deepEqual(describeAppliance('fixed', path, 'x86_64'), first);
  writeFileSync(join(path, 'initrd'), 'xy');
  assert.notEqual(describeAppliance('fixed', path, 'x86_64').identity, first.identity);
  rmSync(join(path, 'initrd'));
  assert.throws(
    () => describeAppliance('fixed', path, 'x86_64'),
    (thrown) =>
      thrown instanceof GuestfsError && thrown.code === 'ENOENT' && thrown.message.includes('initrd'),
  );
  assert.ok(existsSync(path));
});

test('a console is lines of bounded length without what steers a terminal, in pieces of any length', async () => {
  const text = 'SeaBIOS (x)\r\n\x1b[2J\x1b[1;31mred\x1b[0m\t\x07\x1b]0;title\x07end\nünï\x00\x9b5n\n\x1b';
  const expected = ['SeaBIOS (x)', 'red\tend', 'ünï5n', ''];
  for (const size of [1, 3, 1000]) {
    const bytes = Buffer.from(text);
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.subarray(index * size, (index + 1) * size),
    );
    const heard: string[] = [];
    const log = new LineLog(Readable.from(pieces, { objectMode: false }), (line) => heard.push(line));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(heard, expected);
    assert.equal(log.lastLine, 'ünï5n');
    assert.ok(log.beyondFirmware);
  }
  const long: string[] = [];
  const log = new LineLog(Readable.from([Buffer.alloc(1_000_000, 'x')], { objectMode: false }), (line) =>
    long.push(line),
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(long.every((line) => line.length <= 4096));
  assert.ok(log.lines.length <= 128);
});
