/** Crash tests: a writer at work on a recorded disk, cut at every place, and each remainder looked at. */
import assert from 'node:assert/strict';
import { type Crash, RecordingDisk, type RecordingOptions } from './recording-disk.js';

export interface CrashTestOptions extends RecordingOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Crashes that are looked at, at most about. */
  readonly most: number;
  /** Ends at the first that is wrong. */
  readonly untilWrong?: boolean;
}

/** What became of the crashes of one test. */
export interface CrashCount {
  readonly recording: RecordingDisk;
  readonly cuts: number;
  /** Of each that was wrong, its name and what was wrong. */
  readonly wrong: readonly string[];
}

/**
 * Has `work` change a disk that holds `before`, and `check` look at each state that a crash could leave: it throws
 * where the state is none of the allowed ones. To repeat one case: `recording.crash(name)`.
 */
export function countCrashes(
  before: Uint8Array,
  work: (disk: RecordingDisk) => void,
  check: (crash: Crash) => void,
  options: CrashTestOptions,
): CrashCount {
  const recording = new RecordingDisk(before, options);
  work(recording);
  let cuts = 0;
  const wrong: string[] = [];
  for (const crash of recording.crashes({ seed: options.seed ?? 1, most: options.most })) {
    cuts++;
    try {
      check(crash);
    } catch (thrown) {
      wrong.push(`${crash.name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      if (options.untilWrong) break;
    }
  }
  return { recording, cuts, wrong };
}

/** As {@link countCrashes}, where none may be wrong. */
export function surviveCrashes(...parameters: Parameters<typeof countCrashes>): CrashCount {
  const count = countCrashes(...parameters);
  assert.ok(count.cuts > 0, 'nothing was written');
  assert.deepEqual(count.wrong.slice(0, 5), [], `${count.wrong.length} of ${count.cuts} cuts`);
  return count;
}
