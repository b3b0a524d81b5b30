/** The engine's calls behind the handle's `walk` and `walkInParts`: a whole tree in columns. */

import {
  encodePart,
  filesInPart,
  type ListingColumn,
  listingColumns,
  pathsInPart,
  type TreeListing,
} from '../../api/index.js';
import { decodeText, encodeText, GuestfsError, systemError, work } from '../../base/index.js';
import { makeDeviceNumber } from '../../formats/index.js';
import type { InodeStat } from '../../fs/index.js';
import { walkTree } from '../../vfs/index.js';
import type { FileOutSink } from '../host/data-sinks.js';
import type { Call } from '../thread/call.js';

type MutableColumns = { [Name in ListingColumn]: Float64Array<ArrayBuffer> };

const firstCapacity = 1024;
const bytesInRow = listingColumns.length * Float64Array.BYTES_PER_ELEMENT;

/** The most bytes of all paths together: the handle's thread gets them as one string. */
const pathsLimit = 256 * 1024 * 1024;
/** Characters of paths that are encoded together. */
const batchLength = 64 * 1024;

/**
 * Paths as one text, each followed by a NUL. They are kept as bytes outside the heap, where millions of strings would
 * end the thread.
 */
class PathText {
  readonly #what: string;
  #bytes = new Uint8Array(64 * 1024);
  #length = 0;
  #pending: string[] = [];
  #pendingLength = 0;

  constructor(what: string) {
    this.#what = what;
  }

  add(path: string): void {
    this.#pending.push(path);
    this.#pendingLength += path.length;
    if (this.#pendingLength >= batchLength) this.#flush();
  }

  #flush(): void {
    if (this.#pending.length === 0) return;
    const bytes = encodeText(`${this.#pending.join('\0')}\0`);
    this.#pending = [];
    this.#pendingLength = 0;
    const needed = this.#length + bytes.length;
    if (needed > pathsLimit)
      throw new GuestfsError(
        'EFBIG',
        `${this.#what}: the paths below it are more than ${pathsLimit} bytes; walk its directories one by one, or use find0`,
      );
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      work.bytes.spend(larger.length - this.#bytes.length);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, this.#length);
    this.#length = needed;
  }

  text(): string {
    this.#flush();
    return decodeText(this.#bytes.subarray(0, this.#length));
  }
}

/** Columns of one length, each new or made from an old one by `each`. */
function makeColumns(each: (name: ListingColumn) => Float64Array<ArrayBuffer>): MutableColumns {
  // safe: all names are there
  return Object.fromEntries(listingColumns.map((name) => [name, each(name)])) as MutableColumns;
}

/** Columns that grow with the files. One assignment for each column: this is the inner loop of a walk. */
class Columns {
  #capacity = firstCapacity;
  #count = 0;
  #columns = makeColumns(() => new Float64Array(firstCapacity));

  get count(): number {
    return this.#count;
  }

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
    // Of the old ones and the new ones together.
    const growth = Math.max(0, capacity - this.#capacity) * bytesInRow;
    work.bytes.spend(growth);
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

  /** What is there, until the next `add`, which begins anew. */
  take(paths: string): TreeListing {
    const count = this.#count;
    this.#count = 0;
    return { count, paths, columns: this.#columns };
  }
}

/** Calls `each` for everything below a directory. ENOTDIR if the path is none. */
function visitBelow(
  call: Call,
  path: string,
  each: (path: string, stat: InodeStat, device: number) => void,
): void {
  const { tree } = call.session;
  const start = tree.resolve(path);
  if (start.type !== 'directory') throw systemError('ENOTDIR', path);
  let count = 0;
  for (const visit of walkTree(tree, start, { stat: true, from: path })) {
    if (visit.path === '') continue;
    if ((count & 255) === 0) call.progress(count, 0);
    count++;
    each(visit.path, visit.stat, visit.place.mount.deviceOf(visit.place.inode));
  }
  call.session.damage.failIfEmpty(count === 0);
}

/** Everything below a directory, in one listing. */
export function walkToColumns(call: Call, path: string): TreeListing {
  const columns = new Columns();
  const paths = new PathText(path);
  visitBelow(call, path, (below, stat, device) => {
    columns.add(stat, device);
    paths.add(below);
  });
  const listing = columns.listing(paths.text());
  // Transferred without a copy: this thread does not use them again.
  call.handOver(Object.values(listing.columns).map(({ buffer }) => buffer as ArrayBuffer)); // safe: made here
  return listing;
}

/** The same in parts as they are found: whoever takes them is at work on one while the next is looked for. */
export function walkOut(call: Call, path: string, sink: FileOutSink): void {
  const columns = new Columns();
  let paths = '';
  const send = (): void => {
    sink.write(encodePart(columns.take(paths)));
    paths = '';
  };
  visitBelow(call, path, (below, stat, device) => {
    columns.add(stat, device);
    paths += `${below}\0`;
    if (columns.count >= filesInPart || paths.length >= pathsInPart) send();
  });
  if (columns.count > 0) send();
}
