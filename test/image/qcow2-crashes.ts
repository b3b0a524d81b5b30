/** Writes to qcow2 images on a disk that loses power, and what may be there then: leaks at worst, and what was synced. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Disk, MemoryDisk } from '../../src/disk/index.js';
import { qcow2Layout } from '../../src/formats/index.js';
import { readHeader } from '../../src/image/qcow2/header.js';
import { qcow2 } from '../../src/image/qcow2/index.js';
import { checkQcow2 } from '../../src/image/qcow2/write/check.js';
import { type CrashCount, type CrashTestOptions, countCrashes } from '../support/crashes.js';
import { readAll } from '../support/gaits.js';
import { noise, Random } from '../support/random.js';
import type { Crash, RecordingDisk } from '../support/recording-disk.js';
import { scratchDirectory } from '../support/scratch.js';
import { qemuImg } from './qcow2-writing.js';

const directory = scratchDirectory();
const path = join(directory, 'image.qcow2');
export const sizeInBytes = 96 * 1024;

export const open = (file: Disk, writable: boolean): Disk =>
  qcow2.open(file, {
    openNamed: () => assert.fail('nothing is named'),
    warn: () => {},
    writable,
  });

/** How much is full before, so that the table of counts has to move soon. */
const filledInBytes = 3920 * 512;

/**
 * Images that are cut: their names, the options of qemu-img, and what they have before: nothing, a snapshot that shares
 * their clusters, a bitmap that notes writes, or clusters in front that fill the table of counts.
 */
export const crashedImages = [
  ['small clusters', 'cluster_size=512,refcount_bits=64', 'nothing'],
  ['a table of counts that moves', 'cluster_size=512,refcount_bits=64', 'full'],
  ['a snapshot', 'cluster_size=1024', 'snapshot'],
  ['subclusters', 'cluster_size=16k,extended_l2=on', 'snapshot'],
  ['version 2', 'compat=0.10,cluster_size=512', 'snapshot'],
  ['a bitmap', 'cluster_size=1024', 'bitmap'],
] as const;

export function make(options: string, before: (typeof crashedImages)[number][2]): Uint8Array {
  const size = sizeInBytes + (before === 'full' ? filledInBytes : 0);
  qemuImg('create', '-q', '-f', 'qcow2', '-o', options, path, `${size}`);
  if (before === 'nothing') return readFileSync(path);
  const bytes = new MemoryDisk(new Uint8Array(readFileSync(path)), { writable: true });
  const disk = open(bytes, true);
  if (before === 'full') disk.write(noise(filledInBytes, 9), 0);
  else disk.write(noise(60_000, 9), 1000);
  disk.close();
  if (before === 'full') return readAll(bytes);
  writeFileSync(path, readAll(bytes));
  if (before === 'snapshot') qemuImg('snapshot', '-c', 'one', path);
  else qemuImg('bitmap', '--add', path, 'noting');
  return readFileSync(path);
}

/** Whether a bitmap of an image is said to know each write. */
function hasTrueBitmap(file: Disk): boolean {
  const { autoclear, bitmapEntry, bitmapFlags } = qcow2Layout;
  const { autoclear: features, bitmapDirectory } = readHeader(file);
  if (bitmapDirectory === undefined || (features & autoclear.bitmaps) === 0n) return false;
  const entry = new Uint8Array(bitmapEntry.size);
  file.read(entry, bitmapDirectory.offset);
  return (bitmapEntry.decode(entry).flags & bitmapFlags.inUse) === 0;
}

