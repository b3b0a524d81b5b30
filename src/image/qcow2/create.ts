/**
 * A new, empty qcow2 image, as the pieces of its file. Specification: docs/interop/qcow2.txt of qemu. The parts follow one
 * another: header, refcount table, refcount blocks, L1 table, and, where space is allocated in advance, the L2 tables and
 * the clusters of the guest, in order.
 */
import { encodeText, GuestfsError } from '../../base/index.js';
import { entry, extension, header, header3, limits, magic } from './layout.js';

export interface NewQcow2 {
  /** What the guest sees; rounded up to whole sectors. */
  readonly virtualSizeInBytes: number;
  /** A power of two from 512 to 2 MiB. */
  readonly clusterSize: number;
  readonly version: 2 | 3;
  readonly backing?: { readonly file: string; readonly format: string };
  /** Whether every cluster of the guest has its place from the beginning. */
  readonly allocated: boolean;
}

/** Part of a file; whatever lies between two pieces is zeroes. */
export interface ImagePiece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export interface NewImage {
  readonly lengthInBytes: number;
  readonly pieces: Iterable<ImagePiece>;
}

const sectorSize = 512;
const entryBytes = 8;
/** Two bytes for each cluster: refcount_order 4, the only one that version 2 knows. */
const refcountBytes = 2;
const refcountOrder = 4;
/** Tables are written in pieces of this many bytes at most. */
const pieceLength = 1024 * 1024;

interface Plan {
  readonly clusterSize: number;
  readonly refcountBlocks: number;
  readonly refcountTableClusters: number;
  readonly l1Entries: number;
  readonly l1Clusters: number;
  readonly l2Tables: number;
  readonly dataClusters: number;
}

const clustersOf = (plan: Omit<Plan, 'clusterSize'>): number =>
  1 + plan.refcountTableClusters + plan.refcountBlocks + plan.l1Clusters + plan.l2Tables + plan.dataClusters;

/** How many clusters each part takes. Refcounts count themselves, so their number is found by trying. */
function plan(virtualSize: number, clusterSize: number, allocated: boolean): Plan {
  const guestClusters = Math.ceil(virtualSize / clusterSize);
  const l1Entries = Math.ceil(guestClusters / (clusterSize / entryBytes));
  const fixed = {
    l1Entries,
    l1Clusters: Math.max(1, Math.ceil((l1Entries * entryBytes) / clusterSize)),
    l2Tables: allocated ? l1Entries : 0,
    dataClusters: allocated ? guestClusters : 0,
  };
  let refcounts = { refcountBlocks: 1, refcountTableClusters: 1 };
  for (;;) {
    const total = clustersOf({ ...fixed, ...refcounts });
    const refcountBlocks = Math.ceil((total * refcountBytes) / clusterSize);
    const refcountTableClusters = Math.ceil((refcountBlocks * entryBytes) / clusterSize);
    const enough =
      refcountBlocks <= refcounts.refcountBlocks && refcountTableClusters <= refcounts.refcountTableClusters;
    if (enough) return { clusterSize, ...fixed, ...refcounts };
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

/** An offset as an entry of an L1 or L2 table, of a cluster that is used once. */
function putOffset(view: DataView, at: number, offset: number, copied: boolean): void {
  view.setUint32(at, Math.floor(offset / 2 ** 32) + (copied ? entry.copiedHigh : 0));
  view.setUint32(at + 4, offset % 2 ** 32);
}

function putU64(view: DataView, at: number, value: number): void {
  putOffset(view, at, value, false);
}

/** The first cluster: header, extensions, and the backing file's name. Throws EINVAL where they have no room. */
function headerBytes(image: NewQcow2, virtualSize: number, parts: Plan): Uint8Array {
  const { clusterSize, backing } = image;
  const bytes = new Uint8Array(clusterSize);
  const view = new DataView(bytes.buffer);
  const { fields } = header;
  view.setUint32(fields.magic.at, magic);
  view.setUint32(fields.version.at, image.version);
  view.setUint32(fields.cluster_bits.at, Math.log2(clusterSize));
  putU64(view, fields.size.at, virtualSize);
  view.setUint32(fields.l1_size.at, parts.l1Entries);
  putU64(view, fields.refcount_table_offset.at, clusterSize);
  view.setUint32(fields.refcount_table_clusters.at, parts.refcountTableClusters);
  putU64(
    view,
    fields.l1_table_offset.at,
    (1 + parts.refcountTableClusters + parts.refcountBlocks) * clusterSize,
  );
  if (image.version === 3) {
    view.setUint32(header3.fields.refcount_order.at, refcountOrder);
    view.setUint32(header3.fields.header_length.at, header3.size);
  }
  if (backing === undefined) return bytes;
  const name = encodeText(backing.file);
  const format = encodeText(backing.format);
  const extensionAt = image.version === 3 ? header3.size : header.size;
  const endAt = extensionAt + 8 + Math.ceil(format.length / 8) * 8;
  const nameAt = endAt + 8;
  if (name.length > limits.backingNameBytes || nameAt + name.length > clusterSize)
    throw new GuestfsError(
      'EINVAL',
      `the backing file's name has ${name.length} bytes: there is no room for it`,
    );
  view.setUint32(extensionAt, extension.backingFormat);
  view.setUint32(extensionAt + 4, format.length);
  bytes.set(format, extensionAt + 8);
  view.setUint32(endAt, extension.end);
  putU64(view, fields.backing_file_offset.at, nameAt);
  view.setUint32(fields.backing_file_size.at, name.length);
  bytes.set(name, nameAt);
  return bytes;
}

function* piecesOf(first: Uint8Array, parts: Plan): Generator<ImagePiece> {
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
    putU64(view, place, at(blocks + index)),
  );
  yield* table(at(blocks), clustersOf(parts), refcountBytes, (view, place) => view.setUint16(place, 1));
  if (l2Tables === 0) return;
  yield* table(at(l1), l1Entries, entryBytes, (view, place, index) =>
    putOffset(view, place, at(l2 + index), true),
  );
  yield* table(at(l2), dataClusters, entryBytes, (view, place, index) =>
    putOffset(view, place, at(data + index), true),
  );
}

/** The file of a new image. Throws GuestfsError: EINVAL, or EFBIG where it would be larger than qemu takes. */
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
  return {
    lengthInBytes: clustersOf(parts) * clusterSize,
    pieces: piecesOf(headerBytes(image, virtualSize, parts), parts),
  };
}
