/** Commands that change files of a guest: they ask for `--rw`, and say in one line what was done once it is stored. */
import { GuestfsError, HostError } from '../../base/index.js';
import { exitStatus, Failure, usageFailure } from '../command/failure.js';
import type { Invocation } from '../command/invocation.js';
import { guestOptions } from '../command/options.js';
import { expandPaths, Failures } from '../command/paths.js';
import type { Guest } from './guest.js';
import { withPath } from './guest-not-found.js';
import { readImageOperands } from './image-argument.js';
import { withMountedGuest } from './mounting.js';

/** Options of commands that change files of a guest. */
export const changingOptions = { ...guestOptions, json: { type: 'flag' } } as const;

/** An image is changed only where the command line says so. */
function requireRw({ options }: Invocation): void {
  if (!options.flag('rw')) throw usageFailure('this changes the image', 'add --rw to change it');
}

/** Opens an image for writing, with its filesystems mounted. When this resolves, all that `work` changed is stored. */
async function withChangedGuest<T>(
  invocation: Invocation,
  image: string,
  work: (guest: Guest) => Promise<T>,
): Promise<T> {
  requireRw(invocation);
  return await withMountedGuest(invocation, image, async (guest) => {
    const value = await work(guest);
    // Errors of storing what was written come here.
    await guest.g.shutdown();
    return value;
  });
}

/** So many paths are named in the line that says what was done. */
const mostNamed = 3;

/** Says what was done to paths, as they are called now: `disk.img: removed /a, /b`, or with `--json` an object. */
async function tellChange(
  invocation: Invocation,
  image: string,
  done: string,
  paths: readonly string[],
): Promise<void> {
  const { options, out } = invocation;
  if (options.flag('json')) return await invocation.printJson({ image, paths });
  if (invocation.isQuiet || paths.length === 0) return;
  const more = paths.length > mostNamed ? ` and ${paths.length - mostNamed} more` : '';
  await out.lines([out.name(`${image}: ${done} ${paths.slice(0, mostNamed).join(', ')}${more}`)]);
}

/** What one command changes: it goes on with the other paths where one fails. */
export class Changes {
  readonly guest: Guest;
  readonly #failures: Failures;
  /** Those that were changed, as they are called now. */
  readonly paths: string[] = [];

  constructor(guest: Guest) {
    this.guest = guest;
    this.#failures = new Failures(guest);
  }

  /** The paths that words stand for. */
  async expand(words: readonly string[]): Promise<string[]> {
    return await expandPaths(this.guest, words, this.#failures);
  }

  /** The same, in another guest. */
  async expandIn(guest: Guest, words: readonly string[]): Promise<string[]> {
    return await expandPaths(guest, words, this.#failures);
  }

  /** Runs some work, which gives the path that it changed, or undefined for none. */
  async attempt(work: () => Promise<string | undefined>): Promise<void> {
    const path = await this.#failures.attempt(work);
    if (path !== undefined) this.paths.push(path);
  }

  /** Fails if anything failed. */
  end(): void {
    this.#failures.end();
  }
}

/** Changes a guest, stores what was done, and says it: `done` is the verb. Fails at the end if any change failed. */
export async function changeGuest(
  invocation: Invocation,
  image: string,
  done: string,
  work: (changes: Changes) => Promise<void>,
): Promise<void> {
  const changes = await withChangedGuest(invocation, image, async (guest) => {
    const changes = new Changes(guest);
    await work(changes);
    return changes;
  });
  await tellChange(invocation, image, done, changes.paths);
  changes.end();
}

/** The image and the paths of a command that needs one path at least. */
export function readChangedPaths(operands: readonly string[]): { image: string; paths: string[] } {
  const { image, paths } = readImageOperands(operands);
  if (paths.length === 0) throw usageFailure('a path inside the image is missing', `write ${image}:/path`);
  return { image, paths };
}

/** Changes each path that the words stand for. `change` gives false where there was nothing to do. */
export async function changePaths(
  invocation: Invocation,
  operands: readonly string[],
  done: string,
  change: (guest: Guest, path: string) => Promise<boolean>,
): Promise<void> {
  const { image, paths: words } = readChangedPaths(operands);
  await changeGuest(invocation, image, done, async (changes) => {
    for (const path of await changes.expand(words))
      await changes.attempt(async () => ((await change(changes.guest, path)) ? path : undefined));
  });
}

/** The path without its last name: `/etc` of `/etc/fstab`. */
export const parentOf = (path: string): string => path.replace(/\/*[^/]*\/*$/, '') || '/';

/** The last name of a path; empty for the root. */
export const baseName = (path: string): string => path.replace(/\/+$/, '').replace(/^.*\//s, '');

export const joinPath = (directory: string, name: string): string =>
  `${directory.replace(/\/+$/, '')}/${name}`;

/** Where something named `name` goes: into a directory that is there, else to the path itself. */
export async function placeFor({ g, controls }: Guest, destination: string, name: string): Promise<string> {
  const isThere = await g.isDir(destination, { followsymlinks: true, ...controls });
  return isThere ? joinPath(destination, name) : destination;
}

/** Makes something at a path. Where the directory for it is missing, the error says so, and how to make it. */
export async function makeAt<T>(
  guest: Guest,
  path: string,
  work: () => Promise<T>,
  hint?: string,
): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof GuestfsError) || thrown instanceof HostError || thrown.code !== 'ENOENT')
      throw thrown;
    const directory = parentOf(path);
    throw new Failure(
      `${path}: there is no directory ${directory}`,
      exitStatus.notFound,
      hint ?? `to make it: guestfs mkdir --rw -p ${guest.image}:${directory}`,
    );
  }
}

/** The status of a path that must exist. A link is followed unless `link` is set. */
export async function statusAt(guest: Guest, path: string, { link = false } = {}) {
  const { g, controls } = guest;
  return await withPath(guest, path, () => (link ? g.lstatns(path, controls) : g.statns(path, controls)));
}

/** Makes the directories above a path that are missing. */
export async function makeParents({ g, controls }: Guest, path: string): Promise<void> {
  await g.mkdirP(parentOf(path), controls);
}
