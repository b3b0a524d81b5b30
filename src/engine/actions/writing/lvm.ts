/** Changing LVM: physical volumes, groups and linear volumes. As lvm2's commands, which libguestfs runs. */
import { GuestfsError, UnsupportedError } from '../../../base/index.js';
import type { BlockDevice } from '../../../vfs/index.js';
import { lvm2 } from '../../../volume/index.js';
import type { Call } from '../../thread/call.js';
import type { TopicHandlers } from '../../thread/handlers.js';
import { lvmState } from '../lvm.js';
import { changeDevice, writableDevice } from './changed-device.js';
import { recordActivation } from './lvm-activation.js';
import { eraseSignatures, findSignatures, hasSignatures } from './signatures.js';

const MiB = 1024 * 1024;
/** LVM's, whatever the device's own are. */
const sectorSize = 512;

const author = (call: Call): lvm2.Author => ({ now: Math.floor(Date.now() / 1000), command: call.action });

const groupNamed = (call: Call, name: string): lvm2.VolumeGroup => lvm2.getVolumeGroup(lvmState(call), name);

/** The devices of a group's physical volumes. */
const devicesOf = (group: lvm2.VolumeGroup): string[] =>
  [...group.members.values()].flatMap((member) => member?.device ?? []);

/**
 * Writes a change that was checked, and finds anew what is on the devices. Of volumes that are deactivated, another
 * backend hears under their new names.
 */
function apply(call: Call, commit: lvm2.Commit, devices: readonly string[]): void {
  const { session } = call;
  for (const name of devices) writableDevice(call, name);
  const before = lvmState(call);
  call.touch();
  try {
    commit();
  } finally {
    session.scan.rescan(devices);
    recordActivation(session, before, lvmState(call));
  }
}

const usedVolume = (call: Call, group: lvm2.VolumeGroup): BlockDevice | undefined => {
  const names = new Set(group.logicalVolumes.map(({ device }) => device));
  return call.session.scan.volumesInUse.find(({ name }) => names.has(name));
};

/** EBUSY for a group of which a volume is in use: it would be removed. */
function checkGroupUnused(call: Call, group: lvm2.VolumeGroup): void {
  const used = usedVolume(call, group);
  if (used !== undefined) throw new GuestfsError('EBUSY', `${used.name}: the logical volume is in use`);
}

/** Linux renames and resizes volumes that are in use, which an engine cannot do under an open filesystem. */
function leaveUsed(device: BlockDevice | undefined, what: string): void {
  if (device !== undefined)
    throw new UnsupportedError(device.name, [`${what} a volume that is in use`], { elsewhere: 'appliance' });
}

const active = (call: Call, group: lvm2.VolumeGroup): lvm2.LogicalVolume | undefined => {
  const system = call.session.scan.systems.get(lvm2.kind);
  return group.logicalVolumes.find((volume) => system.isActive(volume));
};

/** lvm2 changes no identifiers of groups with active volumes. */
function checkInactive(call: Call, group: lvm2.VolumeGroup): void {
  const volume = active(call, group);
  if (volume !== undefined)
    throw new GuestfsError(
      'EBUSY',
      `volume group "${group.name}" has active logical volumes: ${volume.device}`,
    );
}

/** The logical volume that a device is. */
function volumeOf(call: Call, name: string): { device: BlockDevice; volume: lvm2.LogicalVolume } {
  const device = call.session.devices.resolve(name);
  const volume = lvm2.findLogicalVolume(lvmState(call), device.name);
  if (volume === undefined) throw new GuestfsError('EINVAL', `${name}: not a logical volume`);
  return { device, volume };
}

/** The physical volume on a device. */
function memberOn(call: Call, name: string): lvm2.PhysicalVolume {
  const device = call.session.devices.resolve(name);
  const found = lvmState(call).physicalVolumes.find((volume) => volume.device === device.name);
  if (found === undefined) throw new GuestfsError('EINVAL', `${name}: failed to find physical volume`);
  return found;
}

function checkWhole({ session }: Call, device: BlockDevice): void {
  if (session.devices.partitions(device).length > 0)
    throw new GuestfsError('EINVAL', `cannot use ${device.name}: device is partitioned`);
}

/**
 * Makes a physical volume on a device, by the function that is returned; what was on it is recognised no more, or it is
 * refused.
 */
function planMember(call: Call, name: string, options: { readonly wipes: boolean }): () => void {
  const { session } = call;
  const device = writableDevice(call, name);
  const known = lvmState(call).physicalVolumes.find((volume) => volume.device === device.name);
  if (known?.group !== undefined)
    throw new GuestfsError('EBUSY', `${name}: is a physical volume of the volume group ${known.group.name}`);
  checkWhole(call, device);
  session.checkUnused(device);
  const commit = lvm2.createPhysicalVolume(device.disk, name);
  if (!options.wipes && known === undefined && hasSignatures(device))
    throw new GuestfsError(
      'EEXIST',
      `${name}: something is on it already: make it a physical volume with pvcreate`,
    );
  return () => {
    if (options.wipes) eraseSignatures(call, device, { tables: true });
    changeDevice(call, device, commit);
  };
}

