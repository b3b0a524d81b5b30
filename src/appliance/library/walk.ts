/**
 * The handle's `walk`, which the daemon lacks: the names through `find0`, then the status of each directory's files
 * together.
 */
import {
  type FileSink,
  type ListingColumn,
  listingColumns,
  partsOf,
  type Structs,
  type TreeListing,
} from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { LibraryCall } from './call.js';
import { gather, textsOf } from './gather.js';
import { intoSink } from './into-sink.js';
import { statList } from './lists.js';

const fields = {
  device: 'stDev',
  inode: 'stIno',
  mode: 'stMode',
  linkCount: 'stNlink',
  uid: 'stUid',
  gid: 'stGid',
  deviceNode: 'stRdev',
  size: 'stSize',
  blocks: 'stBlocks',
  accessedSeconds: 'stAtimeSec',
  accessedNanoseconds: 'stAtimeNsec',
  modifiedSeconds: 'stMtimeSec',
  modifiedNanoseconds: 'stMtimeNsec',
  changedSeconds: 'stCtimeSec',
  changedNanoseconds: 'stCtimeNsec',
} as const satisfies Readonly<Record<ListingColumn, keyof Structs['statns']>>;

/** The paths below a directory, relative to it; each directory comes before its contents. */
async function pathsBelow(call: LibraryCall, directory: string): Promise<string[]> {
  // With a trailing slash a link is followed, and the paths begin without a slash.
  const start = directory.endsWith('/') ? directory : `${directory}/`;
  const names = await gather(directory, (sink) => call.daemon('find0', [start, sink]));
  return textsOf(names);
}

/** The indices of paths, by their directory. */
function byDirectory(paths: readonly string[]): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [index, path] of paths.entries()) {
    const directory = path.slice(0, path.lastIndexOf('/') + 1);
    const group = groups.get(directory);
    if (group === undefined) groups.set(directory, [index]);
    else group.push(index);
  }
  return groups;
}

/** Everything below a directory, in columns. Files that were removed during the walk are left out. */
export async function walk(call: LibraryCall, directory: string): Promise<TreeListing> {
  if (!directory.startsWith('/'))
    throw new GuestfsError('EINVAL', `${directory}: path must start with a / character`);
  const paths = await pathsBelow(call, directory);
  const stats: (Structs['statns'] | undefined)[] = new Array(paths.length);
  const start = directory.endsWith('/') ? directory : `${directory}/`;
  for (const [parent, indices] of byDirectory(paths)) {
    const names = indices.map((index) => (paths[index] ?? '').slice(parent.length));
    const found = await statList(call, start + parent, names);
    for (const [at, index] of indices.entries()) stats[index] = found[at];
  }
  const present = [...paths.keys()].filter((index) => (stats[index]?.stIno ?? -1) !== -1);
  const column = (name: ListingColumn): Float64Array =>
    Float64Array.from(present, (index) => stats[index]?.[fields[name]] ?? 0);
  const columns = Object.fromEntries(listingColumns.map((name) => [name, column(name)])) as Record<
    ListingColumn,
    Float64Array
  >; // safe: all names are there
  return { count: present.length, paths: present.map((index) => `${paths[index]}\0`).join(''), columns };
}

/** The same in parts. */
export async function walkOut(call: LibraryCall, directory: string, to: FileSink): Promise<void> {
  const listing = await walk(call, directory);
  await intoSink(to, async (sink) => {
    for (const part of partsOf(listing)) await sink.write([Buffer.from(part.buffer)]);
  });
}
