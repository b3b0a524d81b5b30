/**
 * A new qcow2 image, as the pieces of its file. Specification: docs/interop/qcow2.txt of qemu. The parts follow one
 * another: header, refcount table, refcount blocks, L1 table, and, where space is allocated in advance, the L2 tables
 * and the clusters of the guest, in order.
 */
import { encodeText, GuestfsError } from '../../base/index.js';
import {
  entry,
  extension,
  extensionHeader,
  header,
  header3,
  limits,
  magic,
  refcountEntry,
  tableEntry,
} from './layout.js';

interface NewQcow2 {
  /** The guest's size; rounded up to whole sectors. */
  readonly virtualSizeInBytes: number;
  /** A power of two from 512 to 2 MiB. */
  readonly clusterSize: number;
  readonly version: 2 | 3;
  readonly backing?: { readonly file: string; readonly format: string };
  /** The clusters of the guest that have a place in the file: all, none, or these, in ascending order. */
  readonly allocated: boolean | readonly number[];
}

/** Part of the file; everything between two pieces is zeroes. */
export interface ImagePiece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

interface NewImage {
  readonly lengthInBytes: number;
  /** Where the allocated clusters begin in the file. They lie one after another. */
  readonly dataOffset: number;
  readonly pieces: Iterable<ImagePiece>;
}

const sectorSize = 512;
const entryBytes = tableEntry.size;
const refcountBytes = refcountEntry.size;
/** The logarithm of a refcount's bits. */
const refcountOrder = Math.log2(refcountBytes * 8);
/** Tables are written in pieces of at most this many bytes. */
const pieceLength = 1024 * 1024;

/** An L2 table of some allocated clusters: its index in the L1 table, and its part of the clusters. */
interface SparseTable {
  readonly index: number;
  readonly first: number;
  readonly end: number;
}

interface Plan {
  readonly clusterSize: number;
  readonly refcountBlocks: number;
  readonly refcountTableClusters: number;
  readonly l1Entries: number;
  readonly l1Clusters: number;
  readonly l2Tables: number;
  readonly dataClusters: number;
  /** The L2 tables, if only some clusters are allocated. */
  readonly sparse: readonly SparseTable[] | undefined;
}

const clustersOf = (plan: Omit<Plan, 'clusterSize' | 'sparse'>): number =>
  1 + plan.refcountTableClusters + plan.refcountBlocks + plan.l1Clusters + plan.l2Tables + plan.dataClusters;

/** Groups clusters by the L2 table that they are in. Throws EINVAL unless they ascend and lie in the disk. */
function tablesOf(clusters: readonly number[], perTable: number, guestClusters: number): SparseTable[] {
  const tables: { index: number; first: number; end: number }[] = [];
  let before = -1;
  for (const [at, cluster] of clusters.entries()) {
    if (cluster <= before || cluster >= guestClusters)
      throw new GuestfsError(
        'EINVAL',
        `cluster ${cluster}: is not above ${before} and below ${guestClusters}`,
      );
    before = cluster;
    const index = Math.floor(cluster / perTable);
    const last = tables.at(-1);
    if (last?.index === index) last.end = at + 1;
    else tables.push({ index, first: at, end: at + 1 });
  }
  return tables;
}

/** How many clusters each part takes. Refcounts count their own clusters, so their number is found by iteration. */
function plan(virtualSize: number, clusterSize: number, allocated: NewQcow2['allocated']): Plan {
  const guestClusters = Math.ceil(virtualSize / clusterSize);
  // The table has a cluster even for an empty disk: without an entry, nothing would refer to that cluster.
  const l1Entries = Math.max(1, Math.ceil(guestClusters / (clusterSize / entryBytes)));
  const isSparse = typeof allocated !== 'boolean';
  const sparse = isSparse ? tablesOf(allocated, clusterSize / entryBytes, guestClusters) : undefined;
  const fixed = {
    l1Entries,
    l1Clusters: Math.ceil((l1Entries * entryBytes) / clusterSize),
    l2Tables: sparse?.length ?? (allocated ? l1Entries : 0),
    dataClusters: isSparse ? allocated.length : allocated ? guestClusters : 0,
  };
  let refcounts = { refcountBlocks: 1, refcountTableClusters: 1 };
  for (;;) {
    const total = clustersOf({ ...fixed, ...refcounts });
    const refcountBlocks = Math.ceil((total * refcountBytes) / clusterSize);
    const refcountTableClusters = Math.ceil((refcountBlocks * entryBytes) / clusterSize);
    const enough =
      refcountBlocks <= refcounts.refcountBlocks && refcountTableClusters <= refcounts.refcountTableClusters;
    if (enough) return { clusterSize, ...fixed, ...refcounts, sparse };
    refcounts = { refcountBlocks, refcountTableClusters };
  }
}

/** `count` entries, each made by `value`, as bytes of at most {@link pieceLength} at a time. */
function* table(
  offset: number,
  count: number,
  width: number,
  put: (view: DataView, at: number, index: number) => void,
): Generator<ImagePiece> {
  const perPiece = pieceLength / width;
  for (let first = 0; first < count; first += perPiece) {
    const bytes = new Uint8Array(Math.min(perPiece, count - first) * width);
    const view = new DataView(bytes.buffer);
    for (let at = 0; at < bytes.length; at += width) put(view, at, first + at / width);
    yield { offset: offset + first * width, bytes };
  }
}

// Fields are written directly: a preallocated terabyte has sixteen million entries.
const { high, low } = tableEntry.fields;
const { count: refcount } = refcountEntry.fields;

