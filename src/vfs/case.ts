/**
 * `case_sensitive_path`: a path written in any case, as it is really spelled on the disk. As in libguestfs only
 * ASCII letters have a case here, and the last component may be missing: it is then given back as it came.
 */
import { GuestfsError, systemError } from '../base/index.js';
import type { Place } from './mount.js';
import { checkAbsolute, joinPath } from './names.js';
import type { Tree } from './tree.js';

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** The true spelling of a path. ENOENT or ENOTDIR where all but its last component do not lead to a directory. */
export function caseSensitivePath(tree: Tree, path: string): string {
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
    const name = findSpelling(tree, at, component);
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
