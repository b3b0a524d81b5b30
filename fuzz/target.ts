/** The shape of a target: a parser, what it starts from, and a run that uses all that it gives. */
import { GuestfsError } from '../src/base/index.js';
import { fixturesIn, readFixture, readFixtureJson } from '../test/support/fixtures.js';

/** A number in an input, at a place where the specification puts one. */
export interface FieldPlace {
  readonly at: number;
  /** In bytes. */
  readonly length: number;
  readonly little: boolean;
  /** What would be telling here beside bounds: half of the other values are of these. */
  readonly telling?: readonly number[];
}

/**
 * An input of which parts can be used by themselves, such as the files of a filesystem: a round damages what a few of
 * them read, and uses those alone.
 */
export interface Parts {
  readonly count: number;
  /** Numbers that a part trusts. */
  fields?(part: number): readonly FieldPlace[];
  /** Opens an input and uses the chosen parts of it, by their numbers; none: opens it only. */
  run(bytes: Uint8Array, chosen: readonly number[]): void | Promise<void>;
}

export interface Target {
  readonly name: string;
  /** What the target starts from: files below test/fixtures, or names that {@link load} knows. */
  readonly fixtures: readonly string[];
  /** The bytes of a fixture that is no file. */
  load?(fixture: string): Uint8Array;
  /** Numbers of the headers of this format, for damage by field. */
  fields?(bytes: Uint8Array): readonly FieldPlace[];
  /** Whether the input is a stream or a text, whose parts may move, be repeated and be left out. */
  readonly moves?: boolean;
  /** What of an undamaged fixture can be used by itself. */
  parts?(bytes: Uint8Array, fixture: string): Parts;
  /** Whether there is text in the image, whose numbers are digits. */
  readonly hasText?: boolean;
  /** Where digits of that text begin that say a place or a length: half of those that are changed are of these. */
  digits?(bytes: Uint8Array): readonly number[];
  /** Uses all it can. Throws a GuestfsError for what is refused. */
  run(bytes: Uint8Array, fixture: string): void | Promise<void>;
}

/** A volume that is larger is used as it is stored; in bytes. */
const largestVolume = 64 * 1024 * 1024;

/** The bytes of a fixture, with the zeroes at its end that its file leaves out: `volumes.json` tells the sizes. */
export function readVolume(fixture: string): Uint8Array {
  const [folder = '', file = ''] = fixture.split('/');
  const [sizes] = fixturesIn(folder, /^volumes\.json$/);
  const all: Record<string, number> = sizes === undefined ? {} : readFixtureJson(sizes);
  const size = all[file.replace(/\.(img|iso)\.gz$/, '')];
  return readFixture(fixture, size !== undefined && size <= largestVolume ? size : undefined);
}

/** The bytes of a fixture, of memory of their own: damage and its undoing never touch what another holds. */
export function loadFixture(target: Target, fixture: string): Uint8Array {
  return target.load === undefined ? readFixture(fixture) : new Uint8Array(target.load(fixture));
}

/** Runs a part whose refusal leaves the rest usable. */
export function part<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
    return undefined;
  }
}

/** The same for what takes a promise. */
export async function partLater<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError)) throw thrown;
    return undefined;
  }
}
