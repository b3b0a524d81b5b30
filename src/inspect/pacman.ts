/**
 * The packages that pacman has installed: a directory each in /var/lib/pacman/local, with a file `desc` of lines
 * `%NAME%`, each followed by its value.
 */
import { CorruptError } from '../base/index.js';
import type { Tree } from '../vfs/index.js';
import type { Application } from './application.js';
import { splitVersion } from './dpkg.js';
import { readLines } from './text.js';

const database = '/var/lib/pacman/local';
const packageLimit = 250_000;

/** What is installed. ENOENT where there is no database. */
export function readPacman(tree: Tree): Application[] {
  const directory = tree.resolve(database);
  const applications: Application[] = [];
  let seen = 0;
  for (const entry of tree.entries(directory)) {
    if (tree.enter(directory, entry).type !== 'directory') continue;
    if (++seen > packageLimit) {
      throw new CorruptError('pacman database', 'lists too many packages', { packageLimit });
    }
    const lines = readLines(tree, `${database}/${entry.name}/desc`);
    const application = lines && applicationOf(lines);
    if (application !== undefined) applications.push(application);
  }
  return applications;
}

function applicationOf(lines: readonly string[]): Application | undefined {
  const value = (key: string): string | undefined => {
    const at = lines.indexOf(`%${key}%`);
    return at < 0 ? undefined : lines[at + 1];
  };
  const name = value('NAME');
  const arch = value('ARCH');
  const version = splitVersion(value('VERSION') ?? '');
  // Without these, or without a release, it is no package of pacman's making.
  if (!name || !arch || !version?.version || !version.release) return undefined;
  return {
    name,
    ...version,
    arch,
    url: value('URL') ?? '',
    sourcePackage: '',
    summary: '',
    description: value('DESC') ?? '',
  };
}
