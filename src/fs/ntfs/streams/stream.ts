/** The bytes of attributes as disks. */
import { UnsupportedError } from '../../../base/index.js';
import { type Disk, MemoryDisk } from '../../../disk/index.js';
import type { Attribute } from '../attribute.js';
import { openRuns } from './clusters.js';
import { openCompressed } from './compressed.js';

/** The contents of an attribute. UnsupportedError for one that is encrypted. */
export function openStream(disk: Disk, clusterSize: number, attribute: Attribute): Disk {
  const { first, structure } = attribute;
  const { value, nonResident, isCompressed, isEncrypted } = first;
  if (value !== undefined) return new MemoryDisk(value);
  if (isEncrypted) throw new UnsupportedError(structure, ['encryption (EFS): only its owner has the key']);
  const { dataSize = 0, initializedSize = 0, unitClusters = 1 } = nonResident ?? {};
  const sizes = { size: dataSize, initialized: Math.min(initializedSize, dataSize) };
  const runs = attribute.runs();
  if (!isCompressed || unitClusters === 1) return openRuns(disk, clusterSize, runs, sizes, structure);
  return openCompressed(disk, runs, { ...sizes, clusterSize, unitClusters }, structure);
}
