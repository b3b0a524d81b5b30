/** An installed package, as every reader of a package database gives it. */

import type { InstalledProgram } from './windows.js';

/** Debian has some 60,000 packages in all. */
export const packageLimit = 250_000;
/**
 * The largest package database that is read, in bytes of all its files together. The database of a system with all of
 * Debian has about 60 MB. Its text stays on the heap as long as any field of it does.
 */
export const packageDatabaseLimit = 64 * 1024 * 1024;

/** One installed package. Facts that the package manager does not record are empty. */
export interface Application {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly url: string;
  /** The name of the source package, if it differs from `name`. */
  readonly sourcePackage: string;
  readonly summary: string;
  readonly description: string;
  /** Of a program of Windows only. */
  readonly program?: InstalledProgram;
}
