/**
 * dpkg's status file. dpkg(1), "FILES"; deb822(5) for the format: paragraphs separated by empty lines, fields `Name:
 * value` at the start of a line, continuation lines begin with a blank.
 */
import { CorruptError } from '../../base/index.js';
import { type Application, packageLimit } from './application.js';

export const dpkgFiles = {
  status: '/var/lib/dpkg/status',
  /** A directory with one file for each package, without states, in images without dpkg itself (distroless). */
  directory: '/var/lib/dpkg/status.d',
} as const;

/** Whether a file in that directory of {@link dpkgFiles} describes a package, rather than listing its files. */
export function isDpkgStatus(name: string): boolean {
  return !name.endsWith('.md5sums');
}

/** A version `epoch:upstream-revision`, split as libguestfs splits it: at the first colon and the first hyphen. */
export function splitVersion(text: string): Pick<Application, 'epoch' | 'version' | 'release'> | undefined {
  const colon = text.indexOf(':');
  const epochText = colon < 0 ? '0' : text.slice(0, colon);
  if (!/^[0-9]{1,9}$/.test(epochText)) return undefined;
  const rest = text.slice(colon + 1);
  const hyphen = rest.indexOf('-');
  return {
    epoch: Number(epochText),
    version: hyphen < 0 ? rest : rest.slice(0, hyphen),
    release: hyphen < 0 ? '' : rest.slice(hyphen + 1),
  };
}

const wanted = new Set(['Package', 'Status', 'Version', 'Architecture', 'Homepage', 'Source', 'Description']);

/** Takes the lines of status files and makes applications from their paragraphs. */
export class DpkgReader {
  readonly applications: Application[] = [];
  readonly #needsStatus: boolean;
  #fields = new Map<string, string>();
  #description: string[] = [];
  #inDescription = false;

  /** `needsStatus`: whether a paragraph without a state is no installed package. */
  constructor(needsStatus: boolean) {
    this.#needsStatus = needsStatus;
  }

  /** A line without its newline. CorruptError past a quarter of a million packages. */
  line(line: string): void {
    if (line === '') this.end();
    else if (line.charCodeAt(0) === 0x20) {
      if (this.#inDescription) this.#description.push(line.slice(1));
    } else {
      const colon = line.indexOf(': ');
      const name = colon < 0 ? '' : line.slice(0, colon);
      this.#inDescription = name === 'Description';
      if (wanted.has(name)) this.#fields.set(name, line.slice(colon + 2));
    }
  }

  /** A file ends, and with it its last paragraph. */
  end(): void {
    const fields = this.#fields;
    if (fields.size > 0) {
      const name = fields.get('Package');
      const version = splitVersion(fields.get('Version') ?? '-');
      if (name !== undefined && fields.has('Version') && version !== undefined && this.#isInstalled()) {
        if (this.applications.length >= packageLimit) {
          throw new CorruptError('dpkg status', 'lists too many packages', { packageLimit });
        }
        this.applications.push({
          name,
          ...version,
          arch: fields.get('Architecture') ?? '',
          url: fields.get('Homepage') ?? '',
          sourcePackage: fields.get('Source')?.split(' ', 1)[0] ?? '',
          summary: fields.get('Description') ?? '',
          description: this.#description.join('\n'),
        });
      }
    }
    this.#fields = new Map();
    this.#description = [];
    this.#inDescription = false;
  }

  /** `Status` has the wanted state, an error flag, and the present state; only the last one counts. */
  #isInstalled(): boolean {
    const status = this.#fields.get('Status');
    if (status === undefined) return !this.#needsStatus;
    return status.endsWith(' installed');
  }
}
