/** What is in a file's status, as words: type, permissions, times. */
import { type ModeType, typeOfMode } from '../../base/index.js';

interface TypeLetters {
  /** In `ls -l`. */
  readonly letter: string;
  /** For `find --type`. */
  readonly find: string;
}

const types: Readonly<Record<ModeType, TypeLetters>> = {
  file: { letter: '-', find: 'f' },
  directory: { letter: 'd', find: 'd' },
  symlink: { letter: 'l', find: 'l' },
  block: { letter: 'b', find: 'b' },
  character: { letter: 'c', find: 'c' },
  fifo: { letter: 'p', find: 'p' },
  socket: { letter: 's', find: 's' },
};
const allTypes: Readonly<Record<ModeType | 'unknown', TypeLetters>> = {
  ...types,
  unknown: { letter: '?', find: '?' },
};

/** The letter for `find --type`: `f d l b c p s`. */
export function typeLetter(mode: number): string {
  return allTypes[typeOfMode(mode)].find;
}

export const typeLetters: readonly string[] = Object.values(types).map(({ find }) => find);

export const isDirectory = (mode: number): boolean => typeOfMode(mode) === 'directory';
export const isRegularFile = (mode: number): boolean => typeOfMode(mode) === 'file';
export const isSymlink = (mode: number): boolean => typeOfMode(mode) === 'symlink';
export const isDeviceFile = (mode: number): boolean => ['block', 'character'].includes(typeOfMode(mode));

/** `-rwsr-xr-x`. */
export function modeText(mode: number): string {
  const triple = (shift: number, special: number, letter: string): string => {
    const bits = mode >> shift;
    const runs = (bits & 1) !== 0;
    const last = (mode & special) !== 0 ? (runs ? letter : letter.toUpperCase()) : runs ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  const { letter } = allTypes[typeOfMode(mode)];
  return letter + triple(6, 0o4000, 's') + triple(3, 0o2000, 's') + triple(0, 0o1000, 't');
}

/** The permissions alone: `0644`. */
export function permissionsText(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}

/** `2024-05-01 12:34:56`, or only to the minute; always UTC. Seconds outside the calendar's range stay a number. */
export function timeText(seconds: number, until: 'seconds' | 'minutes' = 'seconds'): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `@${seconds}`;
  return date
    .toISOString()
    .slice(0, until === 'minutes' ? -8 : -5)
    .replace('T', ' ');
}
