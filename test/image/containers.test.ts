/** Images in what they are shipped in: archives, and files that are compressed. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { beginWork, defaultLimits, endWork, GuestfsError } from '../../src/base/index.js';
import { setDecoderHelpers } from '../../src/disk/index.js';
import type { OpenedImage } from '../../src/image/index.js';
import { damageAtRandom, mutate, patched, usedPlaces, withinBudget } from '../support/damage.js';
import { checkedSpans, readAll, readInThreeGaits } from '../support/gaits.js';
import { openImage } from '../support/host-images.js';
import { Random } from '../support/random.js';
import { scratchDirectory } from '../support/scratch.js';
import { sha256 } from '../support/tell.js';
import { unpackFixtures } from './fixtures.js';

const directory = unpackFixtures('containers');
const truth: Record<string, string> = JSON.parse(readFileSync(join(directory, 'truth.json'), 'utf8'));
/** The open files that an image leads to: those of the fixtures, and unnamed ones that are unpacked into. */
const openFiles = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      const path = readlinkSync(join('/proc/self/fd', fd));
      return path.startsWith(directory) || path.startsWith(tmpdir());
    } catch {
      return false; // closed meanwhile: that of the listing itself
    }
  }).length;

interface Heard {
  readonly told: string[];
  readonly progress: [number, number][];
  readonly warnings: string[];
}

function open(path: string, heard: Heard = { told: [], progress: [], warnings: [] }): OpenedImage {
  return openImage(path, {
    warn: (message) => heard.warnings.push(message),
    unpack: {
      directory: scratchDirectory(),
      tell: (message) => heard.told.push(message),
      progress: (position, total) => heard.progress.push([position, total]),
    },
  });
}

for (const [name, wanted] of Object.entries(truth)) {
  describe(name, () => {
    test('the image in it has the bytes that were packed, in three gaits, and its holes are zeroes', () => {
      const { disk } = open(join(directory, name));
      assert.equal(disk.size, 524_288);
      assert.equal(sha256(readInThreeGaits(disk, 65_536)), wanted);
      checkedSpans(disk, readAll(disk));
      disk.close();
    });

    test('nothing stays open', () => {
      const before = openFiles();
      open(join(directory, name)).disk.close();
      assert.equal(openFiles(), before);
    });
  });
}

test('an appliance tells its name, its disk, and where that lies', () => {
  const { disk, info } = open(join(directory, 'plain.ova'));
  disk.close();
  assert.equal(info.format, 'vmdk');
  assert.deepEqual(info.containers, ['ova']);
  assert.deepEqual([info.facts.container, info.facts.member], ['ova', 'disk.vmdk']);
  assert.equal(info.facts.appliance, 'Bread & Butter');
  const { offset = 0, size = 0 } = info.slice ?? {};
  const bytes = readFileSync(join(directory, 'plain.ova')).subarray(offset, offset + size);
  const path = join(scratchDirectory(), 'disk.vmdk');
  writeFileSync(path, bytes);
  const alone = openImage(path);
  assert.equal(sha256(readAll(alone.disk)), truth['plain.ova']);
  alone.disk.close();
});

test('containers are told from the outermost, and only what is in one piece has a place', () => {
  for (const [name, containers, placed] of [
    ['chunked.ova', 'ova', false],
    ['gzip.ova', 'ova, gzip', false],
    ['oldgnu.tar.gz', 'gzip, tar', false],
    ['longname.tar', 'tar', true],
    ['plain.ova.xz', 'xz, ova', false],
  ] as const) {
    const { disk, info } = open(join(directory, name));
    disk.close();
    assert.equal(info.facts.container, containers, name);
    assert.equal(info.slice !== undefined, placed, name);
  }
});

test('what is unpacked is told once, with its progress; an .xz of small blocks is read as it is', () => {
  const heard = { told: [], progress: [], warnings: [] } as Heard;
  open(join(directory, 'oldgnu.tar.gz'), heard).disk.close();
  assert.equal(heard.told.length, 1);
  assert.match(heard.told[0] ?? '', /oldgnu\.tar\.gz: unpacking the gzip file into a temporary file in /);
  const [last] = heard.progress.slice(-1);
  assert.ok(last !== undefined && last[0] === last[1] && last[1] > 0, String(last));
  const quiet = { told: [], progress: [], warnings: [] } as Heard;
  for (const name of ['blocks.raw.xz', 'streams.raw.xz', 'one.raw.xz', 'plain.ova'])
    open(join(directory, name), quiet).disk.close();
  assert.deepEqual(quiet, { told: [], progress: [], warnings: [] });
});

