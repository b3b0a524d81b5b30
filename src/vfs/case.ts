/**
 * `case_sensitive_path`: a path written in any case, as it is really spelled on the disk. As in libguestfs only
 * ASCII letters have a case here, and the last component may be missing: it is then given back as it came.
 */
import { GuestfsError, LruMap, systemError } from '../base/index.js';
import type { Place } from './mount.js';
import { checkAbsolute, joinPath } from './names.js';
import type { Tree } from './tree.js';

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Directories whose names are kept, and names of one; larger ones are searched each time. */
const keptDirectories = 6;
const keptNames = 65_536;

interface Names {
  readonly exact: ReadonlySet<string>;
  /** The first name of each spelling in small letters. */
  readonly first: ReadonlyMap<string, string>;
}

/** How names are spelled in directories that were looked at: for whoever asks for many paths of a tree that does not change. */
export class Spellings {
  readonly #directories = new LruMap<string, Names | 'large'>(keptDirectories);

  /** The entry that is spelled exactly so, else the first that differs only in case. */
  find(tree: Tree, directory: Place, name: string): string | undefined {
    const key = `${directory.mount.deviceNumber} ${directory.inode}`;
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

/** The true spelling of a path. ENOENT or ENOTDIR where all but its last component do not lead to a directory. */
export function caseSensitivePath(tree: Tree, path: string, spellings?: Spellings): string {
  checkAbsolute(path);
  const components = path.split('/').filter((component) => component !== '');
  // A slash at the end asks for a directory, also of the last component.
  const needed = path.endsWith('/') ? components.length : components.length - 1;
  let at = tree.resolve('/');
  let spelled = '/';
  for (const [index, component] of components.entries()) {
    if (component === '.' || component === '..') {
      throw new GuestfsError('EINVAL', `${path}: path contains "." or ".." elements`);
    }
    const name = spellings ? spellings.find(tree, at, component) : findSpelling(tree, at, component);
    if (name === undefined && index >= needed) return joinPath(spelled, component);
    if (name === undefined) throw systemError('ENOENT', `${path}: ${component}`);
    spelled = joinPath(spelled, name);
    if (index >= needed) return spelled;
    at = tree.resolve(spelled);
    if (at.type !== 'directory') throw systemError('ENOTDIR', spelled);
  }
  return spelled;
}

/** The entry that is spelled exactly so, else the first that differs only in case. */
function findSpelling(tree: Tree, directory: Place, name: string): string | undefined {
  const wanted = lowerAscii(name);
  let found: string | undefined;
  for (const entry of tree.entries(directory)) {
    if (entry.name === name) return name;
    if (found === undefined && lowerAscii(entry.name) === wanted) found = entry.name;
  }
  return found;
}
