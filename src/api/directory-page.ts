/** A part of a directory, for directories that are too large for one answer. */
import type { Structs } from './structs.js';

/** Entries in the order of the bytes of their names. It may have fewer than were asked for, and still be followed. */
export interface DirectoryPage {
  readonly names: readonly string[];
  /** The letters of `dirent`, one for each name. */
  readonly types: string;
  /** If they were asked for, what `lstatns` gives, one for each name. */
  readonly stats: readonly Structs['statns'][];
  /** The last name that was looked at: the next page is the one after it. Undefined at the end. */
  readonly next: string | undefined;
}
