/** Words for yes and no, as libguestfs takes them: on command lines, in the environment, in settings. */

const truths: ReadonlyMap<string, boolean> = new Map([
  ...['1', 'true', 't', 'yes', 'y', 'on'].map((word) => [word, true] as const),
  ...['0', 'false', 'f', 'no', 'n', 'off'].map((word) => [word, false] as const),
]);

/** What a word says, in upper or lower case; undefined where it says neither. */
export function readTruth(word: string): boolean | undefined {
  return truths.get(word.toLowerCase());
}
