/**
 * Compressed attributes: units of some clusters, of which each has as many as it needs, and then a hole. A unit without a
 * hole is not compressed, and one that is a hole altogether is zeroes.
 */
import { CorruptError } from '../../../base/index.js';
import { type Disk, type Lookup, MappedDisk, type Mapping } from '../../../disk/index.js';
import { openRuns, type StreamSize } from './clusters.js';
import type { RunList } from './runs.js';

interface CompressedStream extends StreamSize {
  readonly clusterSize: number;
  readonly unitClusters: number;
}

/** Larger units do not occur: a decoder takes a unit at once. */
const greatestUnit = 2 * 1024 * 1024;

export function openCompressed(disk: Disk, runs: RunList, stream: CompressedStream, name: string): Disk {
  const { size, initialized, clusterSize, unitClusters } = stream;
  const unitSize = unitClusters * clusterSize;
  if (unitSize > greatestUnit)
    throw new CorruptError(name, 'has too large a unit of compression', { unitSize });
  const end = runs.end * clusterSize;
  const stored = openRuns(disk, clusterSize, runs, { size: end, initialized: end }, name);

  /** The clusters that a unit has before its hole. */
  const usedClusters = (first: number): number => {
    for (let used = 0; used < unitClusters; ) {
      const run = runs.find(first + used);
      if (run === undefined && used === 0)
        throw new CorruptError(name, 'has fewer clusters than bytes', { cluster: first, clusters: runs.end });
      if (run?.cluster === undefined) {
        checkHole(first + used, first + unitClusters);
        return used;
      }
      used += run.count;
    }
    return unitClusters;
  };

  /** No clusters follow the hole of a unit: its bytes would be left out. */
  const checkHole = (from: number, to: number): void => {
    for (let at = from; at < to; ) {
      const run = runs.find(at);
      if (run === undefined) return;
      if (run.cluster !== undefined)
        throw new CorruptError(name, 'has clusters behind the hole of a unit', { cluster: at });
      at += run.count;
    }
  };

  const at = (offset: number): Mapping => {
    const skip = offset % unitSize;
    const index = (offset - skip) / unitSize;
    const first = index * unitClusters;
    const length = unitSize - skip;
    const used = usedClusters(first);
    if (used === 0) {
      const hole = Math.floor((runs.find(first)?.count ?? unitClusters) / unitClusters);
      return { kind: 'hole', length: Math.max(1, hole) * unitSize - skip };
    }
    // Mostly all clusters of a unit lie in one run: where they are on the disk, they are read together with others.
    const run = runs.find(first);
    const isOne = run?.cluster !== undefined && run.count >= used;
    const place = isOne
      ? { disk, offset: run.cluster * clusterSize }
      : { disk: stored, offset: index * unitSize };
    if (used === unitClusters) return { kind: 'data', length, disk: place.disk, offset: place.offset + skip };
    const unit = {
      key: String(index),
      codec: 'lznt1',
      ...place,
      size: used * clusterSize,
      decodedSize: unitSize,
      shortfall: 'zeroes',
    } as const;
    return { kind: 'encoded', length, unit, skip };
  };

  const lookup: Lookup = (offset) => {
    if (offset >= initialized) return { kind: 'hole', length: size - offset };
    const found = at(offset);
    return found.length <= initialized - offset ? found : { ...found, length: initialized - offset };
  };
  return new MappedDisk(size, lookup, { name });
}
