/** The partition room: a disk in, its partitions out. */
export { otherSectorSize } from './gpt.js';
export {
  findPartition,
  isBootable,
  listPartitions,
  type PartitionListing,
  partitionEntryFacts,
  partitionUuid,
  tableFacts,
} from './report.js';
export type { Partition, PartitionScheme, PartitionTable } from './scheme.js';
export { partitionSchemes, readPartitionTable } from './table.js';
