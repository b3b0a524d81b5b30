/**
 * One round: an input is damaged, the target uses it, and what that took is measured. A round is a function of target,
 * fixture and seed alone; which rounds were before it changes nothing.
 */
import { GuestfsError } from '../src/base/index.js';
import { setDecoderHelpers } from '../src/disk/index.js';
import { Random } from '../test/support/random.js';
import { damageCopy, damageInPlace } from './mutate.js';
import { findPlaces, type Places } from './places.js';
import type { Target } from './target.js';
import { loadFixture } from './target.js';

/** What base's `checksumHolds` reads, in the fuzzer's build. */
const flags = globalThis as { fuzzIgnoresChecksums?: boolean };

/** Fixtures that are kept to take parts from. */
const mostOthers = 4;

// Threads would make the times, and which of two errors comes first, a matter of chance.
setDecoderHelpers(0);

/** A fixture, ready to be damaged. */
export interface Prepared {
  readonly target: Target;
  readonly fixture: string;
  readonly bytes: Uint8Array;
  readonly places: Places;
  /** Another fixture of the target's, to take parts from. */
  other(name: string): Uint8Array;
}

export async function prepare(target: Target, fixture: string): Promise<Prepared> {
  const bytes = loadFixture(target, fixture);
  const others = new Map<string, Uint8Array>();
  flags.fuzzIgnoresChecksums = false;
  return {
    target,
    fixture,
    bytes,
    places: await findPlaces(target, bytes, fixture),
    other(name) {
      let found = others.get(name);
      if (found === undefined) {
        found = loadFixture(target, name);
        // Not all at a time: the fixtures of one target would be a gigabyte.
        if (others.size >= mostOthers) others.clear();
        others.set(name, found);
      }
      return found;
    },
  };
}

/** The input of a round, and what puts the fixture right again. */
export function inputOf(
  prepared: Prepared,
  seed: number,
): { input: Uint8Array; verified: boolean; undo: () => void } {
  const { target, bytes, places } = prepared;
  const random = new Random(seed);
  // Half of the rounds meet checksums as they are, half get past them.
  const verified = random.below(2) === 0;
  const second = random.pick(target.fixtures);
  const other = (): Uint8Array => prepared.other(second);
  if (target.moves === true) return { input: damageCopy(bytes, places, random, other), verified, undo() {} };
  const { damaged, undo } = damageInPlace(bytes, places, random, other);
  return { input: damaged, verified, undo };
}

/** Runs a round; gives what is wrong with it, or undefined. */
export async function runRound(prepared: Prepared, seed: number): Promise<string | undefined> {
  const { target, fixture } = prepared;
  const { input, verified, undo } = inputOf(prepared, seed);
  flags.fuzzIgnoresChecksums = !verified;
  try {
    await target.run(input, fixture);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof GuestfsError) return undefined;
    return thrown instanceof Error ? (thrown.stack ?? String(thrown)) : String(thrown);
  } finally {
    undo();
  }
}
