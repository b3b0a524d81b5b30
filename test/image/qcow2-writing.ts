/** Images that qemu-img makes, changed by us, and looked at by qemu-img and our own check. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileDisk } from '../../src/disk/host/index.js';
import type { Disk } from '../../src/disk/index.js';
import { readHeader } from '../../src/image/qcow2/header.js';
import { checkQcow2 } from '../../src/image/qcow2/write/check.js';
import { readAll } from '../support/gaits.js';
import { noise, type Random } from '../support/random.js';
import { toolEnvironment } from '../support/tools.js';

export function qemuImg(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync('qemu-img', args, { encoding: 'utf8', env: toolEnvironment });
  assert.equal(status, 0, `qemu-img ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** qemu-img and our own check find nothing, not even a leak; and a check of ours that finds the same as qemu's. */
export function assertClean(path: string, what: string): void {
  const { status, stdout, stderr } = spawnSync('qemu-img', ['check', '-f', 'qcow2', path], {
    encoding: 'utf8',
    env: toolEnvironment,
  });
  assert.equal(status, 0, `${what}: ${stdout.slice(0, 1500)}${stderr.slice(0, 1500)}`);
  const file = new FileDisk(path);
  const { corruptions, leaks, problems } = checkQcow2(file, readHeader(file));
  file.close();
  assert.deepEqual({ corruptions, leaks, problems }, { corruptions: 0, leaks: 0, problems: [] }, what);
}

/** What qemu reads from an image. */
export function bytesByQemu(directory: string, path: string, snapshot?: string): Buffer {
  const to = join(directory, 'converted.raw');
  qemuImg(
    'convert',
    '-f',
    'qcow2',
    '-O',
    'raw',
    ...(snapshot === undefined ? [] : ['-l', `snapshot.name=${snapshot}`]),
    path,
    to,
  );
  return readFileSync(to);
}

/** Changes a disk and its model in the same way, at random. */
export function changeAtRandom(
  disk: Disk,
  model: Uint8Array,
  random: Random,
  rounds: number,
  most: number,
): void {
  for (let round = 0; round < rounds; round++) {
    const offset = random.below(disk.size);
    const length = 1 + random.below(Math.min(disk.size - offset, random.below(5) === 0 ? most : 3000));
    const kind = random.below(8);
    if (kind < 5) {
      const bytes = noise(Math.min(length, 4096), round);
      const from = new Uint8Array(length);
      for (let at = 0; at < length; at += bytes.length) from.set(bytes.subarray(0, length - at), at);
      disk.write(from, offset);
      model.set(from, offset);
    } else if (kind < 7) {
      disk.zero(offset, length, { discard: kind === 5 });
      model.fill(0, offset, offset + length);
    } else if (random.below(3) === 0) disk.flush();
    else {
      const found = new Uint8Array(length);
      disk.read(found, offset);
      assert.ok(Buffer.compare(found, model.subarray(offset, offset + length)) === 0, `round ${round}`);
    }
  }
}

export const assertSame = (found: Uint8Array, model: Uint8Array, what: string): void => {
  if (Buffer.compare(found, model) === 0) return;
  const at = found.findIndex((byte, index) => byte !== model[index]);
  assert.fail(`${what}: ${found.length} and ${model.length} bytes, which differ from ${at} on`);
};

export const assertHolds = (disk: Disk, model: Uint8Array, what: string): void =>
  assertSame(readAll(disk), model, what);

/** Bytes of which parts are zero, parts repeat and parts are noise. */
export function patchwork(size: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const piece = noise(5000, seed);
  for (let at = 0, turn = 0; at < size; at += 7000 + 1000 * (turn % 9), turn++)
    if (turn % 3 === 0) bytes.set(piece.subarray(0, Math.min(piece.length, size - at)), at);
    else if (turn % 3 === 1) bytes.fill(turn % 256, at, Math.min(size, at + 6000));
  return bytes;
}

export function writeRaw(path: string, bytes: Uint8Array): string {
  writeFileSync(path, bytes);
  return path;
}
