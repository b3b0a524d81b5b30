/** Numbers that both backends hold to. */

/** The number of the first call of a session, by which events name it. */
export const firstSerial = 0x00123400;

/**
 * The most bytes that one result carries: what can be held and handed over without harm, and no more than a string of
 * JavaScript's can be long. libguestfs's own limit, its protocol's, is 4 MiB.
 */
export const resultLimit = 512 * 1024 * 1024;
