/**
 * `case_sensitive_path`: a path in any case, translated into the spelling on the disk. As in libguestfs, only ASCII
 * letters have a case here, and the last component may be missing, in which case it stays unchanged.
 */
import { GuestfsError, LruMap, systemError } from '../base/index.js';
import type { Place } from './mount.js';
import { checkAbsolute, joinPath } from './names.js';
import type { Tree } from './tree.js';

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** How many directories are kept, and how many names of one; larger directories are searched each time. */
const keptDirectories = 6;
const keptNames = 65_536;

interface Names {
  readonly exact: ReadonlySet<string>;
  /** For each name in small letters, the first spelling. */
  readonly first: ReadonlyMap<string, string>;
}

/**
 * Spellings of the names in directories that were read, for a caller that looks up many paths of a tree that does not
 * change.
 */
export class Spellings {
  readonly #directories = new LruMap<string, Names | 'large'>(keptDirectories);

  /** The entry with exactly this spelling, else the first one that differs only in case. */
  find(tree: Tree, directory: Place, name: string): string | undefined {
    const key = `${directory.mount.deviceOf(directory.inode)} ${directory.inode}`;
    let names = this.#directories.get(key);
    if (names === undefined) {
      names = namesOf(tree, directory);
      this.#directories.set(key, names);
    }
    if (names === 'large') return findSpelling(tree, directory, name);
    return names.exact.has(name) ? name : names.first.get(lowerAscii(name));
  }
}

function namesOf(tree: Tree, directory: Place): Names | 'large' {
  const exact = new Set<string>();
  const first = new Map<string, string>();
  for (const { name } of tree.entries(directory)) {
    if (exact.size >= keptNames) return 'large';
    exact.add(name);
    const lower = lowerAscii(name);
    if (!first.has(lower)) first.set(lower, name);
  }
  return { exact, first };
}

/** A path in its true spelling. ENOENT or ENOTDIR if its components before the last do not lead to a directory. */
export function caseSensitivePath(tree: Tree, path: string, spellings?: Spellings): string {
  checkAbsolute(path);
  const components = path.split('/').filter((component) => component !== '');
  // A trailing slash requires a directory, in the last component too.
  const needed = path.endsWith('/') ? components.length : components.length - 1;
  let at = tree.resolve('/');
  let spelled = '/';
  for (const [index, component] of components.entries()) {
    if (component === '.' || component === '..') {
      throw new GuestfsError('EINVAL', `${path}: path contains "." or ".." elements`);
    }
    const name = spellings ? spellings.find(tree, at, component) : findSpelling(tree, at, component);
    if (name === undefined && index >= needed) return joinPath(spelled, component);
    if (name === undefined) throw systemError('ENOENT', `${path}: ${component}`, { path });
    spelled = joinPath(spelled, name);
    if (index >= needed) return spelled;
    at = tree.resolve(spelled);
    if (at.type !== 'directory') throw systemError('ENOTDIR', spelled);
  }
  return spelled;
}

/** The entry with exactly this spelling, else the first one that differs only in case. */
function findSpelling(tree: Tree, directory: Place, name: string): string | undefined {
  const wanted = lowerAscii(name);
  let found: string | undefined;
  for (const entry of tree.entries(directory)) {
    if (entry.name === name) return name;
    if (found === undefined && lowerAscii(entry.name) === wanted) found = entry.name;
  }
  return found;
}
