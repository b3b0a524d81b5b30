/** Work of several parts, each of which is done, whatever became of those before. */

/** Does all of it, and throws the first error at the end. */
export function forEachInSpite<T>(each: Iterable<T>, work: (one: T) => void): void {
  let failure: { readonly thrown: unknown } | undefined;
  for (const one of each) {
    try {
      work(one);
    } catch (thrown) {
      failure ??= { thrown };
    }
  }
  if (failure !== undefined) throw failure.thrown;
}
