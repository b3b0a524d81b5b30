/**
 * Hash files of Berkeley DB (`Packages`), in which rpm kept its packages until version 4.15: buckets of pages with
 * items, and chains of further pages for long ones. Both byte orders.
 */
import {
  type ByteSource,
  CorruptError,
  type Endian,
  isPowerOfTwo,
  readMaybe,
  UnsupportedError,
  viewOf,
  work,
} from '../../base/index.js';
import { PagedValue, type StoredValue, UsedPages } from '../paged-value.js';
import {
  hashPage,
  itemTypes,
  largestPageSize,
  leastPageSize,
  metaMagicAt,
  metaMagics,
  metaPage,
  metaPageSize,
  newestHashVersion,
  offPageItem,
  oldestHashVersion,
  packageKey,
  pageTypes,
  spareCount,
  sparesAt,
} from './layout.js';
import type { StoredPackage } from './stored-package.js';

const what = 'Berkeley DB file';

/** The byte order of a file of Berkeley DB, and its kind; undefined if the file is none. */
function kindOf(start: Uint8Array): { endian: Endian; magic: number } | undefined {
  if (start.length < metaPageSize) return undefined;
  for (const endian of ['little', 'big'] as const) {
    const magic = viewOf(start).getUint32(metaMagicAt, endian === 'little');
    if (magic === metaMagics.hash || magic === metaMagics.btree) return { endian, magic };
  }
  return undefined;
}

/** Whether a file is one of Berkeley DB; `start`: its first 512 bytes. */
export function isBerkeley(start: Uint8Array): boolean {
  return kindOf(start) !== undefined;
}

/** The packages, bucket by bucket. */
export function berkeleyPackages(file: ByteSource): Iterable<StoredPackage> {
  return new HashFile(file).packages();
}

interface Page {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly type: number;
  readonly next: number;
  readonly entries: number;
  /** Of an overflow page: the bytes that it holds. */
  readonly filled: number;
}

class HashFile {
  readonly #file: ByteSource;
  readonly #endian: Endian;
  readonly #page: ReturnType<typeof hashPage>;
  readonly #item: ReturnType<typeof offPageItem>;
  readonly #key: ReturnType<typeof packageKey>;
  readonly #pageSize: number;
  readonly #lastPage: number;
  readonly #maxBucket: number;
  readonly #spares: readonly number[];
  readonly #used = new UsedPages(what);

