/**
 * Which names of a guest can be names of files on a host. A guest's name may be any bytes but a slash and a NUL; a
 * host may read some of those as a path, a device or a part of a file, or change them in silence. "Naming Files,
 * Paths, and Namespaces" (Win32); the names of MS-DOS devices count with any extension.
 */

/** What Win32 reads as more than a part of a name: separators, drives and streams, wildcards, redirections, controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const windowsCharacters = /[\u0000-\u001f"*/:<>?\\|]/;
const windowsDevices = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:[.:]|$)/i;

/**
 * A byte that is no UTF-8 (see base/text.ts), or half of a character: hosts whose names are Unicode have no place for
 * it.
 */
const noUnicode = /\p{Surrogate}/u;

function windowsProblem(name: string): string | undefined {
  const character = windowsCharacters.exec(name)?.[0];
  if (character !== undefined) return `Windows has no names with ${JSON.stringify(character)}`;
  if (windowsDevices.test(name)) return 'Windows reads it as the name of a device';
  if (/[. ]$/.test(name)) return 'Windows drops dots and blanks at the end of a name';
  return undefined;
}

/**
 * Why a file of this name cannot be made in a directory of a host, for a sentence; undefined where it can. `platform`
 * as in `process.platform`. Names that two files of one directory share in the eyes of the host are another matter:
 * the host says which those are, and `HostCopy` asks it.
 */
export function hostNameProblem(name: string, platform: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'it names no file';
  if (name.includes('/') || name.includes('\0')) return 'no file can have it';
  if (platform !== 'win32' && platform !== 'darwin') return undefined;
  if (noUnicode.test(name)) return 'names are Unicode on this host, and this one is not';
  return platform === 'win32' ? windowsProblem(name) : undefined;
}
