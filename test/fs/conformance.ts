/**
 * What every driver that opens a filesystem has to do, as tests. A driver says which volumes there are, what a
 * foreign tool told of each, and where their structures lie (`test/fs/NAME/suite.ts`). Tests: the tree and the usage
 * are as told · names are found, others are not, parents are known · contents read the same in three gaits, holes are
 * zeroes, and no more is data than was allocated · type, label and UUID are as told, and one kind alone sees itself ·
 * volumes that are cut short, zeroed, overwritten and changed at random give CorruptError and UnsupportedError alone,
 * within time and a budget; no probe throws.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Disk, MemoryDisk, OverlayDisk } from '../../src/disk/index.js';
import { kinds } from '../../src/engine/session/kinds.js';
import { recognise } from '../../src/engine/session/recognition.js';
import type { FileSystem, FileSystemDriver, OpenOptions } from '../../src/fs/index.js';
import { type Comparison, compareFiles, compareUsage, Differences } from '../support/comparison.js';
import {
  damageAtRandom,
  mutate,
  PatchedDisk,
  type Range,
  tolerate,
  unitSize,
  unitsOf,
  usedPlaces,
  withinBudget,
} from '../support/damage.js';
import { checkedSpans, readInThreeGaits } from '../support/gaits.js';
import { Random } from '../support/random.js';
import { entryTypeOf, tellFiles, tellUsage, walkFiles } from '../support/tell.js';
import { directoryType, regularType, symlinkType, type Truth, typeOf } from '../support/truth.js';

/** A volume that a foreign tool told of. */
export interface Volume {
  readonly name: string;
  /** The bytes: a fresh copy each time. */
  read(): Uint8Array;
  truth(): Truth;
  /** Where this volume differs from what holds for all. */
  readonly comparison?: Comparison;
  /** Whether its maker stored wrong parents in some directories, which is seen where nothing else is known of them. */
  readonly hasWrongParents?: boolean;
  /** Fields of `statvfs` that tell of what the kernel did as it replayed the log. */
  readonly usageWithout?: readonly string[];
  /** Whether a file may have more data than `st_blocks` counts. */
  readonly compressed?: boolean;
}

export interface FileSystemSuite {
  readonly driver: FileSystemDriver;
  readonly volumes: readonly Volume[];
  /** Mount options with which the truth about trees was told. */
  readonly options?: OpenOptions['options'];
  readonly comparison?: Comparison;
  /** Fields of `statvfs` that are made up. */
  readonly usageWithout?: readonly string[];
  /** Other kinds that see themselves on a volume too, by the volume's name: discs that are made to be both. */
  readonly doubles?: Readonly<Record<string, readonly string[]>>;
  readonly damage: DamagePlan;
}

export interface DamagePlan {
  /** The volumes that are damaged, by name. */
  readonly volumes: readonly string[];
  /** Places that hold structures; default: all that is neither empty nor text. */
  places?(volume: Uint8Array): readonly Range[];
  /** Lengths at which a volume is cut short, beside some all over it: the borders of its structures. */
  borders?(volume: Uint8Array): readonly number[];
  /** How long changes at random go on, in milliseconds for all volumes together. */
  readonly milliseconds: number;
  /** Further options of which each opens a volume that was refused: without its journal, for instance. */
  readonly secondTry?: OpenOptions['options'];
  /** Uses what the driver offers beyond `FileSystem`. */
  more?(fs: FileSystem): void;
}

/** A filesystem as it is opened for reading; repairs go to memory. */
export function openVolume(
  driver: FileSystemDriver,
  disk: Disk,
  options: Partial<OpenOptions> = {},
): FileSystem {
  const fs = driver.open?.(disk, { overlay: (base) => new OverlayDisk(base), ...options });
  assert.ok(fs, `${driver.name} cannot be opened`);
  return fs;
}

export function openBytes(
  driver: FileSystemDriver,
  bytes: Uint8Array,
  options: Partial<OpenOptions> = {},
): FileSystem {
  return openVolume(driver, new MemoryDisk(bytes), options);
}

/** Larger directories are not searched name by name. */
const mostNames = 3000;
/** Files of which all is read three times have fewer bytes. */
const mostBytes = 4 * 1024 * 1024;

