/**
 * Names in directories with the casefold flag: equal where their folded forms are. The kernel folds by Unicode 12.1:
 * canonical decomposition, full case folding, and ignorable characters left out (fs/unicode, "nfdicf").
 *
 * Here the same is built from what JavaScript has. Lower, upper and lower case again of each character by itself gives
 * one representative for each class of full case folding: ß, ẞ and ss agree, as do σ and ς (which only in context would
 * be told apart). The one exception, dotless ı, which upper case joins with i, is left alone. Characters that came after
 * Unicode 12.1 the kernel compares as bytes; here they fold as well, which matters only for two names that differ in
 * the case of such characters.
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
