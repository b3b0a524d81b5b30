/**
 * An empty qcow2 image, version 3: the layer that takes what a guest writes to a disk that must not change. It is opened
 * with its base given beside it, so its header names none. Specification: qemu's docs/interop/qcow2.txt. Big endian.
 */
import { GuestfsError } from '../../base/index.js';

const clusterBits = 16;
const clusterInBytes = 2 ** clusterBits;
/** One table of the second level maps this many bytes: 8192 entries of a cluster each. */
const mappedByL2InBytes = (clusterInBytes / 8) * clusterInBytes;
/** qemu refuses a larger table of the first level. */
const mostL1InBytes = 32 * 2 ** 20;
/** The clusters before the table of the first level: header, refcount table, refcount block. */
const tableClusters = 3;
const headerInBytes = 104;

/** The parts of the file: what is written at which offset; all else is a hole up to `sizeInBytes`. */
export interface EmptyOverlay {
  readonly sizeInBytes: number;
  readonly parts: readonly { readonly offset: number; readonly bytes: Uint8Array }[];
}

/** An overlay for a disk of `virtualSizeInBytes`. Throws GuestfsError (EFBIG) beyond two pebibytes. */
export function encodeEmptyOverlay(virtualSizeInBytes: number): EmptyOverlay {
  const size = Math.ceil(virtualSizeInBytes / 512) * 512;
  const l1Entries = Math.max(1, Math.ceil(size / mappedByL2InBytes));
  if (l1Entries * 8 > mostL1InBytes)
    throw new GuestfsError('EFBIG', `a disk of ${virtualSizeInBytes} bytes is too large for a layer over it`);
  const l1Clusters = Math.ceil((l1Entries * 8) / clusterInBytes);
  const clusters = tableClusters + l1Clusters;

  const header = Buffer.alloc(headerInBytes);
  header.write('QFI\xfb', 0, 'latin1');
  header.writeUInt32BE(3, 4); // version
  header.writeUInt32BE(clusterBits, 20);
  header.writeBigUInt64BE(BigInt(size), 24);
  header.writeUInt32BE(l1Entries, 36);
  header.writeBigUInt64BE(BigInt(tableClusters * clusterInBytes), 40); // the table of the first level
  header.writeBigUInt64BE(BigInt(clusterInBytes), 48); // the refcount table
  header.writeUInt32BE(1, 56); // in clusters
  header.writeUInt32BE(4, 96); // a refcount has 1 << 4 bits
  header.writeUInt32BE(headerInBytes, 100);

  const refcountTable = Buffer.alloc(8);
  refcountTable.writeBigUInt64BE(BigInt(2 * clusterInBytes));
  // One block counts 32768 clusters; there are at most 3 + 512 of them.
  const refcounts = Buffer.alloc(clusters * 2);
  for (let cluster = 0; cluster < clusters; cluster++) refcounts.writeUInt16BE(1, cluster * 2);
  return {
    sizeInBytes: clusters * clusterInBytes,
    parts: [
      { offset: 0, bytes: header },
      { offset: clusterInBytes, bytes: refcountTable },
      { offset: 2 * clusterInBytes, bytes: refcounts },
    ],
  };
}
