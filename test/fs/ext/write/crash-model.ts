/**
 * Operations on a filesystem, cut at every place, and what may be there after a crash. With a journal: of a time from
 * the last sync on, each transaction whole or not at all. Without one: after e2fsck all that was synced, and that
 * nothing has changed since.
 */
import assert from 'node:assert/strict';
import { typeOfMode, viewOf } from '../../../../src/base/index.js';
import { type Disk, MemoryDisk } from '../../../../src/disk/index.js';
import { isBlockInUse } from '../../../../src/fs/ext/allocation.js';
import { inodeAt } from '../../../../src/fs/ext/layout.js';
import { decodeSuperblock, readSuperblockBytes } from '../../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../../src/fs/ext/volume.js';
import type { FileSystem } from '../../../../src/fs/index.js';
import '../../../support/platform.js';
import { type CrashCount, countCrashes } from '../../../support/crashes.js';
import { FailingDisk, type HostError, type RecordingDisk } from '../../../support/recording-disk.js';
import { find, walkFiles } from '../../../support/tell.js';
import { openExt } from '../fixture.js';
import { type Stack, stacks } from './crash-stacks.js';
import { CrashWork, type Facts, factsOf, type State, type WorkOptions } from './crash-work.js';
import { makeImage, repairedByE2fsck, replayedByE2fsck } from './images.js';

/** A kind of images.ts, and in bytes what a disk does not tear: a superblock with a checksum must not be torn. */
export type CrashedKind = readonly [kind: string, sectorSize: number];

export const journalled: readonly CrashedKind[] = [
  ['ext3 2k', 512],
  ['ext4 1k', 4096],
  ['ext4 seed, orphan file', 4096],
];

/** Without a journal, what has a checksum must not be torn at all. */
export const unjournalled: readonly CrashedKind[] = [
  ['ext2 1k', 512],
  ['ext2 without an index and types', 512],
  ['ext4 without a journal', 4096],
];

/** In bytes: a disk of such sectors tears no block of these kinds. */
const wholeBlocks = 4096;

export interface CrashedWork extends WorkOptions {
  /** Crashes that are looked at, about. */
  readonly most: number;
  readonly stack?: Stack;
  /** Ends at the first crash that is wrong. */
  readonly untilWrong?: boolean;
}

/** How what a crash left is looked at: changed by whoever recovers or repairs it, to be compared then. */
export type Judge = (fileSystem: Disk) => Disk;

/** e2fsck: replays the log, or repairs what has none. */
export const byE2fsck = (kind: CrashedKind): Judge =>
  journalled.includes(kind) ? replayedByE2fsck : repairedByE2fsck;

/**
 * Without a `judge`: what our recovery comes to, or where there is no journal, what is there before any repair, if no
 * block was torn.
 */
export function crashOperations(
  crashed: CrashedKind,
  { seed, operations, most, stack = stacks[0] ?? assert.fail(), untilWrong = false }: CrashedWork,
  judge?: Judge,
): CrashCount {
  const [kind, leastSector] = crashed;
  const isUnrepaired = judge === undefined && !journalled.includes(crashed);
  let states: ReadonlyMap<string, State> = new Map();
  return countCrashes(
    stack.make(usedImage(kind)),
    (recording) => {
      const work = workOn(recording, stack, seed);
      states = work.states;
      work.run(operations);
    },
    ({ image, allowed }) => {
      const disk = stack.open(image);
      if (isUnrepaired) checkUnrepaired(crashed, disk, possibleOf(states, allowed));
      else checkAllowed(crashed, judge?.(disk) ?? disk, states, allowed);
    },
    { most, sectorSize: isUnrepaired ? wholeBlocks : leastSector, seed, untilWrong },
  );
}

