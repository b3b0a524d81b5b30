/** Reading LVM: its volumes, groups and members, and which volumes have a device. */
import type { CarriedCall } from '../../api/index.js';
import { GuestfsError } from '../../base/index.js';
import type { BlockDevice } from '../../vfs/index.js';
import { lvm2 } from '../../volume/index.js';
import { filterSubject, plainCall } from '../session/session-calls.js';
import { orFault } from '../session/unreadable.js';
import type { Call } from '../thread/call.js';
import type { TopicHandlers } from '../thread/handlers.js';

/** What was found of LVM. */
export const lvmState = (call: Call): lvm2.LvmState => call.session.scan.systems.stateOf(lvm2.kind);

/** The regular name of a device, from any name of the caller. */
const regular = (call: Call, name: string): string => call.session.devices.resolve(name).name;

/** The volumes of groups that miss a part of them. */
export const incompleteVolumes = (groups: readonly lvm2.VolumeGroup[]) =>
  groups.flatMap(({ logicalVolumes }) => logicalVolumes.filter(({ hidden, partial }) => partial && !hidden));

/** Like vgchange, fails if some volumes could not be activated; the others are active. */
function activate(call: Call, active: boolean, groups: readonly lvm2.VolumeGroup[]): void {
  const volumes = groups.flatMap(({ logicalVolumes }) => logicalVolumes);
  const left = active ? incompleteVolumes(groups) : [];
  call.session.scan.setActive(lvm2.kind, volumes, active, {
    ...plainCall(
      'vg_activate',
      active,
      groups.map(({ name }) => name),
    ),
    ...(left.length === 0 ? {} : { fails: true }),
  });
  if (left.length === 0) return;
  const missing = new Set(left.flatMap(({ group }) => lvm2.missingVolumes(group)));
  throw new GuestfsError(
    'ENODEV',
    `not activated, as some of it is missing: ${left.map(({ device }) => device).join(', ')}; what is missing is the physical volume ${[...missing].join(', ')}`,
  );
}

/** As in libguestfs, all that is found with the new filter is then activated, which fails for incomplete volumes. */
function filter(call: Call, devices: readonly BlockDevice[] | undefined, by: CarriedCall): void {
  const { scan, calls } = call.session;
  scan.setFilter(lvm2.kind, devices, by);
  const groups = lvmState(call).volumeGroups;
  if (devices !== undefined && incompleteVolumes(groups).length > 0)
    calls.record('volumes', [filterSubject(lvm2.kind)], { ...by, fails: true });
  activate(call, true, groups);
}

/** The result of the LVM scan. It must not be empty only because a possible member cannot be read. */
const found = <T extends readonly unknown[]>(call: Call, answer: T, what: string): T =>
  orFault(call.session, answer, `no ${what} was found`, 'LVM2_member');

/** What changes a drive has it looked at again, so the result stays valid while a volume is in use. */
function scan(call: Call): void {
  if (call.session.scan.volumesInUse.length === 0) call.session.scan.rescanMembers();
}

export const lvmHandlers = {
  lvs: (call) => found(call, lvm2.listLogicalVolumes(lvmState(call)), 'logical volume'),
  vgs: (call) => found(call, lvm2.listVolumeGroups(lvmState(call)), 'volume group'),
  pvs: (call) => found(call, lvm2.listPhysicalVolumes(lvmState(call)), 'physical volume'),
  lvs_full(call) {
    const { session } = call;
    const system = session.scan.systems.get(lvm2.kind);
    const used = new Set(session.scan.volumesInUse.map(({ name }) => name));
    const report = lvm2.reportLogicalVolumes(lvmState(call), {
      isActive: (volume) => system.isActive(volume),
      isOpen: ({ device }) => used.has(device),
    });
    return found(call, report, 'logical volume');
  },
  vgs_full: (call) => found(call, lvm2.reportVolumeGroups(lvmState(call)), 'volume group'),
  pvs_full: (call) => found(call, lvm2.reportPhysicalVolumes(lvmState(call)), 'physical volume'),
  lvuuid: (call, name) => lvm2.logicalVolumeUuid(lvmState(call), regular(call, name)),
  vguuid: (call, name) => lvm2.volumeGroupUuid(lvmState(call), name),
  pvuuid: (call, name) => lvm2.physicalVolumeUuid(lvmState(call), regular(call, name)),
  vglvuuids: (call, name) => lvm2.logicalVolumeUuidsOf(lvmState(call), name),
  vgpvuuids: (call, name) => lvm2.physicalVolumeUuidsOf(lvmState(call), name),
  vgmeta: (call, name) => lvm2.volumeGroupMetadata(lvmState(call), name),
  is_lv(call, mountable) {
    const { device, subvolume } = call.session.devices.parseMountable(mountable);
    return subvolume === undefined && lvm2.isLogicalVolume(lvmState(call), device.name);
  },
  lvm_canonical_lv_name: (call, name) => lvm2.canonicalLogicalVolumeName(lvmState(call), regular(call, name)),
  vg_activate: (call, active, names) =>
    activate(
      call,
      active,
      // As for vgchange, no names mean all groups.
      names.length === 0
        ? lvmState(call).volumeGroups
        : names.map((name) => lvm2.getVolumeGroup(lvmState(call), name)),
    ),
  vg_activate_all: (call, active) => activate(call, active, lvmState(call).volumeGroups),
  lvm_scan(call, active) {
    scan(call);
    if (active) activate(call, true, lvmState(call).volumeGroups);
  },
  vgscan: scan,
  lvm_set_filter(call, names) {
    const devices = names.map((name) => call.session.devices.resolve(name));
    const volume = devices.find(({ kind }) => kind === 'volume');
    if (volume !== undefined) throw new GuestfsError('EINVAL', `${volume.name}: is a volume itself`);
    const regular = devices.map(({ name }) => name);
    filter(call, devices, plainCall('lvm_set_filter', regular));
  },
  lvm_clear_filter: (call) => filter(call, undefined, plainCall('lvm_clear_filter')),
} satisfies TopicHandlers;
