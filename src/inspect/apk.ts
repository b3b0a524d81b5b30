/** The packages that Alpine's apk has installed: /lib/apk/db/installed, one letter a field, an empty line after each. */
import { CorruptError, systemError } from '../base/index.js';
import type { Tree } from '../vfs/index.js';
import type { Application } from './application.js';
import { splitVersion } from './dpkg.js';
import { eachLine } from './lines.js';
import { findQuietly } from './text.js';

/** Systems whose /lib is a part of /usr may have it there only. */
const installedFiles = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'];
const installedLimit = 256 * 1024 * 1024;
const packageLimit = 250_000;

/** What is installed. ENOENT where there is no database. */
export function readApk(tree: Tree): Application[] {
  for (const path of installedFiles) {
    const place = findQuietly(tree, path, true);
    if (place?.type !== 'file') continue;
    const applications: Application[] = [];
    let fields = new Map<string, string>();
    const endPackage = (): void => {
      const application = applicationOf(fields);
      if (application !== undefined && applications.push(application) > packageLimit) {
        throw new CorruptError('apk database', 'lists too many packages', { packageLimit });
      }
      fields = new Map();
    };
    eachLine(place, installedLimit, path, (line) => {
      if (line === '') endPackage();
      else if (line[1] === ':' && 'APTUV'.includes(line.slice(0, 1)))
        fields.set(line.slice(0, 1), line.slice(2));
    });
    endPackage();
    return applications;
  }
  throw systemError('ENOENT', '/lib/apk/db/installed');
}

function applicationOf(fields: ReadonlyMap<string, string>): Application | undefined {
  const name = fields.get('P');
  const version = splitVersion(fields.get('V') ?? '');
  if (name === undefined || !fields.has('V') || version === undefined) return undefined;
  return {
    name,
    ...version,
    // Revisions are written "-r3".
    release: version.release.replace(/^r/, ''),
    arch: fields.get('A') ?? '',
    url: fields.get('U') ?? '',
    sourcePackage: '',
    summary: '',
    description: fields.get('T') ?? '',
  };
}
