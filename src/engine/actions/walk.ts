/** The engine's own call behind the handle's `walk`: a whole tree in columns. */
import type { ListingColumn, TreeListing } from '../../api/index.js';
import { systemError } from '../../base/index.js';
import type { InodeStat } from '../../fs/index.js';
import { makeDeviceNumber, walkTree } from '../../vfs/index.js';
import type { Call } from '../call.js';

type MutableColumns = { [Name in ListingColumn]: Float64Array<ArrayBuffer> };

const firstCapacity = 1024;

/** Columns of one length, each new, or what `each` makes of the old one. */
function makeColumns(each: (name: ListingColumn) => Float64Array<ArrayBuffer>): MutableColumns {
  return {
    device: each('device'),
    inode: each('inode'),
    mode: each('mode'),
    linkCount: each('linkCount'),
    uid: each('uid'),
    gid: each('gid'),
    deviceNode: each('deviceNode'),
    size: each('size'),
    blocks: each('blocks'),
    accessedSeconds: each('accessedSeconds'),
    accessedNanoseconds: each('accessedNanoseconds'),
    modifiedSeconds: each('modifiedSeconds'),
    modifiedNanoseconds: each('modifiedNanoseconds'),
    changedSeconds: each('changedSeconds'),
    changedNanoseconds: each('changedNanoseconds'),
  };
}

/** Columns that grow as files are met. One assignment a column: this is the inner loop of a walk. */
class Columns {
  #capacity = firstCapacity;
  #count = 0;
  #columns = makeColumns(() => new Float64Array(firstCapacity));

  add(stat: InodeStat, device: number): void {
    if (this.#count === this.#capacity) this.#resize(this.#capacity * 2);
    const at = this.#count++;
    const columns = this.#columns;
    columns.device[at] = device;
    columns.inode[at] = stat.inode;
    columns.mode[at] = stat.mode;
    columns.linkCount[at] = stat.linkCount;
    columns.uid[at] = stat.uid;
    columns.gid[at] = stat.gid;
    columns.deviceNode[at] =
      stat.deviceMajor === 0 && stat.deviceMinor === 0
        ? 0
        : makeDeviceNumber(stat.deviceMajor, stat.deviceMinor);
    columns.size[at] = stat.sizeInBytes;
    columns.blocks[at] = stat.blockCount512;
    columns.accessedSeconds[at] = stat.accessed.seconds;
    columns.accessedNanoseconds[at] = stat.accessed.nanoseconds;
    columns.modifiedSeconds[at] = stat.modified.seconds;
    columns.modifiedNanoseconds[at] = stat.modified.nanoseconds;
    columns.changedSeconds[at] = stat.changed.seconds;
    columns.changedNanoseconds[at] = stat.changed.nanoseconds;
  }

  #resize(capacity: number): void {
    const old = this.#columns;
    const kept = Math.min(this.#count, capacity);
    this.#columns = makeColumns((name) => {
      const column = new Float64Array(capacity);
      column.set(old[name].subarray(0, kept));
      return column;
    });
    this.#capacity = capacity;
  }

  listing(paths: string): TreeListing {
    this.#resize(this.#count);
    return { count: this.#count, paths, columns: this.#columns };
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
    columns.add(fileSystem.stat(inode), mount.deviceNumber);
    paths.push(visit.path);
  }
  const listing = columns.listing(paths.length === 0 ? '' : `${paths.join('\0')}\0`);
  // Handed over, not copied: nobody here looks at them again.
  call.handOver(Object.values(listing.columns).map(({ buffer }) => buffer as ArrayBuffer)); // safe: made here
  return listing;
}
