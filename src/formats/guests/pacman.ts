/**
 * What pacman tells of a package: a file `desc` in a directory of its own, lines `%NAME%`, each followed by its
 * value.
 */
import type { Application } from './application.js';
import { splitVersion } from './dpkg.js';

export const pacmanDirectory = '/var/lib/pacman/local';

/** The package that the lines of a `desc` tell of; undefined for what is no package of pacman's making. */
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
