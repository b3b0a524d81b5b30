/**
 * Changes of volume groups. Each is checked whole, made in memory, and written as one new version of the metadata, by
 * the function that is returned. What cannot be done here is refused by name before.
 */
import { GuestfsError, UnsupportedError } from '../../../base/index.js';
import { type Disk, MappedDisk } from '../../../disk/index.js';
import { sectorSize } from '../layout.js';
import { isName } from '../names.js';
import { dashed } from '../probe.js';
import type { LogicalVolume, PhysicalVolume, VolumeGroup } from '../state.js';
import { partsOf } from '../volumes.js';
import { checkRoom, eraseText, planLabelAndText, replaceText, textAreas, writeText } from './areas.js';
import { allocate, countFree, type ExtentRun, usedEnd } from './extents.js';
import { randomIdentifier } from './identifiers.js';
import { changeLabel, smallestVolume } from './label.js';
import {
  type Author,
  addSegments,
  type ConfigTree,
  cutSegments,
  finishText,
  groupOf,
  memberSection,
  newGroup,
  openText,
  type ReadyText,
  renameEntry,
  sectionOf,
  volumeSection,
  volumesOf,
} from './tree.js';

/** lvm2's default size of an extent, in bytes. */
const defaultExtentSize = 4 * 1024 * 1024;
/** Of the names of a group and a volume together, with the dash between them. */
const longestNames = 127;

const invalid = (message: string): GuestfsError => new GuestfsError('EINVAL', message);

/** Names of lvm2's own hidden volumes. */
const reservedStart = /^(?:snapshot|pvmove)/;
const reservedPart =
  /_(?:cdata|cmeta|corig|cpool|cvol|imeta|iorig|mimage|mlog|pmspare|rimage|rmeta|tdata|tmeta|vdata|vorigin|wcorig)/;

function checkName(name: string, what: string): void {
  if (isName(name)) return;
  throw invalid(
    `${name}: is no name for a ${what}: valid are up to 127 letters, digits and _ . + -, no - in front`,
  );
}

/** EINVAL for a name that no volume can have, EEXIST for one that another volume has. */
function checkVolumeName({ name: groupName, text }: VolumeGroup, name: string): void {
  checkName(name, 'logical volume');
  if (reservedStart.test(name) || reservedPart.test(name)) throw invalid(`${name}: is a name of LVM's own`);
  if (groupName.length + name.length + 1 > longestNames)
    throw invalid(`${name}: is too long, together with the name of the group`);
  if (text.volumes.has(name))
    throw new GuestfsError(
      'EEXIST',
      `logical volume "${name}" already exists in volume group "${groupName}"`,
    );
}

/** EINVAL for a name that no group can have. */
export function checkGroupName(name: string): void {
  checkName(name, 'volume group');
}

/** Refuses a group that lvm2 would not change either, or that is not here as a whole. */
function checkChangeable({ name, exported, ambiguous, missing, text }: VolumeGroup): void {
  if (ambiguous) throw invalid(`${name}: several volume groups have this name`);
  if (exported) throw new GuestfsError('EPERM', `volume group "${name}" is exported`);
  if (missing.length > 0)
    throw new GuestfsError(
      'ENODEV',
      `cannot change the volume group ${name} while physical volumes are missing`,
    );
  if (!text.status.includes('WRITE')) throw new GuestfsError('EPERM', `volume group "${name}" is read-only`);
  if (text.systemId !== '' || text.lockType !== '')
    throw new GuestfsError('EPERM', `volume group "${name}" belongs to another system`);
}

const present = ({ members }: VolumeGroup): PhysicalVolume[] =>
  [...members.values()].flatMap((member) => member ?? []);

/** Makes the next version of a group's metadata. */
function change(group: VolumeGroup, author: Author, edit: (root: ConfigTree) => void): ReadyText {
  checkChangeable(group);
  const root = openText(group.rawText);
  edit(root);
  return finishText(root, author);
}

