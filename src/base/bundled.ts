/** The package's bundles, from which this code runs; of tests, it runs from a file for each source. */

/** Defined by the build of the bundles alone. */
declare const GUESTFS_BUNDLED: true | undefined;

export const isBundled = typeof GUESTFS_BUNDLED !== 'undefined';

/** Defined by the build of the worker that is one file. */
declare const GUESTFS_STANDALONE: true | undefined;

/** Whether the file of this code has all threads in it. */
export const isStandalone = typeof GUESTFS_STANDALONE !== 'undefined';

/** Given by the loader of a bundle that keeps its compiled code. */
declare const recordCompiled: (() => void) | undefined;

/**
 * Stores the compiled code of this thread's program for later processes, unless that was done already. Made for a
 * thread that lives on after its first work: without this call, the code is stored when the thread ends by itself.
 */
export function recordCompiledCode(): void {
  if (typeof recordCompiled !== 'undefined') recordCompiled();
}
