/** The packages that pacman has installed. */
import {
  type Application,
  CorruptError,
  packageLimit,
  pacmanApplication,
  pacmanDirectory,
} from '../base/index.js';
import type { Tree } from '../vfs/index.js';
import { readLines } from './text.js';

/** What is installed. ENOENT where there is no database. */
export function readPacman(tree: Tree): Application[] {
  const directory = tree.resolve(pacmanDirectory);
  const applications: Application[] = [];
  let seen = 0;
  for (const entry of tree.entries(directory)) {
    if (tree.enter(directory, entry).type !== 'directory') continue;
    if (++seen > packageLimit) {
      throw new CorruptError('pacman database', 'lists too many packages', { packageLimit });
    }
    const lines = readLines(tree, `${pacmanDirectory}/${entry.name}/desc`);
    const application = lines && pacmanApplication(lines);
    if (application !== undefined) applications.push(application);
  }
  return applications;
}
