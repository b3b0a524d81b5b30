/** The partition room: a disk in, its partitions out. */
export { editPartitionTable, newPartitionTable } from './editing/edit.js';
export type { GptEditor } from './editing/gpt-editor.js';
export type { MbrEditor } from './editing/mbr-editor.js';
export { kernelGeometry, sfdiskGeometry } from './geometry.js';
export { otherSectorSize } from './gpt.js';
export {
  findPartition,
  isBootable,
  listPartitions,
  partitionEntryFacts,
  partitionUuid,
  tableFacts,
} from './report.js';
export type { Partition, PartitionTable } from './scheme.js';
export { changeByLine, readScript } from './script.js';
/** For tests. */
export { partitionSchemes, readPartitionTable } from './table.js';
