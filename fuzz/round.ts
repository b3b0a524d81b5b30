/**
 * One round: an input is damaged, the target uses it, and what that took is measured. A round is a function of target,
 * fixture and seed alone; which rounds were before it changes nothing.
 */
import { GuestfsError } from '../src/base/index.js';
import { setDecoderHelpers } from '../src/disk/index.js';
import { Random } from '../test/support/random.js';
import { type Donor, SparseCopy } from './donors.js';
import { damageCopy, damageInPlace } from './mutate.js';
import { type Places, type PlacesOfRound, placesIn, unitsReadBy } from './places.js';
import { type FieldPlace, loadFixture, type Parts, type Target } from './target.js';

/** What base's `checksumHolds` reads, in the fuzzer's build. */
const flags = globalThis as { fuzzIgnoresChecksums?: boolean };

// Threads would make the times, and which of two errors comes first, a matter of chance.
setDecoderHelpers(0);

/** Fixtures of one target to take parts from, by their names. */
const donors = new Map<string, Donor>();
let donorsOf: Target | undefined;

function donor(target: Target, fixture: string): Donor {
  if (donorsOf !== target) donors.clear();
  donorsOf = target;
  const found = donors.get(fixture) ?? new SparseCopy(loadFixture(target, fixture));
  donors.set(fixture, found);
  return found;
}

/** A fixture, ready to be damaged. */
export interface Prepared {
  readonly target: Target;
  readonly fixture: string;
  readonly bytes: Uint8Array;
  /** Of an input that is used whole: its places. Else those of opening it, and those of each part. */
  readonly places: PlacesOfRound;
  readonly parts?: Parts;
  /** Digits of a text that say much; see {@link Target.digits}. */
  readonly digits: readonly number[];
  /** Another fixture of the target's, to take parts from. */
  other(name: string): Donor;
}

/** Where each part reads what opening does not. */
async function placesOfParts(
  bytes: Uint8Array,
  parts: Parts,
  fields: readonly FieldPlace[],
): Promise<PlacesOfRound> {
  const opening = await unitsReadBy(() => parts.run(bytes, []));
  const places = [placesIn(bytes, opening, fields)];
  for (let part = 0; part < parts.count; part++) {
    const read = await unitsReadBy(() => parts.run(bytes, [part]));
    const own = new Set([...read].filter((unit) => !opening.has(unit)));
    places.push(placesIn(bytes, own.size === 0 ? read : own, parts.fields?.(part) ?? []));
  }
  return places;
}

export async function prepare(target: Target, fixture: string): Promise<Prepared> {
  const bytes = loadFixture(target, fixture);
  flags.fuzzIgnoresChecksums = false;
  const fields = target.fields?.(bytes) ?? [];
  const parts = target.parts?.(bytes, fixture);
  const read = parts === undefined && target.moves !== true ? () => target.run(bytes, fixture) : () => {};
  return {
    target,
    fixture,
    bytes,
    places:
      parts === undefined
        ? [placesIn(bytes, await unitsReadBy(read), fields)]
        : await placesOfParts(bytes, parts, fields),
    ...(parts === undefined ? {} : { parts }),
    digits: target.digits?.(bytes) ?? [],
    other: (name) => donor(target, name),
  };
}

/** The input of a round. */
export interface Input {
  readonly input: Uint8Array;
  readonly verified: boolean;
  /** Of an input with parts: those that are used. Left out: all is. */
  readonly chosen?: readonly number[];
  /** Puts the fixture right again. */
  undo(): void;
}

/** Of so many rounds on an input with parts one uses all of it. */
const wholeEvery = 64;
const mostParts = 3;

/** What is used of an input with parts, and where it is damaged: in what opening reads, or only in what the parts do. */
function chooseParts(
  { places, parts }: Prepared,
  random: Random,
): Pick<Input, 'chosen'> & { at: PlacesOfRound } {
  if (parts === undefined || parts.count === 0 || random.below(wholeEvery) === 0) return { at: places };
  const chosen = Array.from({ length: 1 + random.below(mostParts) }, () => random.below(parts.count));
  // safe: the first places are those of opening, and each part has some after them
  const at = chosen.map((part) => places[part + 1] as Places);
  return { chosen, at: random.below(2) === 0 ? at : [places[0] as Places, ...at] };
}

/** The input of a round, and what puts the fixture right again. */
export function inputOf(prepared: Prepared, seed: number): Input {
  const { target, bytes, places } = prepared;
  const random = new Random(seed);
  // Half of the rounds meet checksums as they are, half get past them.
  const verified = random.below(2) === 0;
  const second = random.pick(target.fixtures);
  const other = (): Donor => prepared.other(second);
  if (target.moves === true) return { input: damageCopy(bytes, places, random, other), verified, undo() {} };
  const { at, ...choice } = prepared.parts === undefined ? { at: places } : chooseParts(prepared, random);
  const { damaged, undo } = damageInPlace(
    bytes,
    at,
    random,
    other,
    target.hasText === true ? prepared.digits : undefined,
  );
  return { input: damaged, verified, ...choice, undo };
}

/** Runs a round; gives what is wrong with it, or undefined. */
export async function runRound(prepared: Prepared, seed: number): Promise<string | undefined> {
  const { target, fixture } = prepared;
  const { input, verified, chosen, undo } = inputOf(prepared, seed);
  flags.fuzzIgnoresChecksums = !verified;
  try {
    if (chosen === undefined) await target.run(input, fixture);
    else await prepared.parts?.run(input, chosen);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof GuestfsError) return undefined;
    return thrown instanceof Error ? (thrown.stack ?? String(thrown)) : String(thrown);
  } finally {
    undo();
  }
}