/** What writes a change that was checked, and is ready. */
export type Commit = () => void;

function commit(group: VolumeGroup, { bytes }: ReadyText, between?: Commit): Commit {
  const areas = textAreas(present(group));
  checkRoom(areas, bytes);
  return () => writeText(areas, bytes, between);
}

/** Refuses a volume that is no plain one: what it consists of would have to be changed too. */
function checkPlain({ device, text, group, origin, isOrigin, merging, hidden }: LogicalVolume): void {
  const types = new Set(text.segments.map(({ type }) => type));
  if (types.has('linear')) types.delete('linear');
  types.delete('striped');
  const onVolumes = text.segments.some(({ stripes }) =>
    stripes.some(({ name }) => !group.text.members.has(name)),
  );
  const [
    type = onVolumes || hidden
      ? 'stacked'
      : origin !== undefined || isOrigin || merging
        ? 'snapshot'
        : undefined,
  ] = types;
  if (type !== undefined)
    throw new UnsupportedError(device, [`changing a volume of type ${type}`], { elsewhere: 'appliance' });
  if (text.status.includes('LOCKED') || text.status.includes('PVMOVE'))
    throw new GuestfsError('EBUSY', `${device}: the volume is locked`);
}

/** Whether other volumes of the group consist of this one, or know it. */
function checkNotPart(volume: LogicalVolume): void {
  const { name, group, device } = volume;
  for (const other of group.text.volumes.values())
    if (other.name !== name && partsOf(other).some((part) => part === name && !group.text.members.has(part)))
      throw new UnsupportedError(device, [`changing a volume that ${other.name} is made of`], {
        elsewhere: 'appliance',
      });
}

function checkOwn(volume: LogicalVolume): void {
  checkPlain(volume);
  checkNotPart(volume);
}

const inSectors = (bytes: number): number => Math.floor(bytes / sectorSize);

/** How many extents of a size fit on a physical volume. */
const extentsOn = (sizeInBytes: number, firstInBytes: number, extentSize: number): number =>
  Math.max(0, Math.floor((sizeInBytes - firstInBytes) / extentSize));

/** A member of a group that is being made. */
interface NewMember extends Pick<PhysicalVolume, 'device' | 'disk' | 'label'> {
  readonly group?: VolumeGroup | undefined;
}

/** Makes a group of physical volumes that are in none. */
export function createVolumeGroup(name: string, members: readonly NewMember[], author: Author): Commit {
  checkGroupName(name);
  const root = newGroup(name, randomIdentifier(), inSectors(defaultExtentSize));
  const section = sectionOf(groupOf(root), 'physical_volumes');
  for (const [index, { device, label, group }] of members.entries()) {
    if (group !== undefined)
      throw invalid(`physical volume ${device} is already in volume group ${group.name}`);
    const start = label.dataAreas[0]?.offset;
    const count = start === undefined ? 0 : extentsOn(label.sizeInBytes, start, defaultExtentSize);
    if (start === undefined || count === 0)
      throw invalid(`physical volume ${device} has no room for an extent of ${defaultExtentSize} bytes`);
    section.set(
      `pv${index}`,
      memberSection({
        uuid: label.uuid,
        device,
        sizeInSectors: inSectors(label.sizeInBytes),
        startInSectors: inSectors(start),
        extentCount: count,
      }),
    );
  }
  const { bytes } = finishText(root, author);
  const areas = textAreas(members);
  checkRoom(areas, bytes);
  return () => {
    writeText(areas, bytes);
    markUsed(members, true);
  };
}

/** Says in the labels whether the physical volumes belong to a group. */
function markUsed(members: readonly Pick<PhysicalVolume, 'disk'>[], used: boolean): void {
  for (const { disk } of members) changeLabel(disk, { used });
  for (const { disk } of members) disk.flush();
}

