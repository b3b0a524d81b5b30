/**
 * Random transactions through the log of an ext filesystem, and what of them may be there after a crash. They change
 * blocks that no file has, so that a checker has nothing to say to it, and the time of mounting in the superblock.
 * Each block holds the number of the run that wrote it.
 */
import assert from 'node:assert/strict';
import { viewOf } from '../../../src/base/index.js';
import {
  type Disk,
  type DiskJournal,
  MappedDisk,
  type Mapping,
  MemoryDisk,
  SliceDisk,
  WriteCache,
} from '../../../src/disk/index.js';
import { isBlockInUse } from '../../../src/fs/ext/allocation.js';
import { incompat } from '../../../src/fs/ext/features.js';
import { ext } from '../../../src/fs/ext/index.js';
import { openJournal } from '../../../src/fs/ext/journal/journal.js';
import { journalMagic } from '../../../src/fs/ext/journal/layout.js';
import { openForWriting } from '../../../src/fs/ext/journal/writing.js';
import { superblock as layout, superblockOffset, superblockSize } from '../../../src/fs/ext/layout.js';
import { decodeSuperblock, readSuperblockBytes, superblockChecksum } from '../../../src/fs/ext/superblock.js';
import { ExtVolume } from '../../../src/fs/ext/volume.js';
import { type CrashCount, type CrashTestOptions, countCrashes } from '../../support/crashes.js';
import { Random } from '../../support/random.js';
import { RecordingDisk } from '../../support/recording-disk.js';

/** A filesystem, and behind it its journal where that has a device of its own. */
export interface LogImage {
  readonly bytes: Uint8Array;
  readonly fileSystemSize: number;
  /** Whether the filesystem lies on two segments of a volume, the second half first. */
  readonly isMapped?: boolean;
  /** The disk in it, where it is an image of another format. */
  readonly open?: (image: Disk) => Disk;
}

export interface LogWork {
  readonly seed: number;
  readonly runs: number;
  /** Runs between two commits, about. */
  readonly commitEvery: number;
  /** Runs between two closings, about. */
  readonly closeEvery: number;
}

/** How many blocks are changed. */
const slotCount = 90;
/** What a slot holds that nothing is known of. */
const anything = -1;

/** Of each run, what the slots hold after it, and last the time of mounting. */
type States = Map<string, readonly number[]>;

/**
 * Works on a recorded disk, and looks at each state that a crash could leave. `replay`: by whom the log is replayed
 * before, if not by us.
 */
export function crashLog(
  image: LogImage,
  work: LogWork,
  options: CrashTestOptions,
  replay: (image: Disk) => Disk = (own) => own,
): CrashCount {
  const states: States = new Map();
  const slots = findSlots(image);
  return countCrashes(
    image.bytes,
    (disk) => runTransactions(partsOf(image, disk), disk, slots, states, work),
    ({ image: left, allowed }) => checkCrash(image, slots, states, { image: replay(left), allowed }),
    options,
  );
}

interface Parts {
  readonly disk: Disk;
  readonly log: Disk | undefined;
}

/** The disk of the filesystem, and that of its journal. */
export function partsOf(image: LogImage, all: Disk): Parts {
  const logSize = image.bytes.length - image.fileSystemSize;
  const part = (start: number, size: number): Disk =>
    all instanceof RecordingDisk ? all.part(start, size) : new SliceDisk(all, start, size);
  if (image.open !== undefined) return { disk: image.open(all), log: undefined };
  if (image.isMapped) {
    const half = all.size / 2;
    const lookup = (offset: number): Mapping => {
      const isFirst = offset < half;
      const start = isFirst ? half + offset : offset - half;
      return { kind: 'data', disk: all, offset: start, length: (isFirst ? half : all.size) - offset };
    };
    const disk = new MappedDisk(all.size, lookup, {
      name: 'volume',
      writable: true,
      sectorSize: all.sectorSize,
    });
    return { disk, log: undefined };
  }
  if (logSize === 0) return { disk: part(0, image.fileSystemSize), log: undefined };
  return { disk: part(0, image.fileSystemSize), log: part(image.fileSystemSize, logSize) };
}

