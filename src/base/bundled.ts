/** The package's bundles, from which this code runs; of tests, it runs from a file for each source. */

/** Defined by the build of the bundles alone. */
declare const GUESTFS_BUNDLED: true | undefined;

export const isBundled = typeof GUESTFS_BUNDLED !== 'undefined';

/** Given by the loader of a bundle that keeps its compiled code. */
declare const recordCompiled: (() => void) | undefined;

/**
 * Has the compiled code of this thread's program kept for later processes, where that is not done yet: for a thread that goes
 * on to live when its first work is done. Without it, that is done at the end of the thread, if it comes to an end of its own.
 */
export function recordCompiledCode(): void {
  if (typeof recordCompiled !== 'undefined') recordCompiled();
}