/** An offset as an entry of a table. `copied`: for an L1 or L2 table, whose cluster is used once. */
function putOffset(view: DataView, at: number, offset: number, copied: boolean): void {
  high.write(view, at, Math.floor(offset / 2 ** 32) + (copied ? entry.copiedHigh : 0), false);
  low.write(view, at, offset % 2 ** 32, false);
}

/** The first cluster: header, extensions, and the backing file's name. Throws EINVAL if they do not fit. */
function headerBytes(image: NewQcow2, virtualSize: number, parts: Plan): Uint8Array {
  const { clusterSize, backing } = image;
  const first = new Uint8Array(clusterSize);
  header.encode(
    {
      magic,
      version: image.version,
      cluster_bits: Math.log2(clusterSize),
      size: virtualSize,
      l1_size: parts.l1Entries,
      refcount_table_offset: clusterSize,
      refcount_table_clusters: parts.refcountTableClusters,
      l1_table_offset: (1 + parts.refcountTableClusters + parts.refcountBlocks) * clusterSize,
    },
    first,
  );
  if (image.version === 3)
    header3.encode({ refcount_order: refcountOrder, header_length: header3.size }, first);
  if (backing === undefined) return first;
  const name = encodeText(backing.file);
  const format = encodeText(backing.format);
  const extensionAt = image.version === 3 ? header3.size : header.size;
  const formatAt = extensionAt + extensionHeader.size;
  const endAt = formatAt + Math.ceil(format.length / 8) * 8;
  const nameAt = endAt + extensionHeader.size;
  if (name.length > limits.backingNameBytes || nameAt + name.length > clusterSize)
    throw new GuestfsError(
      'EINVAL',
      `the backing file's name has ${name.length} bytes: there is no room for it`,
    );
  extensionHeader.encode({ type: extension.backingFormat, length: format.length }, first, extensionAt);
  first.set(format, formatAt);
  extensionHeader.encode({ type: extension.end, length: 0 }, first, endAt);
  header.encode({ backing_file_offset: nameAt, backing_file_size: name.length }, first);
  first.set(name, nameAt);
  return first;
}

/** L1 and L2 tables in which only some clusters have a place. */
function* sparseTables(
  tables: readonly SparseTable[],
  clusters: readonly number[],
  { clusterSize, l1Entries }: Plan,
  offsets: { readonly l1: number; readonly l2: number; readonly data: number },
): Generator<ImagePiece> {
  const perTable = clusterSize / entryBytes;
  const l1 = new Uint8Array(l1Entries * entryBytes);
  const l1View = new DataView(l1.buffer);
  for (const [number, { index, first, end }] of tables.entries()) {
    const offset = offsets.l2 + number * clusterSize;
    putOffset(l1View, index * entryBytes, offset, true);
    const l2 = new Uint8Array(clusterSize);
    const l2View = new DataView(l2.buffer);
    for (let at = first; at < end; at++) {
      const cluster = clusters[at] as number; // safe: a table's part lies in the list
      putOffset(l2View, (cluster % perTable) * entryBytes, offsets.data + at * clusterSize, true);
    }
    yield { offset, bytes: l2 };
  }
  yield { offset: offsets.l1, bytes: l1 };
}

function* piecesOf(first: Uint8Array, parts: Plan, allocated: NewQcow2['allocated']): Generator<ImagePiece> {
  const {
    clusterSize,
    refcountBlocks,
    refcountTableClusters,
    l1Entries,
    l1Clusters,
    l2Tables,
    dataClusters,
  } = parts;
  const at = (cluster: number): number => cluster * clusterSize;
  const blocks = 1 + refcountTableClusters;
  const l1 = blocks + refcountBlocks;
  const l2 = l1 + l1Clusters;
  const data = l2 + l2Tables;
  yield { offset: 0, bytes: first };
  yield* table(at(1), refcountBlocks, entryBytes, (view, place, index) =>
    putOffset(view, place, at(blocks + index), false),
  );
  yield* table(at(blocks), clustersOf(parts), refcountBytes, (view, place) =>
    refcount.write(view, place, 1, false),
  );
  if (typeof allocated !== 'boolean') {
    const offsets = { l1: at(l1), l2: at(l2), data: at(data) };
    return yield* sparseTables(parts.sparse ?? [], allocated, parts, offsets);
  }
  if (l2Tables === 0) return;
  yield* table(at(l1), l1Entries, entryBytes, (view, place, index) =>
    putOffset(view, place, at(l2 + index), true),
  );
  yield* table(at(l2), dataClusters, entryBytes, (view, place, index) =>
    putOffset(view, place, at(data + index), true),
  );
}

/** The file of a new image. Throws GuestfsError: EINVAL, or EFBIG if it exceeds qemu's limits. */
export function newQcow2(image: NewQcow2): NewImage {
  const { clusterSize } = image;
  const bits = Math.log2(clusterSize);
  if (!Number.isInteger(bits) || bits < limits.clusterBitsLeast || bits > limits.clusterBitsMost)
    throw new GuestfsError(
      'EINVAL',
      `${clusterSize} bytes are no size of a cluster: a power of two from 512 to 2097152 is`,
    );
  const virtualSize = Math.ceil(image.virtualSizeInBytes / sectorSize) * sectorSize;
  const parts = plan(virtualSize, clusterSize, image.allocated);
  if (parts.l1Entries * entryBytes > limits.l1Bytes)
    throw new GuestfsError(
      'EFBIG',
      `a disk of ${virtualSize} bytes is too large for clusters of ${clusterSize} bytes`,
    );
  const clusters = clustersOf(parts);
  return {
    lengthInBytes: clusters * clusterSize,
    dataOffset: (clusters - parts.dataClusters) * clusterSize,
    pieces: piecesOf(headerBytes(image, virtualSize, parts), parts, image.allocated),
  };
}