/** Removes a group and all of its volumes. */
export function removeVolumeGroup(group: VolumeGroup): Commit {
  checkChangeable(group);
  for (const volume of group.logicalVolumes) checkPlain(volume);
  const members = present(group);
  const areas = textAreas(members);
  return () => {
    eraseText(areas);
    markUsed(members, false);
  };
}

export function renameVolumeGroup(group: VolumeGroup, name: string, author: Author): Commit {
  checkGroupName(name);
  return commit(
    group,
    change(group, author, (root) => renameEntry(root, group.name, name)),
  );
}

/** Gives a group a new identifier. */
export function changeVolumeGroupUuid(group: VolumeGroup, author: Author): Commit {
  const { bytes } = change(group, author, (root) => groupOf(root).set('id', dashed(randomIdentifier())));
  const areas = textAreas(present(group));
  checkRoom(areas, bytes);
  return () => replaceText(areas, bytes);
}

/** Gives a physical volume a new identifier: its label, and the metadata of its group. */
export function changePhysicalVolumeUuid({ disk, group, member }: PhysicalVolume, author: Author): Commit {
  const uuid = randomIdentifier();
  if (group === undefined || member === undefined)
    return () => {
      changeLabel(disk, { uuid });
      disk.flush();
    };
  const { bytes } = change(group, author, (root) =>
    sectionOf(sectionOf(groupOf(root), 'physical_volumes'), member.name).set('id', dashed(uuid)),
  );
  return planLabelAndText(textAreas(present(group)), disk, bytes, (moved) =>
    changeLabel(disk, { uuid, moved }),
  );
}

/** Gives a physical volume another size. EBUSY where extents behind the new end are in use. */
export function resizePhysicalVolume(volume: PhysicalVolume, sizeInBytes: number, author: Author): Commit {
  const { disk, group, member, device } = volume;
  const resize = (): void => {
    changeLabel(disk, { sizeInBytes });
    disk.flush();
  };
  if (sizeInBytes < smallestVolume)
    throw invalid(`${device}: ${sizeInBytes} bytes are fewer than a physical volume has at least: 2 MiB`);
  if (group === undefined || member === undefined) {
    return resize;
  }
  const count = extentsOn(sizeInBytes, member.firstExtentInBytes, group.text.extentSizeInBytes);
  const used = usedEnd(group.text, member.name);
  if (count === 0) throw invalid(`${device}: there is no room for an extent in ${sizeInBytes} bytes`);
  if (count < used)
    throw new GuestfsError(
      'EBUSY',
      `${device}: cannot resize to ${count} extents as later ones are allocated`,
    );
  const ready = change(group, author, (root) => {
    const section = sectionOf(sectionOf(groupOf(root), 'physical_volumes'), member.name);
    section.set('dev_size', inSectors(sizeInBytes));
    section.set('pe_count', count);
  });
  return commit(group, ready, resize);
}

/** How many extents hold so many bytes. */
const extentsFor = (group: VolumeGroup, sizeInBytes: number): number =>
  Math.ceil(sizeInBytes / group.text.extentSizeInBytes);

/** A size as the caller gives it: in bytes, or as a share of the free extents in percent. */
export type WantedSize = { readonly bytes: number } | { readonly percentOfFree: number };

function wantedExtents(group: VolumeGroup, size: WantedSize): number {
  if ('bytes' in size) {
    if (size.bytes < 0) throw invalid('the size is negative');
    return extentsFor(group, size.bytes);
  }
  const { percentOfFree: percent } = size;
  if (percent < 0 || percent > 100) throw invalid(`percentage must be [0..100] (was ${percent})`);
  return Math.floor((countFree(group.text) * percent) / 100);
}

function allocateFor(group: VolumeGroup, extents: number, grown?: LogicalVolume): ExtentRun[] {
  const policy = grown?.text.allocationPolicy ?? group.text.allocationPolicy;
  if (policy !== 'normal' && policy !== 'inherit')
    throw new UnsupportedError(`volume group ${group.name}`, [`allocation policy ${policy}`], {
      elsewhere: 'appliance',
    });
  return allocate(group.text, extents, grown?.text);
}

