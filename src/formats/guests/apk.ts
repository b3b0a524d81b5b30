/** Alpine's apk database of installed packages: one letter a field, an empty line after each package. */
import { CorruptError } from '../../base/index.js';
import { type Application, packageLimit } from './application.js';
import { splitVersion } from './dpkg.js';

/** Systems whose /lib is a part of /usr may have the file only there. */
export const apkFiles = ['/lib/apk/db/installed', '/usr/lib/apk/db/installed'] as const;

/** Takes the lines of the database and makes applications from them. */
export class ApkReader {
  readonly applications: Application[] = [];
  #fields = new Map<string, string>();

  /** A line without its newline. CorruptError past a quarter of a million packages. */
  line(line: string): void {
    if (line === '') this.end();
    else if (line[1] === ':' && 'APTUV'.includes(line.slice(0, 1)))
      this.#fields.set(line.slice(0, 1), line.slice(2));
  }

  /** The file ends, and with it its last package. */
  end(): void {
    const application = applicationOf(this.#fields);
    this.#fields = new Map();
    if (application !== undefined && this.applications.push(application) > packageLimit) {
      throw new CorruptError('apk database', 'lists too many packages', { packageLimit });
    }
  }
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