function createGroup(call: Call, name: string, members: readonly string[]): void {
  lvm2.checkGroupName(name);
  const { session } = call;
  if (lvmState(call).volumeGroups.some((group) => group.name === name))
    throw new GuestfsError('EEXIST', `a volume group called ${name} already exists`);
  if (session.devices.find(`/dev/${name}`) !== undefined)
    throw new GuestfsError('EEXIST', `/dev/${name}: already exists in filesystem`);
  const found = members.map((member) => session.devices.resolve(member));
  if (found.length === 0) throw new GuestfsError('EINVAL', 'a volume group has at least one physical volume');
  if (new Set(found.map(({ sectorSize }) => sectorSize)).size > 1)
    throw new GuestfsError('EINVAL', 'devices have inconsistent logical block sizes (512 and 4096)');
  const devices = found.map((device) => device.name);
  const isMember = (device: string): boolean =>
    lvmState(call).physicalVolumes.some((volume) => volume.device === device);
  const distinct = [...new Set(devices)];
  // All of them are looked at before the first is made.
  const make = distinct
    .filter((device) => !isMember(device))
    .map((device) => planMember(call, device, { wipes: false }));
  for (const each of make) each();
  if (distinct.length < devices.length)
    throw new GuestfsError('EINVAL', 'a physical volume cannot be added twice');
  const commit = lvm2.createVolumeGroup(
    name,
    devices.map((device) => memberOn(call, device)),
    author(call),
  );
  apply(call, commit, devices);
}

function createVolume(call: Call, name: string, groupName: string, size: lvm2.WantedSize): void {
  const { session } = call;
  const group = groupNamed(call, groupName);
  const system = session.scan.systems.get(lvm2.kind);
  if (group.logicalVolumes.some(({ id }) => system.activation.get(id) === false))
    throw new UnsupportedError(`volume group ${group.name}`, ['a new volume beside deactivated ones'], {
      elsewhere: 'appliance',
    });
  const commit = lvm2.createLogicalVolume(group, name, size, author(call));
  // Refuses what could not be erased, as long as nothing is written.
  const disk = lvm2.spaceForVolume(group, size);
  findSignatures({ name, disk, sectorSize, whole: true }, true, session.config.tmpdir);
  apply(call, commit, devicesOf(group));
  const device = session.devices.resolve(`/dev/${group.name}/${name}`);
  // As lvm2 does, so that what lay there before is not taken for the volume's own.
  eraseSignatures(call, device, { tables: true });
  changeDevice(call, device, (disk) => disk.zero(0, Math.min(4096, disk.size)));
}

function removeVolumes(call: Call, group: lvm2.VolumeGroup, volumes: readonly lvm2.LogicalVolume[]): void {
  const names = new Set(volumes.map(({ device }) => device));
  const used = call.session.scan.volumesInUse.find((device) => names.has(device.name));
  if (used !== undefined) throw new GuestfsError('EBUSY', `${used.name}: the logical volume is in use`);
  apply(call, lvm2.removeLogicalVolumes(group, volumes, author(call)), devicesOf(group));
}

function removeGroup(call: Call, group: lvm2.VolumeGroup): void {
  checkGroupUnused(call, group);
  apply(call, lvm2.removeVolumeGroup(group), devicesOf(group));
}

function removeMember(call: Call, { device, disk, group }: lvm2.PhysicalVolume): void {
  if (group !== undefined)
    throw new GuestfsError(
      'EBUSY',
      `${device}: is used by the volume group ${group.name}: remove that first`,
    );
  call.session.checkUnused(call.session.devices.resolve(device));
  apply(call, () => lvm2.removePhysicalVolume(disk), [device]);
}

function resizeVolume(call: Call, name: string, size: lvm2.WantedSize): void {
  const { device, volume } = volumeOf(call, name);
  const commit = lvm2.resizeLogicalVolume(volume, size, author(call));
  if (commit === undefined) return;
  leaveUsed(call.session.scan.isInUse(device) ? device : undefined, 'resizing');
  apply(call, commit, devicesOf(volume.group));
}

/** `/dev/VG/LV` or `VG/LV`, or for a new name `LV` alone. */
function splitName(name: string): { group: string | undefined; volume: string } {
  const parts = name.replace(/^\/dev\/(?:mapper\/)?/, '').split('/');
  return parts.length === 1
    ? { group: undefined, volume: name }
    : { group: parts[0], volume: parts.slice(1).join('/') };
}

