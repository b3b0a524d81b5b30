/** LVM, read: what there is, and which of it has a device. */
import { GuestfsError, UnsupportedError } from '../../base/index.js';
import {
  canonicalLogicalVolumeName,
  getVolumeGroup,
  isLogicalVolume,
  listLogicalVolumes,
  listPhysicalVolumes,
  listVolumeGroups,
  logicalVolumeUuid,
  logicalVolumeUuidsOf,
  missingVolumes,
  physicalVolumeUuid,
  physicalVolumeUuidsOf,
  reportLogicalVolumes,
  reportPhysicalVolumes,
  reportVolumeGroups,
  type VolumeGroup,
  volumeGroupMetadata,
  volumeGroupUuid,
} from '../../volume/index.js';
import { orFault } from '../session/unreadable.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** The regular name of a device that the caller named in some way. */
const regular = (call: Call, name: string): string => call.session.devices.resolve(name).name;

/** Fails, as vgchange does, where some volumes could not be activated; the others are. */
function activate(call: Call, active: boolean, groups: readonly VolumeGroup[]): void {
  const left = call.session.setActive(groups, active);
  if (left.length === 0) return;
  const missing = new Set(left.flatMap(({ group }) => missingVolumes(group)));
  throw new GuestfsError(
    'ENODEV',
    `not activated, as some of it is missing: ${left.map(({ device }) => device).join(', ')}; what is missing is the physical volume ${[...missing].join(', ')}`,
  );
}

/** What was found of LVM, which must not be nothing where what may hold it cannot be read. */
const found = <T extends readonly unknown[]>(call: Call, answer: T, what: string): T =>
  orFault(call.session, answer, `no ${what} was found`, 'LVM2_member');

/** Nothing on a drive can change behind a session, so while a volume is in use what was found stays. */
function scan(call: Call): void {
  if (call.session.volumesInUse.length === 0) call.session.scanVolumes();
}

export const lvmHandlers = {
  lvs: (call) => found(call, listLogicalVolumes(call.session.lvm), 'logical volume'),
  vgs: (call) => found(call, listVolumeGroups(call.session.lvm), 'volume group'),
  pvs: (call) => found(call, listPhysicalVolumes(call.session.lvm), 'physical volume'),
  lvs_full(call) {
    const { session } = call;
    const used = new Set(session.volumesInUse.map(({ name }) => name));
    const report = reportLogicalVolumes(session.lvm, {
      isActive: (volume) => session.isActive(volume),
      isOpen: ({ device }) => used.has(device),
    });
    return found(call, report, 'logical volume');
  },
  vgs_full: (call) => found(call, reportVolumeGroups(call.session.lvm), 'volume group'),
  pvs_full: (call) => found(call, reportPhysicalVolumes(call.session.lvm), 'physical volume'),
  lvuuid: (call, name) => logicalVolumeUuid(call.session.lvm, regular(call, name)),
  vguuid: (call, name) => volumeGroupUuid(call.session.lvm, name),
  pvuuid: (call, name) => physicalVolumeUuid(call.session.lvm, regular(call, name)),
  vglvuuids: (call, name) => logicalVolumeUuidsOf(call.session.lvm, name),
  vgpvuuids: (call, name) => physicalVolumeUuidsOf(call.session.lvm, name),
  vgmeta: (call, name) => volumeGroupMetadata(call.session.lvm, name),
  is_lv(call, mountable) {
    const { device, subvolume } = call.session.devices.parseMountable(mountable);
    return subvolume === undefined && isLogicalVolume(call.session.lvm, device.name);
  },
  lvm_canonical_lv_name: (call, name) => canonicalLogicalVolumeName(call.session.lvm, regular(call, name)),
  vg_activate: (call, active, names) =>
    activate(
      call,
      active,
      // As for vgchange, no names mean all groups.
      names.length === 0
        ? call.session.lvm.volumeGroups
        : names.map((name) => getVolumeGroup(call.session.lvm, name)),
    ),
  vg_activate_all: (call, active) => activate(call, active, call.session.lvm.volumeGroups),
  lvm_scan(call, active) {
    scan(call);
    if (active) activate(call, true, call.session.lvm.volumeGroups);
  },
  vgscan: scan,
  lvm_set_filter(call, names) {
    const devices = names.map((name) => call.session.devices.resolve(name));
    const volume = devices.find(({ kind }) => kind === 'volume');
    if (volume !== undefined) throw new GuestfsError('EINVAL', `${volume.name}: is a volume itself`);
    call.session.setLvmFilter(devices);
  },
  lvm_clear_filter: (call) => call.session.setLvmFilter(undefined),
  lvm_remove_all(call) {
    if (call.session.lvm.physicalVolumes.length > 0)
      throw new UnsupportedError('lvm_remove_all', ['removing volumes (the direct backend can do it)']);
  },
} satisfies TopicHandlers;
