/** The clusters of an attribute as a disk, in their order and as they are. */
import { CorruptError } from '../../../base/index.js';
import { type Disk, type Lookup, MappedDisk, type Mapping } from '../../../disk/index.js';
import type { RunList } from './runs.js';

export interface StreamSize {
  readonly size: number;
  /** Bytes from here on were never written, and are zeroes. */
  readonly initialized: number;
}

/** The mapping of the cluster at `offset`, whatever is in it. */
function place(disk: Disk, clusterSize: number, runs: RunList, offset: number, name: string): Mapping {
  const skip = offset % clusterSize;
  const run = runs.find((offset - skip) / clusterSize);
  if (run === undefined)
    throw new CorruptError(name, 'has fewer clusters than bytes', { offset, clusters: runs.end });
  const length = run.count * clusterSize - skip;
  return run.cluster === undefined
    ? { kind: 'hole', length }
    : { kind: 'data', length, disk, offset: run.cluster * clusterSize + skip };
}

export function openRuns(
  disk: Disk,
  clusterSize: number,
  runs: RunList,
  { size, initialized }: StreamSize,
  name: string,
): Disk {
  const lookup: Lookup = (offset) => {
    if (offset >= initialized) return { kind: 'hole', length: size - offset };
    const found = place(disk, clusterSize, runs, offset, name);
    return found.length <= initialized - offset ? found : { ...found, length: initialized - offset };
  };
  return new MappedDisk(size, lookup, { name });
}
