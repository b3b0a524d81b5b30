/** The packages that pacman has installed. */
import { CorruptError, systemError } from '../base/index.js';
import {
  type Application,
  packageDatabaseLimit,
  packageLimit,
  pacmanApplication,
  pacmanDirectory,
} from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import { readLines } from './text.js';

/** The installed packages. ENOENT without a database. */
export function readPacman(tree: Tree): Application[] {
  const directory = tree.resolve(pacmanDirectory);
  const applications: Application[] = [];
  let seen = 0;
  let left = packageDatabaseLimit;
  for (const entry of tree.entries(directory)) {
    if (tree.enter(directory, entry).type !== 'directory') continue;
    if (++seen > packageLimit) {
      throw new CorruptError('pacman database', 'lists too many packages', { packageLimit });
    }
    const path = `${pacmanDirectory}/${entry.name}/desc`;
    const lines = readLines(tree, path);
    for (const { length } of lines ?? []) left -= length + 1;
    if (left < 0) throw systemError('EFBIG', path);
    const application = lines && pacmanApplication(lines);
    if (application !== undefined) applications.push(application);
  }
  return applications;
}