/** What lies where a new volume would be: to be looked at before the volume is made. */
export function spaceForVolume(group: VolumeGroup, size: WantedSize): Disk {
  const { extentSizeInBytes, members } = group.text;
  let end = 0;
  const pieces = allocateFor(group, wantedExtents(group, size)).map(({ member, first, count }) => {
    const start = end;
    end += count * extentSizeInBytes;
    const disk = group.members.get(member)?.disk;
    const firstExtent = members.get(member)?.firstExtentInBytes;
    if (disk === undefined || firstExtent === undefined)
      throw new GuestfsError('ENODEV', `${group.name}: the physical volume ${member} is missing`);
    return { start, end, disk, offset: firstExtent + first * extentSizeInBytes };
  });
  return new MappedDisk(
    end,
    (at) => {
      const piece = pieces.find((each) => at < each.end);
      if (piece === undefined) return { kind: 'hole', length: end - at };
      return {
        kind: 'data',
        disk: piece.disk,
        offset: piece.offset + at - piece.start,
        length: piece.end - at,
      };
    },
    { name: `new volume of ${group.name}` },
  );
}

/** Makes a linear volume. */
export function createLogicalVolume(
  group: VolumeGroup,
  name: string,
  size: WantedSize,
  author: Author,
): Commit {
  checkChangeable(group);
  checkVolumeName(group, name);
  const { maxLogicalVolumes: most, volumes } = group.text;
  if (most > 0 && volumes.size >= most)
    throw new GuestfsError(
      'ENOSPC',
      `volume group ${group.name} may have no more than ${most} logical volumes`,
    );
  const extents = wantedExtents(group, size);
  if (extents === 0) throw invalid('unable to create a logical volume with no extents');
  const runs = allocateFor(group, extents);
  const ready = change(group, author, (root) => {
    volumesOf(root).set(name, volumeSection(randomIdentifier(), runs, author));
  });
  return commit(group, ready);
}

/** Removes volumes of one group. */
export function removeLogicalVolumes(
  group: VolumeGroup,
  volumes: readonly LogicalVolume[],
  author: Author,
): Commit {
  for (const volume of volumes) checkOwn(volume);
  const ready = change(group, author, (root) => {
    for (const { name } of volumes) volumesOf(root).delete(name);
  });
  return commit(group, ready);
}

export function renameLogicalVolume(volume: LogicalVolume, name: string, author: Author): Commit {
  const { group } = volume;
  checkChangeable(group);
  checkVolumeName(group, name);
  checkOwn(volume);
  return commit(
    group,
    change(group, author, (root) => renameEntry(volumesOf(root), volume.name, name)),
  );
}

/**
 * Gives a linear volume another size: `size` bytes, or by a share of the free extents more. Undefined where it has that
 * size already.
 */
export function resizeLogicalVolume(
  volume: LogicalVolume,
  size: WantedSize,
  author: Author,
): Commit | undefined {
  const { group, name, text } = volume;
  checkChangeable(group);
  checkOwn(volume);
  if (text.segments.some(({ stripes }) => stripes.length !== 1))
    throw new UnsupportedError(volume.device, ['resizing a volume of several stripes'], {
      elsewhere: 'appliance',
    });
  const wanted = wantedExtents(group, size);
  const extents = 'bytes' in size ? wanted : text.extentCount + wanted;
  if (extents === 0) throw invalid('new size of 0 not permitted');
  if (extents === text.extentCount) return undefined;
  const runs =
    extents > text.extentCount ? allocateFor(group, extents - text.extentCount, volume) : undefined;
  const ready = change(group, author, (root) => {
    const section = sectionOf(volumesOf(root), name);
    if (runs === undefined) cutSegments(section, extents);
    else addSegments(section, runs);
  });
  return commit(group, ready);
}
