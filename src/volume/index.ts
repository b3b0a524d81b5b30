/** The volume room: several disks in, the volumes on them out. */

export { assemble, probe } from './lvm2/assemble.js';
export { dashed } from './lvm2/label.js';
export type {
  GroupMember,
  LogicalVolumeText,
  Segment,
  StripeArea,
  VolumeGroupText,
} from './lvm2/metadata.js';
export { deviceName, mapperName, mapperUuid } from './lvm2/names.js';
export {
  canonicalLogicalVolumeName,
  findLogicalVolume,
  getVolumeGroup,
  isLogicalVolume,
  type LvReport,
  listLogicalVolumes,
  listPhysicalVolumes,
  listVolumeGroups,
  logicalVolumeUuid,
  logicalVolumeUuidsOf,
  type PvReport,
  physicalVolumeUuid,
  physicalVolumeUuidsOf,
  type ReportOptions,
  reportLogicalVolumes,
  reportPhysicalVolumes,
  reportVolumeGroups,
  type VgReport,
  volumeGroupMetadata,
  volumeGroupUuid,
} from './lvm2/report.js';
export { listMapperDevices, type MapperDevice } from './lvm2/report-minors.js';
export type { LogicalVolume, LvmProblem, LvmState, PhysicalVolume, VolumeGroup } from './lvm2/state.js';
export { inactiveReason, missingVolumes } from './lvm2/volumes.js';
export type { Member, Volume } from './system.js';
