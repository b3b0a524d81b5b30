/** Whether this code runs from the package's bundles, or from a file for each source, as tests do. */

/** Defined by the build of the bundles alone. */
declare const GUESTFS_BUNDLED: true | undefined;

export const isBundled = typeof GUESTFS_BUNDLED !== 'undefined';