  constructor(file: ByteSource) {
    const start = readMaybe(file, 0, metaPageSize);
    const kind = start && kindOf(start);
    if (start === undefined || kind === undefined) throw new CorruptError(what, 'has no metadata');
    if (kind.magic === metaMagics.btree)
      throw new UnsupportedError(what, ['packages in a B-tree'], { elsewhere: 'appliance' });
    const meta = metaPage(kind.endian).decode(start);
    if (meta.version < oldestHashVersion || meta.version > newestHashVersion)
      throw new UnsupportedError(what, [`version ${meta.version} of hash files`]);
    if (meta.encrypt_alg !== 0) throw new UnsupportedError(what, ['encryption']);
    if (meta.metaflags !== 0) throw new UnsupportedError(what, ['checksums or partitions']);
    if (!isPowerOfTwo(meta.pagesize) || meta.pagesize < leastPageSize || meta.pagesize > largestPageSize)
      throw new CorruptError(what, 'has an impossible page size', { pagesize: meta.pagesize });
    if (meta.max_bucket > meta.last_pgno)
      throw new CorruptError(what, 'has more buckets than pages', { max_bucket: meta.max_bucket });
    this.#file = file;
    this.#endian = kind.endian;
    this.#page = hashPage(kind.endian);
    this.#item = offPageItem(kind.endian);
    this.#key = packageKey(kind.endian);
    this.#pageSize = meta.pagesize;
    this.#lastPage = meta.last_pgno;
    this.#maxBucket = meta.max_bucket;
    const view = viewOf(start);
    this.#spares = Array.from({ length: spareCount }, (_, i) =>
      view.getUint32(sparesAt + 4 * i, kind.endian === 'little'),
    );
  }

  *packages(): Iterable<StoredPackage> {
    for (let bucket = 0; bucket <= this.#maxBucket; bucket++) {
      // The number of bits of the bucket's number says which doubling of the table made the bucket.
      const doubling = bucket === 0 ? 0 : Math.floor(Math.log2(bucket)) + 1;
      for (let number = bucket + (this.#spares[doubling] ?? 0); number !== 0; ) {
        const page = this.#readPage(number, 'bucket');
        if (page.type !== pageTypes.hash && page.type !== pageTypes.unsortedHash)
          throw new CorruptError(what, 'has a page of another type in a bucket', {
            page: number,
            type: page.type,
          });
        yield* this.#packagesOn(page);
        number = page.next;
      }
    }
  }

  #readPage(number: number, role: string): Page {
    work.entries.spend(1);
    this.#used.take(number);
    const bytes =
      number < 1 || number > this.#lastPage
        ? undefined
        : readMaybe(this.#file, number * this.#pageSize, this.#pageSize);
    if (bytes === undefined)
      throw new CorruptError(what, `has a ${role} outside it`, { page: number, last: this.#lastPage });
    const { pgno, next_pgno, entries, hf_offset, type } = this.#page.decode(bytes);
    if (pgno !== number) throw new CorruptError(what, 'has a page of another number', { page: number, pgno });
    return { bytes, view: viewOf(bytes), type, next: next_pgno, entries, filled: hf_offset };
  }

  /** The items of a page are keys and values in turn. They fill the page from its end, in the order of their numbers. */
  *#packagesOn(page: Page): Iterable<StoredPackage> {
    const indexEnd = this.#page.size + 2 * page.entries;
    if (page.entries % 2 !== 0 || indexEnd > this.#pageSize)
      throw new CorruptError(what, 'has a page with an impossible number of items', {
        entries: page.entries,
      });
    const little = this.#endian === 'little';
    let end = this.#pageSize;
    const itemBefore = (index: number): Uint8Array => {
      const at = page.view.getUint16(this.#page.size + 2 * index, little);
      if (at < indexEnd || at >= end)
        throw new CorruptError(what, 'has an item outside its page', { at, end });
      const item = page.bytes.subarray(at, end);
      end = at;
      return item;
    };
    for (let index = 0; index < page.entries; index += 2) {
      work.entries.spend(1);
      const key = itemBefore(index);
      const value = itemBefore(index + 1);
      if (key[0] !== itemTypes.keyData || key.length !== this.#key.size)
        throw new CorruptError(what, 'has a key that is no number of a package', { length: key.length });
      const { number } = this.#key.decode(key);
      // What is stored under zero is the number that was given last.
      if (number !== 0) yield { number, header: () => this.#valueOf(value) };
    }
  }

  #valueOf(item: Uint8Array): StoredValue {
    if (item[0] === itemTypes.keyData) return new PagedValue(item.length - 1, [item.subarray(1)]);
    if (item[0] !== itemTypes.offPage || item.length !== this.#item.size)
      throw new CorruptError(what, 'has an item of an unknown type', { type: item[0] ?? 0 });
    const { pgno, tlen } = this.#item.decode(item);
    return new PagedValue(tlen, this.#chain(pgno));
  }

  *#chain(first: number): Iterable<Uint8Array> {
    for (let number = first; number !== 0; ) {
      const page = this.#readPage(number, 'part of a package');
      const end = this.#page.size + page.filled;
      if (page.type !== pageTypes.overflow || page.filled === 0 || end > this.#pageSize)
        throw new CorruptError(what, 'has a damaged package', { page: number, type: page.type });
      yield page.bytes.subarray(this.#page.size, end);
      number = page.next;
    }
  }
}
