/**
 * What was written to a drive whose writes are discarded, as a qcow2 image over the drive's own. Only changed clusters
 * are in the file; a changed cluster is there as a whole, with what the drive has around the changes.
 */
import { closeSync, constants, ftruncateSync, openSync, writeSync } from 'node:fs';
import { hostError } from '../../base/index.js';
import type { OverlayDisk } from '../../disk/index.js';
import { newQcow2 } from '../../formats/index.js';

/** qemu's own default. */
const clusterSize = 65536;
/** Clusters that lie next to each other are copied together, up to this many. */
const mostClusters = 16;
const zeroes = Buffer.alloc(clusterSize);

/** The clusters in which something was written, in ascending order. */
export function changedClusters(layer: OverlayDisk): number[] {
  const clusters: number[] = [];
  for (const { offset, length } of layer.changes()) {
    const last = Math.floor((offset + length - 1) / clusterSize);
    for (let cluster = Math.floor(offset / clusterSize); cluster <= last; cluster++)
      if (clusters.at(-1) !== cluster) clusters.push(cluster);
  }
  return clusters;
}

/** How many clusters from `at` on follow each other on the drive. */
function runLength(clusters: readonly number[], at: number): number {
  const first = clusters[at] ?? 0;
  let count = 1;
  while (count < mostClusters && clusters[at + count] === first + count) count++;
  return count;
}

/** A layer that is to be written. */
export interface LayerPlan {
  readonly layer: OverlayDisk;
  /** Of {@link changedClusters}. */
  readonly clusters: readonly number[];
  /** The drive's image; undefined if the drive has none, and is zeroes where nothing was written. */
  readonly backing: { readonly file: string; readonly format: string } | undefined;
}

/** The bytes of a layer that are copied. */
export const layerBytes = ({ clusters }: LayerPlan): number => clusters.length * clusterSize;

/**
 * Fills an existing, empty file. `progress` is called with the bytes of each step, and may throw to end the work.
 * Throws GuestfsError: the host's errors, and those of reading the drive.
 */
export function writeLayer(path: string, plan: LayerPlan, progress: (bytes: number) => void): void {
  const { layer, clusters, backing } = plan;
  const { lengthInBytes, dataOffset, pieces } = newQcow2({
    virtualSizeInBytes: layer.size,
    clusterSize,
    version: 3,
    allocated: clusters,
    ...(backing === undefined ? {} : { backing }),
  });
  const onHost = <T>(work: () => T): T => {
    try {
      return work();
    } catch (thrown) {
      throw hostError(path, thrown);
    }
  };
  const fd = onHost(() => openSync(path, constants.O_WRONLY));
  const put = (bytes: Uint8Array, offset: number): void => {
    for (let done = 0; done < bytes.length; )
      done += onHost(() => writeSync(fd, bytes, done, bytes.length - done, offset + done));
  };
  try {
    for (const { offset, bytes } of pieces) put(bytes, offset);
    const buffer = Buffer.alloc(mostClusters * clusterSize);
    for (let at = 0; at < clusters.length; ) {
      const count = runLength(clusters, at);
      const offset = (clusters[at] ?? 0) * clusterSize;
      const bytes = buffer.subarray(0, count * clusterSize).fill(0);
      layer.read(bytes.subarray(0, Math.min(bytes.length, layer.size - offset)), offset);
      for (let index = 0; index < count; index++) {
        const cluster = bytes.subarray(index * clusterSize, (index + 1) * clusterSize);
        // Zeroes stay a hole of the file.
        if (!cluster.equals(zeroes)) put(cluster, dataOffset + (at + index) * clusterSize);
      }
      at += count;
      progress(count * clusterSize);
    }
    onHost(() => ftruncateSync(fd, lengthInBytes));
  } finally {
    closeSync(fd);
  }
}