function openVolume(disk: Disk, cache?: WriteCache): ExtVolume {
  const bytes = readSuperblockBytes(disk);
  if (bytes === undefined) throw new Error('the image is too small');
  const quiet = { warn: () => {}, strict: false };
  return new ExtVolume(
    cache?.view ?? disk,
    decodeSuperblock(bytes, disk.size),
    cache === undefined ? quiet : { ...quiet, pieces: cache },
  );
}

/** The last blocks of the filesystem that nothing uses. */
export function findSlots(image: LogImage): number[] {
  const { disk } = partsOf(image, new MemoryDisk(image.bytes));
  const volume = openVolume(disk);
  const slots: number[] = [];
  for (let block = volume.superblock.blockCount - 1; slots.length < slotCount && block > 0; block--)
    if (!isBlockInUse(volume, block)) slots.push(block);
  assert.equal(slots.length, slotCount, 'too few blocks are free');
  return slots;
}

/** The contents of a slot. Some begin like a block of the log. */
export function fill(bytes: Uint8Array, stamp: number, slot: number): void {
  const view = viewOf(bytes);
  for (let at = 0; at < bytes.length; at += 4) view.setUint32(at, stamp, false);
  if ((stamp + slot) % 3 === 0) view.setUint32(0, journalMagic, false);
}

/** The run that wrote it, as it stands at both ends of each sector; NaN where they differ. */
export function stampOf(bytes: Uint8Array, slot: number): number {
  const view = viewOf(bytes);
  const stamp = view.getUint32(4, false);
  if (view.getUint32(0, false) !== ((stamp + slot) % 3 === 0 ? journalMagic : stamp)) return Number.NaN;
  for (let at = 508; at < bytes.length; at += 512) {
    if (view.getUint32(at, false) !== stamp) return Number.NaN;
    if (at + 4 < bytes.length && view.getUint32(at + 4, false) !== stamp) return Number.NaN;
  }
  return stamp;
}

/** A filesystem that is open for writing. */
export interface OpenLog {
  readonly cache: WriteCache;
  readonly journal: DiskJournal;
  readonly blockSize: number;
}

export function openLog({ disk, log }: Parts): OpenLog {
  const { blockSize } = openVolume(disk).superblock;
  const cache = new WriteCache(disk, { blockSize });
  const volume = openVolume(disk, cache);
  const journal = openForWriting(volume, cache, { findJournal: () => log });
  return { cache, journal, blockSize };
}

