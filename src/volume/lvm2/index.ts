/**
 * LVM2: the driver's door. Sources: lvm2's format_text/layout.h for the label and the metadata area, lvm.conf(5) and
 * the text of real groups for the metadata.
 */
import type { Assembly, Member, MemberKind, Volume } from '../system.js';
import { assemble } from './assemble.js';
import { dashed, probeLabel } from './probe.js';
import { findLogicalVolume } from './report.js';
import { listMapperDevices } from './report-minors.js';
import type { LvmState } from './state.js';
import { inactiveReason } from './volumes.js';

export { assemble } from './assemble.js';
export {
  canonicalLogicalVolumeName,
  findLogicalVolume,
  getVolumeGroup,
  isLogicalVolume,
  listLogicalVolumes,
  listPhysicalVolumes,
  listVolumeGroups,
  logicalVolumeUuid,
  logicalVolumeUuidsOf,
  physicalVolumeUuid,
  physicalVolumeUuidsOf,
  reportLogicalVolumes,
  reportPhysicalVolumes,
  reportVolumeGroups,
  volumeGroupMetadata,
  volumeGroupUuid,
} from './report.js';
export { listMapperDevices } from './report-minors.js';
export type { LogicalVolume, LvmState, PhysicalVolume, VolumeGroup } from './state.js';
export { missingVolumes } from './volumes.js';
export {
  type Author,
  type Commit,
  changePhysicalVolumeUuid,
  changeVolumeGroupUuid,
  checkGroupName,
  createLogicalVolume,
  createPhysicalVolume,
  createVolumeGroup,
  removeLogicalVolumes,
  removePhysicalVolume,
  removeVolumeGroup,
  renameLogicalVolume,
  renameVolumeGroup,
  resizeLogicalVolume,
  resizePhysicalVolume,
  spaceForVolume,
  type WantedSize,
} from './write/index.js';

/** The result for the members, in the words of all volume systems. */
function assembly(members: readonly Member[]): Assembly<LvmState> {
  const state = assemble(members);
  return {
    state,
    volumes: state.logicalVolumes.filter(({ hidden }) => !hidden),
    problems: state.problems,
    findMember: (id) => state.physicalVolumes.find(({ label }) => dashed(label.uuid) === id)?.device,
    absence(name) {
      const volume = findLogicalVolume(state, name);
      if (volume === undefined) return undefined;
      const reason = inactiveReason(volume) ?? 'its volume group was deactivated';
      if (!volume.activatable) return reason;
      return `${reason}; vg_activate_all activates the volumes of which all is here`;
    },
    minors: (hasNumber: (volume: Volume) => boolean) =>
      new Map(
        listMapperDevices(state, hasNumber).flatMap(({ minor, volume }) => (volume ? [[minor, volume]] : [])),
      ),
  };
}

export const kind: MemberKind<LvmState> = {
  name: 'LVM2_member',
  role: 'member',
  usage: 'raid',
  probe: probeLabel,
  assemble: assembly,
};
