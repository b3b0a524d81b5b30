/**
 * pacman's record of a package: a file `desc` in a directory of its own, with lines `%NAME%`, each followed by its
 * value.
 */
import type { Application } from './application.js';
import { splitVersion } from './dpkg.js';

export const pacmanDirectory = '/var/lib/pacman/local';

/** The package in the lines of a `desc`; undefined if they are not a package's. */
export function pacmanApplication(lines: readonly string[]): Application | undefined {
  const value = (key: string): string | undefined => {
    const at = lines.indexOf(`%${key}%`);
    return at < 0 ? undefined : lines[at + 1];
  };
  const name = value('NAME');
  const arch = value('ARCH');
  const version = splitVersion(value('VERSION') ?? '');
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
