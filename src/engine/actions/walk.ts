/** The engine's own call behind the handle's `walk`: a whole tree in columns. */
import { type ListingColumn, listingColumns, type TreeListing } from '../../api/index.js';
import { systemError } from '../../base/index.js';
import { makeDeviceNumber, type TreeStat, walkTree } from '../../vfs/index.js';
import type { Call } from '../call.js';

const values: Readonly<Record<ListingColumn, (stat: Omit<TreeStat, 'blockSize'>) => number>> = {
  device: (stat) => stat.device,
  inode: (stat) => stat.inode,
  mode: (stat) => stat.mode,
  linkCount: (stat) => stat.linkCount,
  uid: (stat) => stat.uid,
  gid: (stat) => stat.gid,
  deviceNode: (stat) =>
    stat.deviceMajor === 0 && stat.deviceMinor === 0
      ? 0
      : makeDeviceNumber(stat.deviceMajor, stat.deviceMinor),
  size: (stat) => stat.sizeInBytes,
  blocks: (stat) => stat.blockCount512,
  accessedSeconds: (stat) => stat.accessed.seconds,
  accessedNanoseconds: (stat) => stat.accessed.nanoseconds,
  modifiedSeconds: (stat) => stat.modified.seconds,
  modifiedNanoseconds: (stat) => stat.modified.nanoseconds,
  changedSeconds: (stat) => stat.changed.seconds,
  changedNanoseconds: (stat) => stat.changed.nanoseconds,
};

/** Columns that grow as files are met. */
class Columns {
  #capacity = 1024;
  #count = 0;
  #columns = listingColumns.map((name) => ({ name, value: values[name], numbers: new Float64Array(1024) }));

  add(stat: Omit<TreeStat, 'blockSize'>): void {
    if (this.#count === this.#capacity) {
      this.#capacity *= 2;
      for (const column of this.#columns) {
        const larger = new Float64Array(this.#capacity);
        larger.set(column.numbers);
        column.numbers = larger;
      }
    }
    for (const { numbers, value } of this.#columns) numbers[this.#count] = value(stat);
    this.#count++;
  }

  listing(paths: string): TreeListing {
    const columns = Object.fromEntries(
      this.#columns.map(({ name, numbers }) => [name, numbers.slice(0, this.#count)]),
    ) as Record<ListingColumn, Float64Array>; // safe: one entry for each column's name
    return { count: this.#count, paths, columns };
  }
}

/** Everything below a directory. ENOTDIR where the path is none. */
export function walkToColumns(call: Call, path: string): TreeListing {
  const { tree } = call.session;
  const start = tree.resolve(path);
  if (start.type !== 'directory') throw systemError('ENOTDIR', path);
  const columns = new Columns();
  const paths: string[] = [];
  for (const visit of walkTree(tree, start)) {
    if (visit.path === '') continue;
    if ((paths.length & 255) === 0) call.progress(paths.length, 0);
    const { mount, fileSystem, inode } = visit.place;
    columns.add({ ...fileSystem.stat(inode), device: mount.deviceNumber });
    paths.push(visit.path);
  }
  return columns.listing(paths.length === 0 ? '' : `${paths.join('\0')}\0`);
}
