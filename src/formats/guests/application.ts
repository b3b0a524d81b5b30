/** An installed package, as every reader of a package database gives it. */

/** Debian has some 60,000 packages in all. */
export const packageLimit = 250_000;
/**
 * The largest package database that is read, in bytes, all of its files together. That of a system with all of Debian
 * has some 60 MB; what is read of it stays on the heap as long as any of its fields does.
 */
export const packageDatabaseLimit = 64 * 1024 * 1024;

/** One installed package. What a package manager does not tell is empty. */
export interface Application {
  readonly name: string;
  readonly epoch: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
  readonly url: string;
  /** The name of the source package, where it differs from `name`. */
  readonly sourcePackage: string;
  readonly summary: string;
  readonly description: string;
}
