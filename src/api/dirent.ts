/** The letters for file types in `dirent` and `tsk_dirent`. */
import type { ModeType } from '../base/index.js';

/** `d_type` of readdir in libguestfs's form, and The Sleuth Kit's. */
export const direntLetters: Readonly<Record<ModeType | 'unknown', string>> = {
  file: 'r',
  directory: 'd',
  symlink: 'l',
  block: 'b',
  character: 'c',
  fifo: 'f',
  socket: 's',
  unknown: 'u',
};

const types = new Map(Object.entries(direntLetters).map(([type, letter]) => [letter, type]));

/** The file type of a letter; `unknown` for letters of no file type. */
export function typeOfLetter(letter: string): ModeType | 'unknown' {
  return (types.get(letter) ?? 'unknown') as ModeType | 'unknown'; // safe: the keys of the table above
}
