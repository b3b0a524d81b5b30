/** Whether a command line will launch the engine: a guess from its words alone, which only makes it faster. */

/** Words in front that open no image, or one only sometimes. */
const others: ReadonlySet<string> = new Set(['actions', 'doctor', 'help', 'info']);

/** `environment`: what `LIBGUESTFS_BACKEND` says. */
export function willLaunch(
  words: readonly string[],
  environment: string | undefined = process.env.LIBGUESTFS_BACKEND,
): boolean {
  const [first] = words;
  if (first === undefined || first.startsWith('-') || others.has(first)) return false;
  if (environment !== undefined && environment !== 'embedded' && environment !== 'auto') return false;
  return !words.some((word) => word === '--help' || word.startsWith('--backend'));
}