/** An empty filesystem whose free blocks hold what was deleted long ago: nobody may find that in a file. */
function usedImage(kind: string): Uint8Array {
  const bytes = makeImage(kind);
  const disk = new MemoryDisk(bytes);
  const superblock = decodeSuperblock(readSuperblockBytes(disk) ?? assert.fail(), disk.size);
  const volume = new ExtVolume(disk, superblock, { warn: () => {}, strict: true });
  const { blockSize, blockCount } = superblock;
  for (let block = 0; block < blockCount; block++)
    if (!isBlockInUse(volume, block)) bytes.fill(0xa5, block * blockSize, (block + 1) * blockSize);
  return bytes;
}

function workOn(recording: RecordingDisk, stack: Stack, seed: number): CrashWork {
  let time = 1_700_000_000;
  const now = (): { seconds: number; nanoseconds: number } => ({ seconds: ++time, nanoseconds: 5 });
  return new CrashWork(recording, () => openExt(stack.open(recording), { readonly: false, now }), seed);
}

const possibleOf = (states: ReadonlyMap<string, State>, allowed: readonly string[]): State[] =>
  // safe: each mark has its state
  [...new Set(allowed)].map((name) => states.get(name) as State);

/**
 * Without a journal, whoever mounts before a repair finds whole files, or none: each name is of one of the times, leads
 * to an inode that is in use, and that has the bytes of one of the times. Only a directory that was becoming one with an
 * index cannot be read.
 */
function checkUnrepaired([kind]: CrashedKind, disk: Disk, possible: readonly State[]): void {
  const fs = openExt(disk);
  const hasIndex = !kind.includes('without an index');
  const damaged = (error: unknown): void => {
    if (!hasIndex) throw error;
  };
  const found = new Set<string>();
  const names = new Map<number, Set<string>>();
  for (const { path, inode, mode } of walkFiles(fs, damaged)) {
    found.add(path);
    // Where a directory is given another block, a name can be in two of them.
    names.set(inode, (names.get(inode) ?? new Set()).add(path));
    assert.ok(fs.stat(inode).linkCount > 0, `${path} leads to inode ${inode}, which is not in use`);
    assert.ok(
      possible.some(({ facts }) => facts.has(path)),
      `${path} is there`,
    );
    // Where the name was that of one file, and then of another, either may be there.
    const ids = new Set(possible.flatMap(({ contents }) => contents.get(path)?.id ?? []));
    const [id] = ids;
    if (ids.size === 1 && id !== undefined && typeOfMode(mode) === 'file') {
      checkContents(fs, path, possible, id, inode);
      checkBlocks(fs, path, possible, id, inode);
    }
  }
  for (const path of possible[0]?.facts.keys() ?? [])
    if (possible.every(({ facts }) => facts.has(path))) assert.ok(found.has(path), `${path} is gone`);
  for (const [inode, paths] of names) checkLinks(fs, inode, [...paths], possible);
  fs.close();
  checkOrphans(disk);
}

/**
 * An inode that has fewer names by its count than there are goes with the last it counts. Only the two names that a
 * rename has for a while are one too many: at no time it has both.
 */
function checkLinks(
  fs: FileSystem,
  inode: number,
  paths: readonly string[],
  possible: readonly State[],
): void {
  const { length } = paths;
  const { linkCount } = fs.stat(inode);
  if (linkCount >= length) return;
  const isCounted = possible.some(({ facts }) =>
    paths.every((path) => (facts.get(path)?.links ?? 0) >= length),
  );
  assert.ok(!isCounted, `${paths.join(' and ')} are names of inode ${inode}, which counts ${linkCount}`);
}

/** The list of orphans leads from one inode to the next: where one has its time of deletion there, it leads nowhere. */
function checkOrphans(disk: Disk): void {
  const superblock = decodeSuperblock(readSuperblockBytes(disk) ?? assert.fail(), disk.size);
  const volume = new ExtVolume(disk, superblock, { warn: () => {}, strict: true });
  const { firstInode, inodeCount, raw } = superblock;
  const seen = new Set<number>();
  for (let number = raw.s_last_orphan; number !== 0; ) {
    assert.ok(number >= firstInode && number <= inodeCount, `${number} on the list of orphans is no inode`);
    assert.ok(!seen.has(number), `inode ${number} is twice on the list of orphans`);
    seen.add(number);
    number = viewOf(volume.inodeRecord(number)).getUint32(inodeAt.i_dtime, true);
  }
}

