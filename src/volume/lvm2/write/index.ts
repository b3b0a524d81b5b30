/** What makes and changes groups. Programs set it up when it is first wanted: see scripts/deferred.mjs. */
export {
  type Commit,
  changePhysicalVolumeUuid,
  changeVolumeGroupUuid,
  checkGroupName,
  createLogicalVolume,
  createVolumeGroup,
  removeLogicalVolumes,
  removeVolumeGroup,
  renameLogicalVolume,
  renameVolumeGroup,
  resizeLogicalVolume,
  resizePhysicalVolume,
  spaceForVolume,
  type WantedSize,
} from './group.js';
export { createPhysicalVolume, removePhysicalVolume } from './label.js';
export type { Author } from './tree.js';
