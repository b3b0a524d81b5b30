/** What is told of images that are only recognised, as qemu-img tells it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { GuestfsError } from '../../src/base/index.js';
import { readImageSummary } from '../support/host-images.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';

const directory = scratchDirectory();
const qemuImg = (...args: string[]) =>
  execFileSync('qemu-img', args, { env: toolEnvironment, encoding: 'utf8' });
const told = (path: string): { format: string; 'virtual-size': number } =>
  JSON.parse(qemuImg('info', '-U', '--output=json', path));

const made: readonly (readonly [format: string, ...options: string[]])[] = [
  ['raw'],
  ['qcow2'],
  ['qcow'],
  ['qed'],
  ['vdi'],
  ['vhdx'],
  ['vpc'],
  ['vpc', '-o', 'subformat=dynamic,force_size=on'],
  ['vmdk'],
  ['vmdk', '-o', 'subformat=monolithicFlat'],
  ['vmdk', '-o', 'subformat=streamOptimized'],
  ['parallels'],
];

for (const [index, [format, ...options]] of made.entries()) {
  test(`${[format, ...options].join(' ')}: format and size are what qemu-img says`, needs('qemu-img'), () => {
    for (const size of ['1M', '3000000K']) {
      const path = join(directory, `${index}-${size}`);
      qemuImg('create', '-q', '-f', format, ...options, path, size);
      const info = told(path);
      assert.deepEqual(readImageSummary(path), {
        format: info.format,
        virtualSizeInBytes: info['virtual-size'],
        hasBackingFile: false,
      });
    }
  });
}

test('a backing file is told of', needs('qemu-img'), () => {
  for (const format of ['qcow', 'qcow2', 'qed', 'vmdk']) {
    const base = join(directory, `base.${format === 'vmdk' ? 'vmdk' : 'raw'}`);
    qemuImg('create', '-q', '-f', format === 'vmdk' ? 'vmdk' : 'raw', base, '1M');
    const path = join(directory, `over.${format}`);
    qemuImg('create', '-q', '-f', format, '-b', base, '-F', format === 'vmdk' ? 'vmdk' : 'raw', path);
    assert.equal(readImageSummary(path).hasBackingFile, true, format);
  }
});

test('headers that are cut off or lie are no crash', needs('qemu-img'), () => {
  for (const [index, [format, ...options]] of made.entries()) {
    const path = join(directory, `bad-${index}`);
    qemuImg('create', '-q', '-f', format, ...options, path, '1M');
    const bytes = readFileSync(path).subarray(0, 512 * 1024);
    const variants = [0, 4, 8, 44, 63, 100, 368, 512].map((length) => bytes.subarray(0, length));
    for (let at = 0; at < 128; at += 4) {
      const bad = Buffer.from(bytes);
      bad.fill(0xff, at, at + 4);
      variants.push(bad);
    }
    for (const variant of variants) {
      writeFileSync(path, variant);
      try {
        readImageSummary(path);
      } catch (thrown) {
        assert.ok(thrown instanceof GuestfsError, String(thrown));
      }
    }
  }
});
