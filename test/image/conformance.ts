/**
 * What every image format that can be opened has to do, as tests. A format says which images there are, what qemu-img
 * told of each, and where their structures lie. Tests: the bytes are those of `qemu-img convert`, in three gaits ·
 * the holes are those of `qemu-img map`, and zeroes · the header and the chain are as told · one format alone sees
 * itself · images that are cut short, zeroed, overwritten and changed at random give CorruptError and
 * UnsupportedError alone, within time and a budget; no probe throws.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { CorruptError, GuestfsError, UnsupportedError } from '../../src/base/index.js';
import { type Disk, MemoryDisk, setDecoderHelpers } from '../../src/disk/index.js';
import type { ReadableFormat } from '../../src/image/format.js';
import { detectFormat, type ImageInfo, imageFormats, type OpenedImage } from '../../src/image/index.js';
import {
  damageAtRandom,
  mutate,
  PatchedDisk,
  patched,
  type Range,
  unitSize,
  unitsOf,
  usedPlaces,
  withinBudget,
} from '../support/damage.js';
import { checkedSpans, joined, readAll, readInThreeGaits } from '../support/gaits.js';
import { openImage, readImageInfo } from '../support/host-images.js';
import { Random } from '../support/random.js';
import { sha256 } from '../support/tell.js';
import type { ImageCase } from './fixtures.js';

export interface ImageSuite {
  readonly format: ReadableFormat;
  /** Where the images are, with what they name. */
  readonly directory: string;
  readonly cases: readonly ImageCase[];
  /** Compares facts of the header that only this format has. */
  compareFacts?(info: ImageInfo, told: ImageCase['info']): void;
  readonly damage: {
    /** The images that are damaged, by file name. */
    readonly images: readonly string[];
    /** Places that hold structures; default: all that is neither empty nor text. */
    places?(image: Uint8Array): readonly Range[];
    readonly milliseconds: number;
    /** Internal snapshots that are looked for now and then, by id or name. */
    readonly snapshots?: readonly string[];
  };
}

function open(suite: ImageSuite, { image, snapshot, format }: ImageCase): OpenedImage {
  return openImage(join(suite.directory, image), {
    policy: 'untrusted',
    ...(format === undefined ? {} : { format }),
    ...(snapshot === '' ? {} : { snapshot }),
  });
}

/** Bytes that are read at a time: a cluster of most formats. */
const block = 65_536;

function testContents(suite: ImageSuite, of: ImageCase): void {
  test('the bytes are those that a foreign tool reads, whole, cluster by cluster and at odd places', () => {
    const { disk } = open(suite, of);
    try {
      assert.equal(disk.size, of.size);
      assert.equal(sha256(readInThreeGaits(disk, block)), of.sha256);
    } finally {
      disk.close();
    }
  });

  test('the holes are those that qemu-img maps where it maps the image, and zeroes', () => {
    const { disk } = open(suite, of);
    try {
      const spans = checkedSpans(disk, readAll(disk));
      // qemu-img maps the present state only.
      if (of.snapshot === '' && of.map !== null) assert.deepEqual(spans, joined(of.map));
    } finally {
      disk.close();
    }
  });
}

function testHeader(suite: ImageSuite, of: ImageCase): void {
  test('the header is what a foreign tool shows, and one format alone sees itself, or none where it is to be told', () => {
    const path = join(suite.directory, of.image);
    const told = of.format !== undefined;
    const info = readImageInfo(path, of.format === undefined ? {} : { format: of.format });
    assert.equal(info.format, of.info.format);
    assert.equal(info.virtualSizeInBytes, of.info['virtual-size']);
    assert.equal(info.backingFile, of.info['backing-filename']);
    assert.equal(info.backingFormat, of.info['backing-filename-format']);
    assert.equal(info.encrypted ?? false, of.info.encrypted ?? false);
    suite.compareFacts?.(info, of.info);
    const file = new MemoryDisk(readFileSync(path));
    assert.equal(detectFormat(file).name, told ? 'raw' : suite.format.name);
    // Every file is raw to those who want to have it so.
    const seen = imageFormats.filter((format) => format.name !== 'raw' && format.probe(file));
    assert.deepEqual(seen, told || suite.format.name === 'raw' ? [] : [suite.format]);
  });

  test('the chain is told from the top down', () => {
    const { disk, chain, info } = open(suite, of);
    disk.close();
    assert.equal(chain[0], info);
    for (const [index, { path, format, backingFile, backingFormat }] of chain.entries()) {
      const below = chain[index + 1];
      assert.equal(below === undefined, backingFile === undefined, path);
      if (below === undefined || backingFile === undefined) continue;
      assert.equal(basename(below.path), basename(backingFile));
      if (backingFormat !== undefined) assert.equal(below.format, backingFormat);
      assert.equal(
        format,
        index === 0 ? suite.format.name : (chain[index - 1]?.backingFormat ?? suite.format.name),
      );
    }
  });
}