function checkAllowed(
  kind: CrashedKind,
  disk: Disk,
  states: ReadonlyMap<string, State>,
  allowed: readonly string[],
): void {
  const fs = openExt(disk, { readonly: false });
  const possible = possibleOf(states, allowed);
  if (journalled.includes(kind)) checkOneOf(fs, possible);
  else checkSynced(fs, possible);
  fs.close();
}

/**
 * Operations on a host that fails at one of its writes and barriers. Whether it came so far. The error is told, and what
 * is on the disk is what a crash could have left; where a commit failed, the filesystem is only read from then on.
 */
export function failOperations(
  crashed: CrashedKind,
  { seed, operations, at, code }: WorkOptions & { readonly at: number; readonly code: HostError },
): boolean {
  const [kind, sectorSize] = crashed;
  const [alone] = stacks;
  assert.ok(alone !== undefined);
  const disk = new FailingDisk(makeImage(kind), { sectorSize, at, code });
  const work = workOn(disk, alone, seed);
  let thrown: unknown;
  try {
    work.run(operations);
  } catch (error) {
    thrown = error;
  }
  if (!disk.hasFailed) {
    if (thrown !== undefined) throw thrown;
    return false;
  }
  const isCode = (error: unknown): boolean => (error as { code?: string }).code === code;
  assert.ok(isCode(thrown), String(thrown));
  const { length } = disk.log;
  const { fs } = work;
  // Where data alone could not be stored, the operation has not happened, and others can.
  let isStuck = false;
  let isClosed = false;
  try {
    fs.writer?.sync();
  } catch (error) {
    isStuck = true;
    // Where it was the closing that failed, it is closed.
    isClosed = /journal is closed/.test(String(error));
    assert.ok(isClosed || isCode(error), String(error));
    const file = { type: 'file', permissions: 0o600, uid: 0, gid: 0 } as const;
    if (!isClosed) assert.throws(() => fs.writer?.create(fs.root, 'another', file), isCode);
  }
  // What is there can still be read.
  if (!isClosed) assert.ok([...fs.entries(fs.root)].length > 0);
  fs.close();
  if (isStuck) assert.equal(disk.log.length, length, 'nothing is written behind a failure');
  const { image, allowed } = disk.crash(`end ${disk.log.length}`);
  const judged = journalled.includes(crashed) ? image : repairedByE2fsck(image);
  checkAllowed(crashed, judged, work.states, allowed);
  return true;
}

/** The tree is one of those that are possible, and each file has the bytes of one of the times. */
function checkOneOf(fs: FileSystem, possible: readonly State[]): void {
  const found = factsOf(fs);
  const inParts = new Set(possible.map((state) => state.inParts));
  const differences = possible.map((state) => [...differencesOf(found, state, inParts)]);
  const index = differences.findIndex((list) => list.length === 0);
  const state = possible[index];
  if (state === undefined) {
    const nearest = differences.reduce((least, list) => (list.length < least.length ? list : least));
    assert.fail(`the tree is none of ${possible.length}: ${nearest.slice(0, 3).join('; ')}`);
  }
  for (const [path, { id }] of state.contents) checkContents(fs, path, possible, id);
}

function* differencesOf(
  found: ReadonlyMap<string, Facts>,
  { facts, contents }: State,
  inParts: ReadonlySet<number | undefined>,
): Generator<string> {
  for (const path of found.keys()) if (!facts.has(path)) yield `${path} is there`;
  for (const [path, { own, links, ofContents }] of facts) {
    const here = found.get(path);
    const id = contents.get(path)?.id;
    if (here === undefined) yield `${path} is not there`;
    else if (here.own !== own) yield `${path}: ${here.own} for ${own}`;
    else if (here.links !== links) yield `${path} has ${here.links} names for ${links}`;
    else if (here.ofContents !== ofContents && (id === undefined || !inParts.has(id)))
      yield `${path}: ${here.ofContents} for ${ofContents}`;
  }
}

