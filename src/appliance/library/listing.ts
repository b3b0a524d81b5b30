/** Listings of directories and trees, which have no length limit: streams of names that are sorted here. */
import type { ActionName } from '../../api/index.js';
import { sortBytewise } from '../../base/index.js';
import type { Composites } from './call.js';
import { gather, textsOf } from './gather.js';

export const listingActions = {
  ls: async (call, directory) =>
    sortBytewise(textsOf(await gather(directory, (sink) => call.daemon('ls0', [directory, sink])))),
  find: async (call, directory) =>
    sortBytewise(textsOf(await gather(directory, (sink) => call.daemon('find0', [directory, sink])))),
} satisfies Partial<Composites<ActionName>>;
