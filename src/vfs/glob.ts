/**
 * `glob_expand`: the paths that match a pattern, as glob(3) with `GLOB_BRACE` and, for a slash after directories,
 * `GLOB_MARK`. Without a match the result is an empty list.
 */
import { GuestfsError, type NamePattern, namePattern, sortBytewise, work } from '../base/index.js';
import { type DirectoryEntry, heeding } from '../fs/index.js';
import type { Place } from './mount.js';
import { checkAbsolute, joinPath } from './names.js';
import type { Tree } from './tree.js';

/** `{a,b}{a,b}…` doubles with each pair, so patterns with more alternatives are refused. */
const alternativeLimit = 4096;
/** Longer patterns are refused, because parsing braces takes time that grows with the square of the length. */
const patternLimit = 16384;
/**
 * The most characters of names and of matching paths that are looked at, over all components: each `*` followed by
 * `..` multiplies them. Sixteen times what an answer of libguestfs can hold.
 */
const lookLimit = 64 * 1024 * 1024;

interface GlobOptions {
  /** Whether directories get a trailing slash; true by default. */
  readonly directorySlash?: boolean;
}

/**
 * The matching paths, sorted byte by byte; with braces, sorted for each alternative by itself. E2BIG for a pattern of
 * more than 4096 alternatives or 16384 characters, and past 64 MiB of names and paths.
 */
export function expandGlob(tree: Tree, pattern: string, options: GlobOptions = {}): string[] {
  checkAbsolute(pattern);
  tree.resolve('/');
  let left = lookLimit;
  const look = (text: string): void => {
    work.steps.spend(text.length);
    left -= text.length;
    if (left < 0)
      throw new GuestfsError('E2BIG', `${pattern}: more than ${lookLimit} characters of names and paths`);
  };
  return expandBraces(pattern).flatMap((one) => expandOne(tree, one, options.directorySlash ?? true, look));
}

/** The alternatives of a pattern's braces, left to right, outermost first. */
function expandBraces(pattern: string): string[] {
  if (pattern.length > patternLimit) {
    throw new GuestfsError('E2BIG', `pattern is longer than ${patternLimit} characters`);
  }
  const done: string[] = [];
  const pending = [pattern];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const brace = findBrace(next);
    if (brace === undefined) done.push(next);
    else {
      const before = next.slice(0, brace.start);
      const after = next.slice(brace.end + 1);
      for (const part of brace.parts.toReversed()) pending.push(before + part + after);
    }
    if (done.length + pending.length > alternativeLimit) {
      throw new GuestfsError('E2BIG', `pattern stands for more than ${alternativeLimit} alternatives`);
    }
  }
  return done;
}

/** The first closed pair of braces and its parts; `{}` has one part, which is empty. */
function findBrace(text: string): { start: number; end: number; parts: string[] } | undefined {
  for (let start = text.indexOf('{'); start >= 0; start = text.indexOf('{', start + 1)) {
    if (isQuoted(text, start)) continue;
    const parts: string[] = [];
    let depth = 0;
    let partStart = start + 1;
    for (let at = start; at < text.length; at++) {
      const character = text[at];
      if (character === '\\') at++;
      else if (character === '{') depth++;
      else if (character === ',' && depth === 1) {
        parts.push(text.slice(partStart, at));
        partStart = at + 1;
      } else if (character === '}' && --depth === 0) {
        parts.push(text.slice(partStart, at));
        return { start, end: at, parts };
      }
    }
    return undefined;
  }
  return undefined;
}

function isQuoted(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 1;
}

interface Match {
  readonly path: string;
  readonly place: Place;
}

/** `look` hears of each name and path that is looked at, and ends what gets too much. */
function expandOne(
  tree: Tree,
  pattern: string,
  directorySlash: boolean,
  look: (path: string) => void,
): string[] {
  const components = pattern.split('/').filter((component) => component !== '');
  const wantsDirectory = pattern.endsWith('/');
  let matches: Match[] = [{ path: '/', place: tree.root }];
  for (const component of components) {
    const step = namePattern(component);
    const next: Match[] = [];
    for (const { path } of matches) {
      for (const match of expandComponent(tree, path, step, look)) {
        look(match.path);
        next.push(match);
      }
    }
    matches = next;
  }
  const paths: string[] = [];
  for (const { path, place } of matches) {
    const directory = path === '/' || isDirectory(tree, path, place);
    if (wantsDirectory && !directory) continue;
    const slash = directory && path !== '/' && (directorySlash || wantsDirectory);
    paths.push(slash ? `${path}/` : path);
  }
  return sortBytewise(paths);
}

/** The matches of a component in a directory, links followed; none if the path is no directory. */
function* expandComponent(
  tree: Tree,
  path: string,
  step: NamePattern,
  look: (name: string) => void,
): Iterable<Match> {
  if (step.literal !== undefined) {
    const literalPath = joinPath(path, step.literal);
    const place = findQuietly(tree, literalPath, false);
    if (place !== undefined) yield { path: literalPath, place };
    return;
  }
  const directory = findQuietly(tree, path, true);
  if (directory?.type !== 'directory') return;
  const names: DirectoryName[] = [...dotNames(step)];
  for (const entry of heedingEntries(tree, path, directory)) {
    look(entry.name);
    if (!step.matches(entry.name)) continue;
    const place = heeding(tree.onDamage, () => tree.enter(directory, entry));
    if (place !== undefined) names.push({ name: entry.name, place });
  }
  for (const { name, place } of names) yield { path: joinPath(path, name), place: place ?? directory };
}

/** The entries of a directory. Damaged entries are left out and reported with the directory's path. */
function heedingEntries(tree: Tree, path: string, directory: Place): Iterable<DirectoryEntry> {
  const { onDamage } = tree;
  return tree.entries(directory, onDamage && ((error) => onDamage(error, path)));
}

interface DirectoryName {
  readonly name: string;
  readonly place?: Place;
}

/** `.` and `..` are entries as well: `.*` matches both. */
function* dotNames(step: NamePattern): Iterable<DirectoryName> {
  for (const name of ['.', '..']) if (step.matches(name)) yield { name };
}

function isDirectory(tree: Tree, path: string, place: Place): boolean {
  if (place.type === 'symlink') return findQuietly(tree, path, true)?.type === 'directory';
  return place.type === 'directory';
}

/** As in glob(3), a path that cannot be resolved (a loop of links, too long a name, damage) counts as missing. */
function findQuietly(tree: Tree, path: string, followLast: boolean): Place | undefined {
  const { onDamage } = tree;
  try {
    return heeding(onDamage && ((error) => onDamage(error, path)), () => tree.find(path, { followLast }));
  } catch (thrown) {
    if (thrown instanceof GuestfsError && (thrown.code === 'ELOOP' || thrown.code === 'ENAMETOOLONG')) {
      return undefined;
    }
    throw thrown;
  }
}
