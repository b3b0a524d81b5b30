/**
 * Names in directories with the casefold flag: equal if their folded forms are. The kernel folds by Unicode 12.1:
 * canonical decomposition, full case folding, and ignorable characters removed (fs/unicode, "nfdicf").
 *
 * This is built from JavaScript's functions. Lower, upper and lower case again, of each character alone, gives one
 * representative of each class of full case folding: ß, ẞ and ss agree, as do σ and ς (whose difference depends on
 * context). The one exception, dotless ı, which upper case merges with i, is left alone. The kernel compares
 * characters after Unicode 12.1 as bytes; here they fold as well, which only matters for two names that differ in the
 * case of such characters.
 */
const ignorable = /\p{Default_Ignorable_Code_Point}/gu;
const loneSurrogate = /\p{Surrogate}/u;

/** The folded form; undefined of a name that is not UTF-8, which equals only itself. */
export function foldName(name: string): string | undefined {
  if (loneSurrogate.test(name)) return undefined;
  let folded = '';
  for (const character of name.normalize('NFD').replace(ignorable, '')) {
    folded += character === 'ı' ? character : character.toLowerCase().toUpperCase().toLowerCase();
  }
  return folded.normalize('NFD');
}
