/**
 * The packages that dpkg has installed. dpkg(1), "FILES"; deb822(5) for the form: paragraphs parted by empty lines,
 * fields `Name: value` at the start of a line, further lines of a field begin with a blank.
 */
import { CorruptError, systemError } from '../base/index.js';
import type { Tree } from '../vfs/index.js';
import type { Application } from './application.js';
import { eachLine } from './lines.js';
import { findQuietly } from './text.js';

const statusFile = '/var/lib/dpkg/status';
/** One file a package, and no states: what images without dpkg itself (distroless) have. */
const statusDirectory = '/var/lib/dpkg/status.d';
/** Debian has some 60,000 packages in all. */
const packageLimit = 250_000;
const statusLimit = 256 * 1024 * 1024;

/** A version `epoch:upstream-revision` in its parts, as libguestfs parts them: at the first colon and the first hyphen. */
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

/** Takes the lines of a status file and makes applications of its paragraphs. */
class StatusReader {
  readonly applications: Application[] = [];
  readonly #needsStatus: boolean;
  #fields = new Map<string, string>();
  #description: string[] = [];
  #inDescription = false;

  constructor(needsStatus: boolean) {
    this.#needsStatus = needsStatus;
  }

  line(line: string): void {
    if (line === '') this.endParagraph();
    else if (line.charCodeAt(0) === 0x20) {
      if (this.#inDescription) this.#description.push(line.slice(1));
    } else {
      const colon = line.indexOf(': ');
      const name = colon < 0 ? '' : line.slice(0, colon);
      this.#inDescription = name === 'Description';
      if (wanted.has(name)) this.#fields.set(name, line.slice(colon + 2));
    }
  }

  endParagraph(): void {
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

  /** `Status` is what is wanted, whether that failed, and what is the case; only the last counts. */
  #isInstalled(): boolean {
    const status = this.#fields.get('Status');
    if (status === undefined) return !this.#needsStatus;
    return status.endsWith(' installed');
  }
}

const wanted = new Set(['Package', 'Status', 'Version', 'Architecture', 'Homepage', 'Source', 'Description']);

/** What is installed. ENOENT where there is no database. */
export function readDpkg(tree: Tree): Application[] {
  const status = findQuietly(tree, statusFile, true);
  if (status?.type === 'file') {
    const reader = new StatusReader(true);
    eachLine(status, statusLimit, statusFile, (line) => reader.line(line));
    reader.endParagraph();
    return reader.applications;
  }
  const directory = findQuietly(tree, statusDirectory, true);
  if (directory?.type !== 'directory') throw systemError('ENOENT', statusFile);
  const reader = new StatusReader(false);
  for (const entry of tree.entries(directory)) {
    const place = tree.enter(directory, entry);
    if (place.type !== 'file' || entry.name.endsWith('.md5sums')) continue;
    eachLine(place, statusLimit, `${statusDirectory}/${entry.name}`, (line) => reader.line(line));
    reader.endParagraph();
  }
  return reader.applications;
}
