/** This package's version, and the version of the API that it speaks. */

/** As in package.json; a test compares them. */
export const packageVersion = '0.1.0';

/**
 * The answer of `version`. Programs compare it with the `since` of an action, so the numbers are those of the
 * libguestfs whose API the tables describe; `extra` shows that this is not libguestfs itself.
 */
export const apiVersion = Object.freeze({
  major: 1,
  minor: 61,
  release: 1,
  extra: `-guestfs-${packageVersion}`,
});