/** Each byte is that of one of the times: a write into what was there already may have happened or not. */
function checkContents(
  fs: FileSystem,
  path: string,
  possible: readonly State[],
  id: number,
  inode = find(fs, path),
): void {
  const data = fs.data(inode);
  const read = new Uint8Array(data.size);
  data.read(read, 0);
  const versions = new Set<Uint8Array>();
  for (const { contents } of possible)
    for (const each of contents.values()) if (each.id === id) versions.add(each.bytes);
  if ([...versions].some((version) => Buffer.compare(version, read) === 0)) return;
  const list = [...versions];
  const longest = Math.max(...list.map(({ length }) => length));
  // e2fsck makes a file that was being changed as long as its blocks.
  const isChanging = list.length > 1 || possible.some(({ inParts }) => inParts === id);
  const most = isChanging ? longest + fs.usage().blockSize : longest;
  assert.ok(read.length <= most, `${path} has ${read.length} bytes for ${longest}`);
  for (let at = 0; at < Math.min(read.length, longest); at++)
    // Behind an end there is nothing.
    if (!list.some((version) => (version[at] ?? 0) === read[at]))
      assert.fail(`${path}: the byte at ${at} of ${read.length} is that of no time`);
}

/** A file has lost no block that it has at each time at which it is so long: it is cut before what is behind is free. */
function checkBlocks(
  fs: FileSystem,
  path: string,
  possible: readonly State[],
  id: number,
  inode: number,
): void {
  const data = fs.data(inode);
  const { blockSize } = fs.usage();
  const versions = possible.flatMap(({ contents }) =>
    [...contents.values()].filter((each) => each.id === id).map(({ bytes: all }) => all),
  );
  const block = new Uint8Array(blockSize);
  for (let at = 0; at + blockSize <= data.size; at += blockSize) {
    const long = versions.filter(({ length }) => length >= at + blockSize);
    if (long.length === 0) continue;
    data.read(block, at);
    const mayBeZero = long.some((all) => isZero(all.subarray(at, at + blockSize)));
    assert.ok(mayBeZero || !isZero(block), `${path} of ${data.size} bytes has lost its block at ${at}`);
  }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/**
 * What is the same at all times since the last sync is there; what was renamed, under one of its names. Where a block of
 * a directory was being divided, e2fsck gives names of its own to what it finds twice.
 */
function checkSynced(fs: FileSystem, possible: readonly State[]): void {
  const [synced] = possible;
  if (synced === undefined) return;
  const found = factsOf(fs);
  const isAlways = (path: string): boolean => {
    const [own, id] = [synced.facts.get(path)?.own, synced.contents.get(path)?.id];
    return possible.every(
      ({ facts, contents }) => facts.get(path)?.own === own && contents.get(path)?.id === id,
    );
  };
  for (const [path, { own }] of synced.facts) {
    const id = synced.contents.get(path)?.id;
    if (isAlways(path)) {
      const here = found.get(path)?.own;
      if (here !== own) assert.fail(`${path}: ${here} for ${own}`);
      if (id !== undefined) checkContents(fs, path, possible, id);
    } else if (id !== undefined) checkSomewhere(fs, found, possible, id);
  }
}

/** A file that has names at all times has a name. */
function checkSomewhere(
  fs: FileSystem,
  found: ReadonlyMap<string, Facts>,
  possible: readonly State[],
  id: number,
): void {
  const names = new Set<string>();
  for (const { contents } of possible) {
    const here = [...contents].filter(([, each]) => each.id === id).map(([path]) => path);
    if (here.length === 0) return;
    for (const path of here) names.add(path);
  }
  for (const path of names) {
    if (!found.has(path)) continue;
    try {
      checkContents(fs, path, possible, id);
      return;
    } catch (thrown) {
      if (!(thrown instanceof assert.AssertionError)) throw thrown;
    }
  }
  assert.fail(`a file that was synced is gone: ${[...names]}`);
}
