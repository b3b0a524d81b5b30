/** This package's version, and the version of the API that it speaks. */

/** As in package.json; a test holds them together. */
export const packageVersion = '0.1.0';

/**
 * What `version` gives. Programs compare it with the `since` of an action, so the numbers are of the libguestfs whose
 * API the tables describe; `extra` says that it is not libguestfs itself.
 */
export const apiVersion = Object.freeze({
  major: 1,
  minor: 61,
  release: 1,
  extra: `-guestfs-${packageVersion}`,
});