/** What came of an image that may be damaged. */
export interface Outcome {
  readonly error?: Error;
  readonly warnings: readonly string[];
  readonly size?: number;
}

/** What stands for the files that an image names. */
export const below = new MemoryDisk(new Uint8Array(1024 * 1024).fill(0xbb));
const mostRead = 12 * 1024 * 1024;
const mostSpans = 100;

function use(disk: Disk): void {
  const part = new Uint8Array(256 * 1024);
  for (let at = 0; at < Math.min(disk.size, mostRead); at += part.length)
    disk.read(part.subarray(0, Math.min(part.length, disk.size - at)), at);
  if (disk.size > 0) disk.read(part.subarray(0, 1), disk.size - 1);
  for (let at = 0, count = 0; at < disk.size && count < mostSpans; count++) {
    const { length } = disk.span(at, disk.size - at);
    assert.ok(length >= 1);
    at += length;
  }
}

/** Opens an image from memory, and reads up to 12 MiB of it and its holes, within a budget. */
export function tryImage(format: ReadableFormat, file: Disk, snapshot?: string): Outcome {
  const warnings: string[] = [];
  let disk: Disk | undefined;
  let size: number | undefined;
  try {
    withinBudget(() => {
      format.probe(file);
      format.info(file);
      for (const { name } of format.snapshots?.(file) ?? []) assert.equal(typeof name, 'string');
      disk = format.open(file, {
        openNamed: () => below,
        warn: (message) => warnings.push(message),
        ...(snapshot === undefined ? {} : { snapshot }),
      });
      ({ size } = disk);
      use(disk);
    });
    return { warnings, ...(size === undefined ? {} : { size }) };
  } catch (thrown) {
    const isMissing = thrown instanceof GuestfsError && thrown.code === 'ENOENT' && snapshot !== undefined;
    if (thrown instanceof CorruptError || thrown instanceof UnsupportedError || isMissing)
      return { error: thrown, warnings, ...(size === undefined ? {} : { size }) };
    throw thrown;
  } finally {
    disk?.close();
  }
}

/** How many places of an image are zeroed, overwritten or cut at. */
const spread = 40;

function testDamage({ format, damage }: ImageSuite, name: string, bytes: Uint8Array): void {
  test('cut short anywhere', () => {
    setDecoderHelpers(0);
    const lengths = Array.from({ length: spread }, (_, index) => Math.floor((bytes.length * index) / spread));
    for (const length of [...lengths, 1, 7, 63, 511, 512, 513, 4096, 65_535, bytes.length - 1]) {
      const file = new MemoryDisk(bytes.subarray(0, Math.min(length, bytes.length)));
      tryImage(format, file);
      for (const each of imageFormats) each.probe(file);
    }
  });

  test('with structures that are zeroed, and that are all ones', () => {
    setDecoderHelpers(0);
    const units = unitsOf((damage.places ?? usedPlaces)(bytes), bytes.length);
    assert.ok(units.length > 0, name);
    const step = Math.max(1, Math.floor(units.length / spread));
    for (let index = 0; index < units.length; index += step) {
      const at = units[index] ?? 0;
      for (const value of [0, 0xff]) {
        const patch = { at, bytes: new Uint8Array(Math.min(unitSize, bytes.length - at)).fill(value) };
        tryImage(format, new PatchedDisk(bytes, [patch]));
      }
    }
  });
}

/** Makes the tests of a format. */
export function testImageConformance(suite: ImageSuite): void {
  const { format, directory, cases, damage } = suite;
  for (const of of cases) {
    describe(of.snapshot === '' ? of.image : `${of.image}, snapshot ‘${of.snapshot}’`, () => {
      testContents(suite, of);
      testHeader(suite, of);
    });
  }
  const images = damage.images.map((name) => {
    const bytes = new Uint8Array(readFileSync(join(directory, name)));
    return { name, bytes, places: (damage.places ?? usedPlaces)(bytes) };
  });
  for (const { name, bytes } of images) describe(name, () => testDamage(suite, name, bytes));

  test('damage at random gives only the errors that name it', () => {
    setDecoderHelpers(0);
    let opened = 0;
    damageAtRandom({ milliseconds: damage.milliseconds }, (seed) => {
      const random = new Random(seed);
      const { bytes, places } = random.pick(images);
      const { snapshots } = damage;
      const snapshot = snapshots && random.below(5) === 0 ? random.pick(snapshots) : undefined;
      const file = new MemoryDisk(patched(bytes, mutate(bytes, places, random)));
      if (tryImage(format, file, snapshot).error === undefined) opened++;
      for (const each of imageFormats) each.probe(file);
    });
    assert.ok(opened > 0, 'no damaged image could be read: the damage reaches nothing');
  });
}
