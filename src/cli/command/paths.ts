/** Several paths in one command: expands patterns, and goes on with the other paths when one of them fails. */
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
 * The paths that a word stands for: its matches if it has wildcards and no file has exactly that name. A word without
 * matches stands for itself, as in a shell, and opening the file then reports that it is missing.
 */
async function expandPath(guest: Guest, word: string): Promise<readonly string[]> {
  if (!wildcard.test(word) || (await isThere(guest, word))) return [word];
  const matches = await guest.g.globExpand(word, { directoryslash: false, ...guest.controls });
  return matches.length === 0 ? [word] : matches;
}

/** Reports failures as they happen and remembers the worst status, for a command that goes on after a failure. */
export class Failures {
  readonly #invocation: Invocation;
  readonly #guest: Guest;
  #worst = 0;

  constructor(guest: Guest) {
    this.#guest = guest;
    this.#invocation = guest.invocation;
  }

  /**
   * Runs some work and reports its failure. Failures that end the whole command are thrown: Ctrl-C, a reader that has
   * gone, a dead backend.
   */
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

  /** Ends the command with the worst status if anything failed. Called when all work is done. */
  end(): void {
    if (this.#worst === 0) return;
    const partly = this.#invocation.isPartial ? exitStatus.corrupt : 0;
    throw new Reported(Math.max(this.#worst, partly));
  }
}

/** All paths that the words stand for; reports words without a match. */
export async function expandPaths(
  guest: Guest,
  words: readonly string[],
  failures: Failures,
): Promise<string[]> {
  const paths: string[] = [];
  for (const word of words) paths.push(...((await failures.attempt(() => expandPath(guest, word))) ?? []));
  return paths;
}

/** Does something with each path that the words stand for. Fails at the end if any of them failed. */
export async function withEachPath(
  guest: Guest,
  words: readonly string[],
  work: (path: string) => Promise<void>,
): Promise<void> {
  const failures = new Failures(guest);
  for (const path of await expandPaths(guest, words, failures)) await failures.attempt(() => work(path));
  failures.end();
}
