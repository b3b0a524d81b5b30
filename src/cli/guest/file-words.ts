/** What is in a file's status, as words: type, permissions, times. */

const typeMask = 0o170000;

interface FileType {
  /** In `ls -l`. */
  readonly letter: string;
  /** For `find --type`. */
  readonly find: string;
  readonly name: string;
}

const types: ReadonlyMap<number, FileType> = new Map([
  [0o100000, { letter: '-', find: 'f', name: 'file' }],
  [0o040000, { letter: 'd', find: 'd', name: 'directory' }],
  [0o120000, { letter: 'l', find: 'l', name: 'symlink' }],
  [0o060000, { letter: 'b', find: 'b', name: 'block' }],
  [0o020000, { letter: 'c', find: 'c', name: 'character' }],
  [0o010000, { letter: 'p', find: 'p', name: 'fifo' }],
  [0o140000, { letter: 's', find: 's', name: 'socket' }],
]);
const unknownType: FileType = { letter: '?', find: '?', name: 'unknown' };

/** `file`, `directory`, `symlink`, `block`, `character`, `fifo`, `socket` or `unknown`. */
export function typeName(mode: number): string {
  return (types.get(mode & typeMask) ?? unknownType).name;
}

/** The letter for `find --type`: `f d l b c p s`. */
export function typeLetter(mode: number): string {
  return (types.get(mode & typeMask) ?? unknownType).find;
}

export const typeLetters: readonly string[] = [...types.values()].map(({ find }) => find);

export const isDirectory = (mode: number): boolean => (mode & typeMask) === 0o040000;
export const isRegularFile = (mode: number): boolean => (mode & typeMask) === 0o100000;
export const isSymlink = (mode: number): boolean => (mode & typeMask) === 0o120000;
export const isDeviceFile = (mode: number): boolean =>
  (mode & typeMask) === 0o060000 || (mode & typeMask) === 0o020000;

/** `-rwsr-xr-x`. */
export function modeText(mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift;
    const runs = (bits & 1) !== 0;
    const last = (mode & special) !== 0 ? (runs ? letter : letter.toUpperCase()) : runs ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  const { letter } = types.get(mode & typeMask) ?? unknownType;
  return letter + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
}

/** The permissions alone: `0644`. */
export function permissionsText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** `2024-05-01 12:34:56`, or only to the minute; always UTC. Seconds beyond what a calendar has stay a number. */
export function timeText(seconds: number, until: 'seconds' | 'minutes' = 'seconds'): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `@${seconds}`;
  return date
    .toISOString()
    .slice(0, until === 'minutes' ? -8 : -5)
    .replace('T', ' ');
}

/** The numbers of a device file, as Linux has packed them into one since 2.6. */
export function deviceNumbers(rdev: number): { major: number; minor: number } {
  const high = Math.floor(rdev / 2 ** 32);
  const low = rdev % 2 ** 32;
  return {
    major: ((low >>> 8) & 0xfff) + ((high & 0xfffff000) >>> 0),
    minor: (low & 0xff) + ((low >>> 12) & 0xfff00) + (high & 0xfff) * 2 ** 20,
  };
}