test('where nothing may be unpacked, a compressed image is told as such, and not taken for a raw one', () => {
  for (const [name, format] of [
    ['one.raw.gz', 'gzip'],
    ['blocks.raw.xz', 'xz'],
    ['one.raw.zst', 'zstd'],
    ['gzip.ova', 'gzip'],
  ]) {
    const { disk, info } = openImage(join(directory, name ?? ''));
    disk.close();
    assert.deepEqual([info.format, info.isPacked], [format, true]);
  }
});

test('a file whose format is given is taken as that', () => {
  const path = join(directory, 'one.raw.gz');
  const { disk, info } = openImage(path, { format: 'raw' });
  assert.equal(info.containers, undefined);
  assert.deepEqual(readAll(disk).subarray(0, 3), new Uint8Array([0x1f, 0x8b, 8]));
  disk.close();
});

test('what lies in a container cannot be changed', () => {
  const path = join(directory, 'pax10.tar');
  assert.throws(() => openImage(path, { writable: true }), {
    code: 'ENOTSUP',
    message: /changing what lies in it/,
  });
  const { disk } = openImage(path, { writable: 'where possible' });
  assert.throws(() => disk.write(new Uint8Array(512), 0), { code: 'EROFS' });
  disk.close();
});

describe('bombs end by the limit, and leave nothing behind', () => {
  afterEach(() => endWork());
  const zeroes = Buffer.alloc(16 * 1024 * 1024);
  const bomb = gzipSync(zeroes);
  for (const [name, bytes] of [
    ['gz', bomb],
    ['gz of gz', gzipSync(Buffer.concat([bomb, bomb]))],
  ] as const)
    test(name, () => {
      const path = join(scratchDirectory(), 'bomb');
      writeFileSync(path, bytes);
      beginWork({ ...defaultLimits, unpacked: 8 * 1024 * 1024 }, () => {});
      const before = openFiles();
      assert.throws(() => open(path), {
        code: 'EDQUOT',
        message: /limit of 8388608 unpacked.*limit_unpacked=NUMBER/,
      });
      assert.equal(openFiles(), before);
    });
});

test('a container that is cut short anywhere is an error, or whole as far as it goes', () => {
  setDecoderHelpers(0);
  const path = join(scratchDirectory(), 'cut');
  for (const name of Object.keys(truth)) {
    const bytes = readFileSync(join(directory, name));
    for (const part of [0.1, 0.5, 0.75]) {
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * part)));
      const before = openFiles();
      assert.throws(
        () => {
          const { disk, info } = open(path);
          try {
            // Less than a header of a container is a raw image.
            if (info.containers === undefined) throw new GuestfsError('EIO', 'a plain file');
            readAll(disk);
          } finally {
            disk.close();
          }
        },
        (thrown) => thrown instanceof GuestfsError,
        `${name}, ${part} of it`,
      );
      assert.equal(openFiles(), before, name);
    }
  }
});

test('a missing disk, a chunk of another length, and containers without end are told by name', () => {
  const bytes = readFileSync(join(directory, 'plain.ova'));
  const path = join(scratchDirectory(), 'x.ova');
  writeFileSync(
    path,
    Buffer.from(bytes.toString('latin1').replaceAll("href='disk.vmdk'", "href='disc.vmdk'"), 'latin1'),
  );
  assert.throws(() => open(path), {
    code: 'ENOENT',
    message: /‘disc\.vmdk’, which the OVF descriptor names/,
  });
  const chunked = readFileSync(join(directory, 'chunked.ova')).toString('latin1');
  writeFileSync(path, Buffer.from(chunked.replace('chunkSize="30000"', 'chunkSize="30001"'), 'latin1'));
  assert.throws(() => open(path), {
    name: 'CorruptError',
    message: /a chunk of another size.*chunkSize=30001/,
  });
  let nested: Buffer = Buffer.from('x');
  for (let i = 0; i < 6; i++) nested = gzipSync(nested);
  writeFileSync(path, nested);
  assert.throws(() => open(path), { name: 'CorruptError', message: /lies in too many others/ });
});

test('damaged containers give only errors of this library', () => {
  setDecoderHelpers(0);
  const containers = Object.keys(truth).map((name) => new Uint8Array(readFileSync(join(directory, name))));
  const path = join(scratchDirectory(), 'damaged');
  let [opened, refused] = [0, 0];
  damageAtRandom({ milliseconds: 2500 }, (seed) => {
    const random = new Random(seed);
    const bytes = random.pick(containers);
    writeFileSync(
      path,
      patched(bytes, mutate(bytes, [[0, Math.min(bytes.length, 4096)], ...usedPlaces(bytes)], random)),
    );
    try {
      withinBudget(() => {
        const { disk } = open(path);
        try {
          readAll(disk);
        } finally {
          disk.close();
        }
      });
      opened++;
    } catch (thrown) {
      if (!(thrown instanceof GuestfsError)) throw thrown;
      refused++;
    }
  });
  assert.ok(opened > 0 && refused > 0, `${opened} could be read, ${refused} were refused`);
});
