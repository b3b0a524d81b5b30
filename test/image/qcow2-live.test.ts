/** Images that the installed qemu writes at random, in every combination of options, read as qemu reads them. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { joined, readAll, spansOf } from '../support/gaits.js';
import { openImage } from '../support/host-images.js';
import { Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { needs, toolEnvironment } from '../support/tools.js';

const directory = scratchDirectory();
const options = { cwd: directory, env: toolEnvironment, encoding: 'utf8' } as const;

function qemuImg(...words: string[]): string {
  return execFileSync('qemu-img', words, options);
}

const sizeInBytes = 5 * 1024 * 1024 + 512;

/** Random writes, zeroes and discards; before them compressed clusters, which qemu writes only where nothing is yet. */
function scribble(image: string, seed: number, compressedClusterSize?: number): void {
  const random = new Random(seed);
  const commands: string[] = [];
  if (compressedClusterSize !== undefined) {
    const clusters = new Set(
      Array.from({ length: 8 }, () => Math.floor((random.next() * sizeInBytes) / compressedClusterSize)),
    );
    for (const cluster of clusters) {
      const offset = cluster * compressedClusterSize;
      if (offset + compressedClusterSize > sizeInBytes) continue;
      commands.push(`write -c -P ${1 + (cluster % 255)} ${offset} ${compressedClusterSize}`);
    }
  }
  for (let i = 0; i < 60; i++) {
    const length = Math.max(1, Math.floor(random.next() ** 5 * 600_000));
    const offset = Math.floor(random.next() * (sizeInBytes - length));
    const kind = random.next();
    if (kind < 0.6) commands.push(`write -P ${1 + i} ${offset} ${length}`);
    else if (kind < 0.75) commands.push(`write -z ${offset} ${length}`);
    else if (kind < 0.85) commands.push(`write -z -u ${offset} ${length}`);
    else commands.push(`discard ${offset} ${length}`);
  }
  const run = spawnSync('qemu-io', ['-f', 'qcow2', image], {
    ...options,
    input: `${commands.join('\n')}\nquit\n`,
  });
  assert.equal(run.status, 0, `${run.stdout}${run.stderr}`);
}

function compare(image: string): void {
  qemuImg('convert', '-O', 'raw', image, 'contents.raw');
  const theirs = readFileSync(join(directory, 'contents.raw'));
  // What is zero without being a hole of the image is a hole of the host's file.
  const map = JSON.parse(qemuImg('map', '--output=json', image)) as {
    start: number;
    length: number;
    data: boolean;
  }[];
  const { disk } = openImage(join(directory, image), { policy: 'untrusted' });
  try {
    assert.equal(disk.size, theirs.length);
    for (const step of [disk.size, 65536, 33_333]) {
      assert.ok(Buffer.compare(readAll(disk, step), theirs) === 0, `${image}, ${step} bytes at a time`);
    }
    const expected = joined(map.map(({ start, length, data }) => ({ start, length, zero: !data })));
    assert.deepEqual(spansOf(disk), expected);
  } finally {
    disk.close();
  }
}

const variants: [title: string, clusterSize: number, words: string[]][] = [
  ['version 2', 65536, ['compat=0.10']],
  ['version 3', 65536, ['compat=1.1']],
  ['clusters of 512 bytes', 512, ['cluster_size=512']],
  ['clusters of 4 KiB', 4096, ['cluster_size=4k']],
  ['clusters of 2 MiB', 2 ** 21, ['cluster_size=2M']],
  ['subclusters', 65536, ['extended_l2=on']],
  ['subclusters of 512 bytes', 16384, ['extended_l2=on,cluster_size=16k']],
  ['zstd', 65536, ['compression_type=zstd']],
  ['zstd and subclusters', 32768, ['compression_type=zstd,extended_l2=on,cluster_size=32k']],
  ['a data file', 65536, ['data_file=live-data.bin']],
  ['a raw data file', 65536, ['data_file=live-raw.bin,data_file_raw=on']],
  ['lazy reference counts', 65536, ['lazy_refcounts=on']],
  ['preallocated tables', 65536, ['preallocation=metadata']],
  ['preallocated tables and subclusters', 65536, ['preallocation=metadata,extended_l2=on']],
  ['one-bit reference counts', 65536, ['refcount_bits=1']],
];

for (const [index, [title, clusterSize, words]] of variants.entries()) {
  test(`${title}: what qemu wrote at random is read`, needs('qemu-img', 'qemu-io'), () => {
    const image = `live-${index}.qcow2`;
    qemuImg('create', '-q', '-f', 'qcow2', '-o', words.join(), image, `${sizeInBytes}`);
    // Where the clusters are there already, or elsewhere, there is nothing to compress.
    const compress = !/data_file|prealloc/.test(words.join());
    for (let round = 0; round < 2; round++) {
      scribble(image, index * 10 + round, compress && round === 0 ? clusterSize : undefined);
      compare(image);
    }
  });
}

for (const [title, words] of [
  ['plain', []],
  ['subclusters', ['-o', 'extended_l2=on']],
] as const) {
  test(`${title}: an overlay over images of many kinds is read`, needs('qemu-img', 'qemu-io'), () => {
    const random = new Random(99);
    writeFileSync(join(directory, 'live.raw'), Buffer.alloc(3_000_000, 0xab));
    const below = [1, 2, 5, 8, 10];
    for (const base of ['live.raw', ...below.map((index) => `live-${index}.qcow2`)]) {
      const size = 512 * Math.ceil((random.next() * 2 * sizeInBytes) / 512);
      const format = base.endsWith('raw') ? 'raw' : 'qcow2';
      const create = ['create', '-q', '-f', 'qcow2', ...words, '-b', base, '-F', format];
      qemuImg(...create, 'over.qcow2', `${Math.max(size, sizeInBytes)}`);
      scribble('over.qcow2', size);
      qemuImg(...create.slice(0, -4), '-b', 'over.qcow2', '-F', 'qcow2', 'top.qcow2', `${size}`);
      compare('over.qcow2');
      compare('top.qcow2');
    }
  });
}