function testTree(suite: FileSystemSuite, volume: Volume): void {
  const { options } = suite;
  const open = (): FileSystem => openBytes(suite.driver, volume.read());

  test('every file is as told, and so is how full it is', () => {
    const fs = openBytes(suite.driver, volume.read(), options ? { options } : {});
    const truth = volume.truth();
    const differences = new Differences();
    const { comparison = {} } = suite;
    const own = volume.comparison ?? {};
    const compared = compareFiles(tellFiles(fs), truth, differences, {
      without: [...(comparison.without ?? []), ...(own.without ?? [])],
      except: (told, field) =>
        (comparison.except?.(told, field) ?? false) || (own.except?.(told, field) ?? false),
    });
    if (truth.statfs)
      compareUsage(tellUsage(fs.usage()), truth.statfs, differences, [
        ...(suite.usageWithout ?? []),
        ...(volume.usageWithout ?? []),
      ]);
    differences.throwIfAny();
    assert.equal(compared, truth.files.size);
    fs.close();
  });

  test('names are found and others are not; parents are known without their directories having been listed', () => {
    const fs = open();
    const fresh = open();
    const counts = new Map<number, number>();
    for (const { path, inode, mode, directory, entry } of walkFiles(fs)) {
      if (typeOf({ mode }) === directoryType) {
        assert.equal(fs.parent(inode), directory, `the parent of ${path}`);
        if (!volume.hasWrongParents)
          assert.equal(fresh.parent(inode), directory, `the parent of ${path}, which was not met before`);
        for (const name of ['no such name', '', 'n'.repeat(256)])
          assert.equal(fs.lookup(inode, name), undefined, `${name} in ${path}`);
      }
      if (entry === undefined) continue;
      const count = (counts.get(directory) ?? 0) + 1;
      counts.set(directory, count);
      if (count < mostNames) assert.equal(fs.lookup(directory, entry.name), inode, path);
      if (entry.type !== 'unknown') assert.equal(entry.type, entryTypeOf(mode), path);
      assert.deepEqual(fresh.stat(inode), fs.stat(inode), `${path} by its number alone`);
    }
    assert.equal(fs.parent(fs.root), fs.root);
  });
}

function testContents({ driver }: FileSystemSuite, volume: Volume): void {
  test('contents read the same in three gaits, and their holes are zeroes', () => {
    const fs = openBytes(driver, volume.read());
    const told = volume.truth().files;
    const seen = new Set<number>();
    for (const { path, inode, mode } of walkFiles(fs)) {
      if (typeOf({ mode }) !== regularType || seen.has(inode) || told.get(path)?.sha256 === null) continue;
      seen.add(inode);
      const { sizeInBytes, blockCount512 } = fs.stat(inode);
      const data = fs.data(inode);
      assert.equal(data.size, sizeInBytes, path);
      assert.equal(data.writable, false, path);
      if (sizeInBytes > mostBytes) continue;
      const spans = checkedSpans(data, readInThreeGaits(data));
      if (volume.compressed) continue;
      const stored = spans.reduce((sum, span) => sum + (span.zero ? 0 : span.length), 0);
      // A file without blocks lies in its inode.
      const room = blockCount512 === 0 ? 4096 : blockCount512 * 512;
      assert.ok(stored <= room, `${path}: ${stored} bytes of data, ${blockCount512} blocks allocated`);
    }
  });
}

function testIdentity(suite: FileSystemSuite, volume: Volume): void {
  test('type, label and UUID are as told, and one kind alone sees itself', () => {
    const disk = new MemoryDisk(volume.read());
    const { type, label, uuid } = volume.truth();
    const probed = suite.driver.probe(disk);
    assert.deepEqual({ label: probed?.label, uuid: probed?.uuid }, { label, uuid });
    if (type !== undefined) assert.equal(probed?.type, type);
    assert.ok(suite.driver.types.includes(probed?.type ?? ''));
    const others = kinds
      .filter((driver) => driver !== suite.driver && disk.size >= (driver.minimumSize ?? 0))
      .filter((driver) => driver.probe(disk) !== undefined);
    assert.deepEqual(
      others.map(({ name }) => name),
      suite.doubles?.[volume.name] ?? [],
    );
    assert.ok(recognise(disk).seen.some(({ kind }) => kind === suite.driver));
  });
}

/** Entries looked at in one walk: damage can make directories huge, or their own children. */
const entryLimit = 3000;
/** Bytes read at the start and at the end of each file. */
const readLimit = 65_536;

function readSome(disk: Disk): void {
  const bytes = new Uint8Array(Math.min(disk.size, readLimit));
  tolerate(() => disk.read(bytes, 0));
  tolerate(() => disk.read(bytes, disk.size - bytes.length));
  if (disk.size > 0) disk.span(0, Math.min(disk.size, 1 << 20));
}

/**
 * Uses all that a filesystem offers on every file that is reached; each part may fail. Gives how many entries were
 * met.
 */
