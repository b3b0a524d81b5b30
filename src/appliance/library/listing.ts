/** Directories and trees, whose listings have no bound: through streams of names, sorted here. */
import type { ActionName } from '../../api/index.js';
import { compareBytewise } from '../../base/index.js';
import type { Composites } from './call.js';
import { gather, textsOf } from './gather.js';

/** Sorts names as C compares them. Without surrogates the order of UTF-16 is that of the bytes, and much quicker. */
function sorted(names: string[]): string[] {
  return names.some((name) => /[\ud800-\udfff]/.test(name)) ? names.sort(compareBytewise) : names.sort();
}

export const listingActions = {
  ls: async (call, directory) =>
    sorted(textsOf(await gather(directory, (sink) => call.daemon('ls0', [directory, sink])))),
  find: async (call, directory) =>
    sorted(textsOf(await gather(directory, (sink) => call.daemon('find0', [directory, sink])))),
} satisfies Partial<Composites<ActionName>>;