function renameVolume(call: Call, from: string, to: string): void {
  const old = splitName(from);
  const next = splitName(to);
  if (old.group === undefined)
    throw new GuestfsError('EINVAL', `${from}: please specify a logical volume path`);
  const group = groupNamed(call, old.group);
  if (next.group !== undefined && next.group !== old.group)
    throw new GuestfsError(
      'EINVAL',
      `logical volume names must have the same volume group ("${old.group}" or "${next.group}")`,
    );
  const volume = group.logicalVolumes.find(({ name, hidden }) => name === old.volume && !hidden);
  if (volume === undefined)
    throw new GuestfsError(
      'ENOENT',
      `existing logical volume "${old.volume}" not found in volume group "${group.name}"`,
    );
  const commit = lvm2.renameLogicalVolume(volume, next.volume, author(call));
  leaveUsed(
    call.session.scan.volumesInUse.find(({ name }) => name === volume.device),
    'renaming',
  );
  apply(call, commit, devicesOf(group));
}

function renameGroup(call: Call, from: string, to: string): void {
  const group = groupNamed(call, from);
  const state = lvmState(call);
  if (state.volumeGroups.some(({ name }) => name === to))
    throw new GuestfsError('EEXIST', `new volume group "${to}" already exists`);
  const commit = lvm2.renameVolumeGroup(group, to, author(call));
  leaveUsed(usedVolume(call, group), 'renaming the group of');
  apply(call, commit, devicesOf(group));
}

function renewGroup(call: Call, group: lvm2.VolumeGroup): void {
  checkInactive(call, group);
  apply(call, lvm2.changeVolumeGroupUuid(group, author(call)), devicesOf(group));
}

function renewMember(call: Call, member: lvm2.PhysicalVolume): void {
  const { group, device } = member;
  if (group !== undefined) checkInactive(call, group);
  const devices = group === undefined ? [device] : devicesOf(group);
  apply(call, lvm2.changePhysicalVolumeUuid(member, author(call)), devices);
}

function resizeMember(call: Call, name: string, size: number | undefined): void {
  const member = memberOn(call, name);
  const devices = member.group === undefined ? [member.device] : devicesOf(member.group);
  if (size !== undefined && size % sectorSize !== 0)
    throw new GuestfsError('EINVAL', `${size}: the size is no multiple of ${sectorSize} bytes`);
  const bytes = size ?? call.session.devices.resolve(name).disk.size;
  apply(call, lvm2.resizePhysicalVolume(member, bytes, author(call)), devices);
}

const checkMebibytes = (mebibytes: number): { bytes: number } => {
  if (mebibytes < 0) throw new GuestfsError('EINVAL', `${mebibytes}: size may not be negative`);
  return { bytes: mebibytes * MiB };
};

export const lvmWritingHandlers = {
  pvcreate: (call, name) => planMember(call, name, { wipes: true })(),
  pvremove(call, name) {
    const device = call.session.devices.resolve(name);
    checkWhole(call, device);
    const found = lvmState(call).physicalVolumes.find((volume) => volume.device === device.name);
    // As in libguestfs, a device that is none already is no error.
    if (found !== undefined) removeMember(call, found);
  },
  pvresize: (call, name) => resizeMember(call, name, undefined),
  pvresize_size: (call, name, size) => resizeMember(call, name, size),
  pvchange_uuid: (call, name) => renewMember(call, memberOn(call, name)),
  pvchange_uuid_all(call) {
    for (const { device } of lvmState(call).physicalVolumes) renewMember(call, memberOn(call, device));
  },
  vgcreate: createGroup,
  vgremove: (call, name) => removeGroup(call, groupNamed(call, name)),
  vgrename: renameGroup,
  vgchange_uuid: (call, name) => renewGroup(call, groupNamed(call, name)),
  vgchange_uuid_all(call) {
    for (const { uuid } of lvmState(call).volumeGroups) renewGroup(call, groupNamed(call, uuid));
  },
  lvcreate: (call, name, group, mebibytes) => createVolume(call, name, group, checkMebibytes(mebibytes)),
  lvcreate_free: (call, name, group, percent) => createVolume(call, name, group, { percentOfFree: percent }),
  lvremove(call, name) {
    // `/dev/VG` is a directory, while the group has volumes that are active: all of them are meant.
    const [, groupName] = /^\/dev\/([^/]+)$/.exec(name) ?? [];
    const group = lvmState(call).volumeGroups.find((each) => each.name === groupName);
    if (group !== undefined && active(call, group) !== undefined)
      return removeVolumes(call, group, group.logicalVolumes);
    const { volume } = volumeOf(call, name);
    removeVolumes(call, volume.group, [volume]);
  },
  lvrename: renameVolume,
  lvresize: (call, name, mebibytes) => resizeVolume(call, name, checkMebibytes(mebibytes)),
  lvresize_free: (call, name, percent) => resizeVolume(call, name, { percentOfFree: percent }),
  lvm_remove_all(call) {
    const state = lvmState(call);
    // All of it is checked before the first is removed.
    for (const group of state.volumeGroups) {
      checkGroupUnused(call, group);
      lvm2.removeVolumeGroup(group);
    }
    for (const { uuid } of state.volumeGroups) removeGroup(call, groupNamed(call, uuid));
    for (const { device } of lvmState(call).physicalVolumes) removeMember(call, memberOn(call, device));
  },
} satisfies TopicHandlers;