/** Writes and zeroes at random, with a barrier now and then; the states in between, by their marks. */
export function worker(rounds: number) {
  const states = new Map<string, Uint8Array>();
  const work = (recording: RecordingDisk): void => {
    const disk = open(recording, true);
    const start = disk.size - sizeInBytes;
    const model = readAll(disk).subarray(start);
    const random = new Random(3);
    const mark = (name: string, durable: boolean): void => {
      states.set(name, model.slice());
      recording.mark(name, durable);
    };
    mark('before', true);
    for (let round = 0; round < rounds; round++) {
      const offset = random.below(sizeInBytes);
      const length = 1 + random.below(Math.min(sizeInBytes - offset, 9000));
      if (random.below(4) > 0) {
        const bytes = noise(length, round);
        model.set(bytes, offset);
        disk.write(bytes, start + offset);
      } else {
        model.fill(0, offset, offset + length);
        disk.zero(start + offset, length, { discard: random.below(2) === 0 });
      }
      mark(`round ${round}`, false);
      if (round % 3 === 2) {
        disk.flush();
        mark(`flush ${round}`, true);
      }
    }
    disk.close();
    mark('closed', true);
  };
  let count = 0;
  const check = ({ image, allowed }: Crash): void => {
    const { corruptions, problems } = checkQcow2(image, readHeader(image));
    assert.equal(corruptions, 0, problems.join('\n'));
    const opened = open(image, false);
    const found = readAll(opened).subarray(opened.size - sizeInBytes);
    for (let at = 0; at < found.length; at += 512) {
      const sector = Buffer.from(found.subarray(at, at + 512));
      const fits = allowed.some((name) => sector.equals(states.get(name)?.subarray(at, at + 512) ?? sector));
      assert.ok(fits, `the sector at ${at} is of none of ${allowed.join(', ')}`);
    }
    if (hasTrueBitmap(image))
      assert.deepEqual(found, states.get('before'), 'what was written is in no bitmap that is to note it');
    if (count++ % 25 !== 0) return;
    const file = join(directory, 'crashed.qcow2');
    writeFileSync(file, readAll(image));
    const { status, stdout } = spawnSync('qemu-img', ['check', '-f', 'qcow2', file], { encoding: 'utf8' });
    assert.ok(status === 0 || status === 3, stdout); // 3: leaks alone
  };
  return { work, check };
}

const mebibyte = 1024 * 1024;

/** Sizes in bytes, before and after. */
export const resizings = [
  [40 * 1024, 2 * mebibyte],
  [2 * mebibyte, 40 * 1024],
] as const;

/** A change of the size of an image whose data is in a raw file of its own, which is as long as the disk afterwards. */
export function crashDataFile(options: CrashTestOptions): CrashCount {
  const [from, to] = resizings[0];
  const data = join(directory, 'data.raw');
  const words = `cluster_size=512,data_file_raw=on,data_file=${data}`;
  qemuImg('create', '-q', '-f', 'qcow2', '-o', words, path, `${from}`);
  const image = new MemoryDisk(new Uint8Array(readFileSync(path)), { writable: true });
  return countCrashes(
    new Uint8Array(readFileSync(data)),
    (recording) => {
      recording.mark('begun', true);
      qcow2.resize(image, to, { openNamed: () => recording, warn: () => {} });
      recording.mark('done', true);
    },
    ({ image: left, allowed }) =>
      assert.ok(left.size === to || (left.size === from && allowed.includes('begun')), `${left.size} bytes`),
    options,
  );
}

/** A change of an image's size: there is one size or the other then. */
export function crashResizing(from: number, to: number, options: CrashTestOptions): CrashCount {
  qemuImg('create', '-q', '-f', 'qcow2', '-o', 'cluster_size=512,refcount_bits=64', path, `${from}`);
  const image = new MemoryDisk(new Uint8Array(readFileSync(path)), { writable: true });
  const disk = open(image, true);
  disk.write(noise(30_000), 5000);
  disk.write(noise(5000, 4), from - 5000);
  const model = readAll(disk);
  disk.close();
  const kept = Math.min(from, to);
  return countCrashes(
    readAll(image),
    (recording) => {
      recording.mark('begun', true);
      qcow2.resize(recording, to, { openNamed: () => assert.fail(), warn: () => {} });
      recording.mark('done', true);
    },
    ({ image: left, allowed }) => {
      const { corruptions, problems } = qcow2.check(left);
      assert.equal(corruptions, 0, problems.join('\n'));
      const opened = open(left, false);
      assert.ok(opened.size === to || (opened.size === from && allowed.includes('begun')));
      const stays = readAll(opened).subarray(0, kept);
      assert.ok(Buffer.compare(stays, model.subarray(0, kept)) === 0, 'what stays is other bytes');
    },
    options,
  );
}
