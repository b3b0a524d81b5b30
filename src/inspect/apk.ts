/** The packages that Alpine's apk has installed. */
import { systemError } from '../base/index.js';
import { ApkReader, type Application, apkFiles, packageDatabaseLimit } from '../formats/index.js';
import type { Tree } from '../vfs/index.js';
import { eachLine } from './lines.js';
import { findQuietly } from './text.js';

/** The installed packages. ENOENT without a database. */
export function readApk(tree: Tree): Application[] {
  for (const path of apkFiles) {
    const place = findQuietly(tree, path, true);
    if (place?.type !== 'file') continue;
    const reader = new ApkReader();
    eachLine(place, packageDatabaseLimit, path, (line) => reader.line(line));
    reader.end();
    return reader.applications;
  }
  throw systemError('ENOENT', apkFiles[0]);
}
