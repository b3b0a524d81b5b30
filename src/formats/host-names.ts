/**
 * Decides which names of a guest can be file names on a host. A guest's name may have any bytes except a slash and a
 * NUL; a host may read some of them as a path, a device or a part of a file, or change them silently. "Naming Files,
 * Paths, and Namespaces" (Win32); the names of MS-DOS devices count with any extension.
 */

/** Characters with a special meaning in Win32: separators, drives and streams, wildcards, redirections, controls. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const windowsCharacters = /[\u0000-\u001f"*/:<>?\\|]/;
const windowsDevices = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])[ ]*(?:[.:]|$)/i;

/** A byte that is not UTF-8 (see base/text.ts), or half of a character: hosts with Unicode names cannot hold it. */
const noUnicode = /\p{Surrogate}/u;

function windowsProblem(name: string): string | undefined {
  const character = windowsCharacters.exec(name)?.[0];
  if (character !== undefined) return `Windows has no names with ${JSON.stringify(character)}`;
  if (windowsDevices.test(name)) return 'Windows reads it as the name of a device';
  if (/[. ]$/.test(name)) return 'Windows drops dots and blanks at the end of a name';
  return undefined;
}

/**
 * Why a file of this name cannot be made on a host, as a part of a sentence; undefined if it can. `platform` as in
 * `process.platform`. Whether two names are one file on the host is a separate question, which `HostCopy` puts to the
 * host.
 */
export function hostNameProblem(name: string, platform: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'it names no file';
  if (name.includes('/') || name.includes('\0')) return 'no file can have it';
  if (platform !== 'win32' && platform !== 'darwin') return undefined;
  if (noUnicode.test(name)) return 'names are Unicode on this host, and this one is not';
  return platform === 'win32' ? windowsProblem(name) : undefined;
}
