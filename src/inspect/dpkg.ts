/** The packages that dpkg has installed. */
import { systemError } from '../base/index.js';
import {
  type Application,
  DpkgReader,
  dpkgFiles,
  isDpkgStatus,
  packageDatabaseLimit,
} from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import { eachLine } from './lines.js';
import { findQuietly } from './text.js';

/** The installed packages. ENOENT without a database. */
export function readDpkg(tree: Tree): Application[] {
  const status = findQuietly(tree, dpkgFiles.status, true);
  if (status?.type === 'file') {
    const reader = new DpkgReader(true);
    eachLine(status, packageDatabaseLimit, dpkgFiles.status, (line) => reader.line(line));
    reader.end();
    return reader.applications;
  }
  const directory = findQuietly(tree, dpkgFiles.directory, true);
  if (directory?.type !== 'directory') throw systemError('ENOENT', dpkgFiles.status);
  const reader = new DpkgReader(false);
  let left = packageDatabaseLimit;
  for (const entry of tree.entries(directory)) {
    const place = tree.enter(directory, entry);
    if (place.type !== 'file' || !isDpkgStatus(entry.name)) continue;
    const path = `${dpkgFiles.directory}/${entry.name}`;
    eachLine(place, left, path, (line) => reader.line(line));
    left -= place.fileSystem.stat(place.inode).sizeInBytes;
    reader.end();
  }
  return reader.applications;
}
