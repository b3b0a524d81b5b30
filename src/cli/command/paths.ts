/** Several paths in one command: patterns are expanded, and what fails with one does not keep the others from being done. */
import { GuestfsError } from '../../base/index.js';
import type { Guest } from '../guest/guest.js';
import { exitStatus, Failure, ReaderGone, Reported } from './failure.js';
import type { Invocation } from './invocation.js';
import { reportFailure } from './report.js';

const wildcard = /[*?[{]/;

async function isThere({ g, controls }: Guest, path: string): Promise<boolean> {
  try {
    await g.lstatns(path, controls);
    return true;
  } catch (thrown) {
    if (thrown instanceof GuestfsError && thrown.code !== 'ECANCELED') return false;
    throw thrown;
  }
}

/**
 * The paths that a word stands for: its matches where it has wildcards and no file has that very name. Where nothing matches
 * it stands for itself, as in a shell, and whoever wants the file will say that there is none.
 */
export async function expandPath(guest: Guest, word: string): Promise<readonly string[]> {
  if (!wildcard.test(word) || (await isThere(guest, word))) return [word];
  const matches = await guest.g.globExpand(word, { directoryslash: false, ...guest.controls });
  return matches.length === 0 ? [word] : matches;
}

/** Tells of failures as they come, and remembers the worst, for a command that goes on with what is left. */
export class Failures {
  readonly #invocation: Invocation;
  readonly #guest: Guest;
  #worst = 0;

  constructor(guest: Guest) {
    this.#guest = guest;
    this.#invocation = guest.invocation;
  }

  /** Does something, and tells of its failure. What ends the whole command is thrown on: Ctrl-C, a reader gone, a dead backend. */
  async attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (thrown) {
      this.#take(thrown);
      return undefined;
    }
  }

  #take(thrown: unknown): void {
    const isOfOne =
      thrown instanceof Failure ||
      (thrown instanceof GuestfsError && thrown.code !== 'ECANCELED' && thrown.code !== 'EPIPE');
    if (!isOfOne || thrown instanceof ReaderGone || this.#guest.g.state !== 'ready') throw thrown;
    const { lines, status } = reportFailure(thrown, this.#invocation.command);
    this.#invocation.err.writeNow(`${lines.join('\n')}\n`);
    this.#worst = Math.max(this.#worst, status);
  }

  /** Ends the command with the worst status, if anything failed. To be called when all is done. */
  end(): void {
    if (this.#worst === 0) return;
    const partly = this.#invocation.isPartial ? exitStatus.corrupt : 0;
    throw new Reported(Math.max(this.#worst, partly));
  }
}

/** All paths that words stand for; words without a match are told of. */
export async function expandPaths(
  guest: Guest,
  words: readonly string[],
  failures: Failures,
): Promise<string[]> {
  const paths: string[] = [];
  for (const word of words) paths.push(...((await failures.attempt(() => expandPath(guest, word))) ?? []));
  return paths;
}

/** Does something with each path that the words stand for, and fails in the end if any of them failed. */
export async function withEachPath(
  guest: Guest,
  words: readonly string[],
  work: (path: string) => Promise<void>,
): Promise<void> {
  const failures = new Failures(guest);
  for (const path of await expandPaths(guest, words, failures)) await failures.attempt(() => work(path));
  failures.end();
}
