/** The vfs room: mounts, paths and device names over what the drivers know of inodes. */
export type { FileSystem } from '../fs/index.js';
export { caseSensitivePath, Spellings } from './case.js';
export {
  type ContentEntry,
  type ContentFacts,
  type ContentNode,
  type ContentSource,
  ContentTree,
} from './content-tree.js';
export type { DeviceProperty } from './device-links.js';
export { BlockDevice, DeviceTable, mountableName } from './devices.js';
export { fillFileSystem } from './fill.js';
export { expandGlob } from './glob.js';
export { initrdEntries } from './initrd.js';
export { Mount, type Place, shownNumber } from './mount.js';
export { MountTable } from './mount-table.js';
export { joinPath } from './names.js';
export { readStart, readWhole } from './read.js';
export { SwapAreas } from './swap-areas.js';
export { Tree, type TreeStat } from './tree.js';
export { type NewFile, type OpenFile, TreeWriter } from './tree-writer.js';
export { packingOf, unpack } from './unpack.js';
/** For tests. */
export { type StatVisit, type Visit, type WalkOptions, walkTree } from './walk.js';
export { type WatchEvent, Watches } from './watches.js';