export function useAll(fs: FileSystem): number {
  let entries = 0;
  const seen = new Set<number>();
  const pending = [fs.root];
  tolerate(() => fs.usage());
  for (let inode = pending.pop(); inode !== undefined; inode = pending.pop()) {
    const number = inode;
    if (seen.has(number)) continue;
    seen.add(number);
    tolerate(() => fs.xattrs(number));
    let mode = 0;
    tolerate(() => {
      ({ mode } = fs.stat(number));
    });
    if (typeOf({ mode }) === symlinkType) tolerate(() => fs.readlink(number));
    if (typeOf({ mode }) === regularType) tolerate(() => readSome(fs.data(number)));
    if (typeOf({ mode }) !== directoryType) continue;
    tolerate(() => fs.parent(number));
    const names: string[] = [];
    // With somebody to tell damage to, what lies behind it follows.
    for (const onDamage of [undefined, () => {}]) {
      tolerate(() => {
        let count = 0;
        for (const entry of fs.entries(number, onDamage)) {
          const { name } = entry;
          assert.ok(
            name !== '' && name !== '.' && name !== '..' && !name.includes('/'),
            JSON.stringify(name),
          );
          pending.push(entry.inode);
          if (names.length < 100) names.push(name);
          if (++count > entryLimit || ++entries > 4 * entryLimit) break;
        }
      });
    }
    for (const name of [...names, 'no such name']) tolerate(() => fs.lookup(number, name));
    if (entries > 4 * entryLimit) break;
  }
  return entries;
}

/** The whole life of a damaged volume, within its budget. Gives the error of opening, if the volume was refused. */
export function survive({ driver, damage }: FileSystemSuite, disk: Disk): Error | undefined {
  return withinBudget(() => {
    driver.probe(disk);
    const use = (options?: OpenOptions['options']) =>
      tolerate(() => {
        const fs = openVolume(driver, disk, options ? { options } : {});
        useAll(fs);
        damage.more?.(fs);
        fs.close();
      });
    const refused = use();
    return refused && damage.secondTry ? use(damage.secondTry) : refused;
  });
}

/** How many places of a volume are zeroed or cut at, all over it. */
const spread = 24;

function testDamage(suite: FileSystemSuite, volume: Volume): void {
  const { places = usedPlaces, borders = () => [] } = suite.damage;

  test('cut short anywhere', () => {
    const bytes = volume.read();
    const lengths = Array.from({ length: spread }, (_, index) => Math.floor((bytes.length * index) / spread));
    for (const border of borders(bytes)) lengths.push(border - 1, border, border + 1);
    for (const length of [...lengths, 1, 511, 512, 513, 1024, 4096, bytes.length - 1]) {
      if (length < 0 || length > bytes.length) continue;
      const disk = new MemoryDisk(bytes.subarray(0, length));
      survive(suite, disk);
      recognise(disk);
    }
    assert.ok(survive(suite, new MemoryDisk(new Uint8Array(0))), 'nothing is no filesystem');
  });

  test('with structures that are zeroed, and that are all ones', () => {
    const bytes = volume.read();
    const units = unitsOf(places(bytes), bytes.length);
    const step = Math.max(1, Math.floor(units.length / spread));
    for (let index = 0; index < units.length; index += step) {
      const at = units[index] ?? 0;
      for (const [length, value] of [
        [unitSize, 0],
        [8 * unitSize, 0xff],
      ] as const) {
        const patch = { at, bytes: new Uint8Array(Math.min(length, bytes.length - at)).fill(value) };
        survive(suite, new PatchedDisk(bytes, [patch]));
      }
    }
  });
}

/** Makes the tests of a driver. */
export function testConformance(suite: FileSystemSuite): void {
  const { driver, volumes, damage } = suite;
  const damaged = volumes.filter(({ name }) => damage.volumes.includes(name));

  for (const volume of volumes) {
    describe(volume.name, () => {
      testTree(suite, volume);
      testContents(suite, volume);
      testIdentity(suite, volume);
      if (damaged.includes(volume)) testDamage(suite, volume);
    });
  }

  test('there are volumes, and those that are to be damaged are among them', () => {
    assert.ok(volumes.length > 0);
    assert.equal(damaged.length, damage.volumes.length);
    assert.ok(damaged.length > 0);
  });

  test('random bytes are none, and are refused', () => {
    const random = new Random(7);
    for (let round = 0; round < 40; round++) {
      const disk = new MemoryDisk(random.bytes(round % 2 === 0 ? 4096 : 70_000));
      assert.equal(driver.probe(disk), undefined);
      assert.ok(survive(suite, disk), 'random bytes are opened');
    }
  });

  test('damage at random gives only the errors that name it', () => {
    const images = damaged.map((volume) => {
      const bytes = volume.read();
      return { name: volume.name, bytes, places: (damage.places ?? usedPlaces)(bytes) };
    });
    let opened = 0;
    damageAtRandom({ milliseconds: damage.milliseconds }, (seed) => {
      const random = new Random(seed);
      const { bytes, places } = random.pick(images);
      const disk = new PatchedDisk(bytes, mutate(bytes, places, random));
      if (survive(suite, disk) === undefined) opened++;
      if (seed % 16 === 0) recognise(disk);
    });
    assert.ok(opened > 0, 'no damaged volume could be opened: the damage reaches nothing');
  });

  test('mount options that do not exist are EINVAL', () => {
    const [volume] = volumes;
    assert.ok(volume);
    const disk = new MemoryDisk(volume.read());
    for (const options of [{ 'no-such-option': true }, { constructor: true }] as const)
      assert.throws(() => openVolume(driver, disk, { options }), { code: 'EINVAL' });
  });
}
