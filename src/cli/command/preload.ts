/**
 * Guesses from the words of a command line whether the command will launch the engine. A wrong guess only costs time.
 */

/** First words of commands that open no image, or only sometimes. */
const others: ReadonlySet<string> = new Set(['actions', 'completion', 'create', 'doctor', 'help', 'info']);

/** `environment`: the value of `LIBGUESTFS_BACKEND`. */
export function willLaunch(
  words: readonly string[],
  environment: string | undefined = process.env.LIBGUESTFS_BACKEND,
): boolean {
  const [first] = words;
  if (first === undefined || first.startsWith('-') || others.has(first)) return false;
  if (first === '__complete') return words.at(-1)?.includes('/') === true;
  if (environment !== undefined && environment !== 'embedded' && environment !== 'auto') return false;
  return !words.some((word) => word === '--help' || word.startsWith('--backend'));
}