function runTransactions(
  parts: Parts,
  recording: RecordingDisk,
  slots: readonly number[],
  states: States,
  { seed, runs, commitEvery, closeEvery }: LogWork,
): void {
  const random = new Random(seed);
  const state: number[] = new Array(slotCount + 1).fill(anything);
  const kinds: ('free' | 'metadata' | 'data')[] = new Array(slotCount).fill('free');
  let open = openLog(parts);
  let isCommitted = true;
  const note = (run: number, isDurable: boolean): void => {
    states.set(`${run}`, [...state]);
    recording.mark(`${run}`, isDurable);
  };
  note(0, true);
  for (let run = 1; run <= runs; run++) {
    const { cache, journal } = open;
    const isFreed = (index: number): boolean => {
      const block = slots[index] as number; // safe: indices are below the number of slots
      return journal.freedIn(block, block + 1) !== undefined;
    };
    // At times nothing but data is between two commits.
    const hasDataAlone = isCommitted && random.below(3) === 0;
    isCommitted = false;
    journal.run(18, (transaction) => {
      const touched = new Set<number>();
      const pick = (kind: 'free' | 'metadata' | 'data', mayBeFreed = false): number | undefined => {
        const index = random.below(slotCount);
        const isKind = kinds[index] === kind && !touched.has(index);
        return isKind && (mayBeFreed || !isFreed(index)) ? index : undefined;
      };
      for (let i = hasDataAlone ? -1 : random.below(14); i >= 0; i--) {
        // Through the log a block may be changed again that is freed since the last commit.
        const index =
          pick(random.below(4) === 0 ? 'free' : 'metadata') ?? pick('free', random.below(4) === 0);
        if (index === undefined) continue;
        touched.add(index);
        const block = slots[index] as number; // safe: as above
        fill(cache.change(transaction, block, { blank: kinds[index] === 'free' }).bytes, run, block);
        kinds[index] = 'metadata';
        state[index] = run;
      }
      for (let i = hasDataAlone ? 20 : random.below(5); i >= 0; i--) {
        const index = pick(!hasDataAlone && random.below(2) === 0 ? 'metadata' : 'data');
        if (index === undefined) continue;
        touched.add(index);
        transaction.free(slots[index] as number, 1); // safe: as above
        kinds[index] = 'free';
        state[index] = anything;
      }
      for (let i = random.below(4) + (hasDataAlone ? 4 : 0); i > 0; i--) {
        const index = pick('free');
        if (index === undefined) continue;
        touched.add(index);
        const block = slots[index] as number; // safe: as above
        const bytes = new Uint8Array(open.blockSize);
        fill(bytes, run, block);
        cache.view.write(bytes, block * open.blockSize);
        transaction.after(cache.view);
        kinds[index] = 'data';
        state[index] = run;
      }
      if (!hasDataAlone && random.below(4) === 0) {
        const block = Math.floor(superblockOffset / open.blockSize);
        const { bytes } = cache.change(transaction, block);
        const own = bytes.subarray(superblockOffset % open.blockSize).subarray(0, superblockSize);
        layout.encode({ s_mtime: run }, own);
        if (layout.decode(own).s_checksum !== 0) layout.encode({ s_checksum: superblockChecksum(own) }, own);
        state[slotCount] = run;
      }
    });
    note(run, false);
    if (random.below(closeEvery) === 0) {
      journal.close();
      note(run, true);
      open = openLog(parts);
      isCommitted = true;
    } else if (hasDataAlone || random.below(commitEvery) === 0) {
      if (random.below(6) === 0) journal.checkpoint();
      else journal.commit();
      note(run, true);
      isCommitted = true;
    }
  }
  open.journal.close();
  note(runs, true);
}

/** Recovers the image, and compares what it then holds with the states that are allowed. */
function checkCrash(
  image: LogImage,
  slots: readonly number[],
  states: States,
  { image: disk, allowed }: { readonly image: Disk; readonly allowed: readonly string[] },
): void {
  const parts = partsOf(image, disk);
  recover(parts);
  const found = readState(parts.disk, slots);
  const names = [...new Set(allowed)];
  const isState = (name: string): boolean =>
    // safe: each mark has its state
    (states.get(name) as readonly number[]).every(
      (stamp, index) => stamp === anything || stamp === found[index],
    );
  if (names.some(isState)) return;
  const nearest = names.map((name) => {
    const state = states.get(name) as readonly number[]; // safe: each mark has its state
    const wrong = state.flatMap((stamp, index) =>
      stamp === anything || stamp === found[index] ? [] : [`${index}: ${found[index]} for ${stamp}`],
    );
    return `${name} (${wrong.slice(0, 3).join(', ')})`;
  });
  assert.fail(`the state is none of ${nearest.slice(0, 4).join('; ')}`);
}

function readState(disk: Disk, slots: readonly number[]): number[] {
  const { blockSize, raw } = openVolume(disk).superblock;
  const bytes = new Uint8Array(blockSize);
  const stamps = slots.map((block) => {
    disk.read(bytes, block * blockSize);
    return stampOf(bytes, block);
  });
  return [...stamps, raw.s_mtime];
}

/** Mounts on the disk itself, which replays the log. The log must have been asked for, and be empty then. */
export function recover(parts: Parts): void {
  const before = openVolume(parts.disk);
  const isAsked = (before.superblock.raw.s_feature_incompat & incompat.needsRecovery) !== 0;
  if (!isAsked && openJournal(before, () => parts.log).raw.s_start !== 0)
    assert.fail('the log is not empty, and the filesystem asks for no replay');
  if (ext.open === undefined) throw new Error('the driver cannot open');
  ext.open(parts.disk, { overlay: (own) => own, findJournal: () => parts.log }).close();
}
