/**
 * The answers of the LVM actions, made from the state. Pure. The fields and their forms are those of lvm2's reports
 * (`pvs`, `vgs`, `lvs`; see lvmreport(7)) in libguestfs's form: sizes in bytes, identifiers without dashes.
 */
import { GuestfsError, work } from '../../base/index.js';
import { dashed } from './probe.js';
import { listMapperDevices } from './report-minors.js';
import { attributesOf, isPool, modulesOf, originOf, policyLetter } from './report-volume.js';
import type { LogicalVolume, LvmState, PhysicalVolume, VolumeGroup } from './state.js';

/** lvm2's name for a missing physical volume. */
const unknownDevice = '[unknown]';
/** The major number of device-mapper devices in the libguestfs appliance. */
const mapperMajor = 253;

/** An element of `pvs_full`. Exported for the compiler. */
export interface PvReport {
  readonly pvName: string;
  readonly pvUuid: string;
  readonly pvFmt: string;
  readonly pvSize: number;
  readonly devSize: number;
  readonly pvFree: number;
  readonly pvUsed: number;
  readonly pvAttr: string;
  readonly pvPeCount: number;
  readonly pvPeAllocCount: number;
  readonly pvTags: string;
  readonly peStart: number;
  readonly pvMdaCount: number;
  readonly pvMdaFree: number;
}

/** An element of `vgs_full`. Exported for the compiler. */
export interface VgReport {
  readonly vgName: string;
  readonly vgUuid: string;
  readonly vgFmt: string;
  readonly vgAttr: string;
  readonly vgSize: number;
  readonly vgFree: number;
  readonly vgSysid: string;
  readonly vgExtentSize: number;
  readonly vgExtentCount: number;
  readonly vgFreeCount: number;
  readonly maxLv: number;
  readonly maxPv: number;
  readonly pvCount: number;
  readonly lvCount: number;
  readonly snapCount: number;
  readonly vgSeqno: number;
  readonly vgTags: string;
  readonly vgMdaCount: number;
  readonly vgMdaFree: number;
}

/** An element of `lvs_full`. Exported for the compiler. */
export interface LvReport {
  readonly lvName: string;
  readonly lvUuid: string;
  readonly lvAttr: string;
  readonly lvMajor: number;
  readonly lvMinor: number;
  readonly lvKernelMajor: number;
  readonly lvKernelMinor: number;
  readonly lvSize: number;
  readonly segCount: number;
  readonly origin: string;
  readonly snapPercent: number | null;
  readonly copyPercent: number | null;
  readonly movePv: string;
  readonly lvTags: string;
  readonly mirrorLog: string;
  readonly modules: string;
}

/** What the state does not know. */
interface ReportOptions {
  /** Whether a volume has a device; {@link LogicalVolume.active} by default. */
  readonly isActive?: (volume: LogicalVolume) => boolean;
  /** Whether a volume is in use, mounted for instance. */
  readonly isOpen?: (volume: LogicalVolume) => boolean;
}

/** lvm2 reports the groups in this order: the last one found comes first. */
function inOrder(state: LvmState): VolumeGroup[] {
  return [...state.volumeGroups].reverse();
}

/** The volumes of a group that are not hidden, in the order of reports: thin pools come first. */
function reportedVolumes(group: VolumeGroup): LogicalVolume[] {
  const volumes = group.logicalVolumes.filter(({ hidden }) => !hidden);
  return [...volumes.filter(isThinPool), ...volumes.filter((volume) => !isThinPool(volume))];
}

function isThinPool({ text }: LogicalVolume): boolean {
  return text.segments[0]?.type === 'thin-pool';
}

function sortedTags(tags: readonly string[]): string {
  return [...tags].sort().join(',');
}

/** Extents in use, by the physical volume's name in the metadata. */
function allocatedExtents({ text }: VolumeGroup): Map<string, number> {
  const taken = new Map<string, number>();
  for (const volume of text.volumes.values()) {
    for (const { stripes, extentCount } of volume.segments) {
      for (const { name } of stripes) {
        if (text.members.has(name)) taken.set(name, (taken.get(name) ?? 0) + extentCount / stripes.length);
      }
    }
  }
  return taken;
}

function metadataFree(volumes: Iterable<PhysicalVolume | undefined>): number {
  const free = [...volumes].flatMap(
    (volume) => volume?.metadataAreas.map(({ freeInBytes }) => freeInBytes) ?? [],
  );
  return free.length === 0 ? 0 : free.reduce((least, one) => Math.min(least, one));
}

function pvAttributes(
  group: VolumeGroup | undefined,
  status: readonly string[],
  used: boolean,
  missing: boolean,
): string {
  const first = status.includes('ALLOCATABLE') ? 'a' : group || used ? 'u' : '-';
  return first + (group?.exported ? 'x' : '-') + (missing ? 'm' : '-');
}

/** `pvs_full`: the physical volumes of each group, including the missing ones, then the orphans. */
export function reportPhysicalVolumes(state: LvmState): PvReport[] {
  const reports: PvReport[] = [];
  for (const group of inOrder(state)) {
    const taken = allocatedExtents(group);
    for (const member of group.text.members.values()) {
      const volume = group.members.get(member.name);
      const size = group.text.extentSizeInBytes;
      const allocated = taken.get(member.name) ?? 0;
      reports.push({
        pvName: volume?.device ?? unknownDevice,
        pvUuid: member.uuid,
        pvFmt: 'lvm2',
        pvSize: member.extentCount * size,
        devSize: volume?.disk.size ?? 0,
        pvFree: (member.extentCount - allocated) * size,
        pvUsed: allocated * size,
        pvAttr: pvAttributes(group, member.status, true, volume === undefined),
        pvPeCount: member.extentCount,
        pvPeAllocCount: allocated,
        pvTags: sortedTags(member.tags),
        peStart: member.firstExtentInBytes,
        pvMdaCount: volume?.metadataAreas.length ?? 0,
        pvMdaFree: metadataFree([volume]),
      });
    }
  }
  for (const volume of state.physicalVolumes) {
    if (volume.group) continue;
    const { label, disk } = volume;
    reports.push({
      pvName: volume.device,
      pvUuid: label.uuid,
      pvFmt: 'lvm2',
      pvSize: label.sizeInBytes,
      devSize: disk.size,
      pvFree: label.sizeInBytes,
      pvUsed: 0,
      pvAttr: pvAttributes(undefined, [], label.used, false),
      pvPeCount: 0,
      pvPeAllocCount: 0,
      pvTags: '',
      peStart: label.dataAreas[0]?.offset ?? 0,
      pvMdaCount: volume.metadataAreas.length,
      pvMdaFree: metadataFree([volume]),
    });
  }
  return reports;
}

function vgAttributes(group: VolumeGroup): string {
  const { status, flags, allocationPolicy, lockType } = group.text;
  const shared = lockType !== '' && lockType !== 'none' && lockType !== 'clvm';
  return [
    status.includes('WRITE') ? 'w' : 'r',
    status.includes('RESIZEABLE') ? 'z' : '-',
    group.exported ? 'x' : '-',
    group.missing.length > 0 ? 'p' : '-',
    policyLetter(allocationPolicy),
    shared ? 's' : status.includes('CLUSTERED') || flags.includes('CLUSTERED') ? 'c' : '-',
  ].join('');
}

/** `vgs_full`. */
export function reportVolumeGroups(state: LvmState): VgReport[] {
  return inOrder(state).map((group) => {
    const { text } = group;
    const members = [...text.members.values()];
    const extents = members.reduce((sum, { extentCount }) => sum + extentCount, 0);
    const allocated = [...allocatedExtents(group).values()].reduce((sum, count) => sum + count, 0);
    const areas = [...group.members.values()].flatMap((volume) => volume?.metadataAreas ?? []);
    return {
      vgName: group.name,
      vgUuid: group.uuid,
      vgFmt: 'lvm2',
      vgAttr: vgAttributes(group),
      vgSize: extents * text.extentSizeInBytes,
      vgFree: (extents - allocated) * text.extentSizeInBytes,
      vgSysid: text.systemId,
      vgExtentSize: text.extentSizeInBytes,
      vgExtentCount: extents,
      vgFreeCount: extents - allocated,
      maxLv: text.maxLogicalVolumes,
      maxPv: text.maxPhysicalVolumes,
      pvCount: members.length,
      lvCount: group.logicalVolumes.filter(({ hidden }) => !hidden).length,
      snapCount: group.logicalVolumes.filter(({ origin }) => origin !== undefined).length,
      vgSeqno: text.seqno,
      vgTags: sortedTags(text.tags),
      vgMdaCount: areas.length,
      vgMdaFree: metadataFree(group.members.values()),
    };
  });
}

/** `lvs_full`: the visible volumes, without those of exported groups. */
export function reportLogicalVolumes(state: LvmState, options: ReportOptions = {}): LvReport[] {
  const { isActive = ({ active }) => active, isOpen = () => false } = options;
  const devices = listMapperDevices(state, isActive);
  const minors = new Map(devices.map(({ volume, minor }) => [volume, minor]));
  const pools = new Map(devices.map(({ mapperName, minor }) => [mapperName, minor]));
  const reported = inOrder(state).filter(({ exported }) => !exported);
  return reported.flatMap(reportedVolumes).map((volume) => {
    work.entries.spend(1);
    const { text } = volume;
    const active = isActive(volume);
    return {
      lvName: volume.name,
      lvUuid: volume.uuid,
      lvAttr: attributesOf(volume, active, isOpen(volume)),
      lvMajor: text.major,
      lvMinor: text.minor,
      lvKernelMajor: active ? mapperMajor : -1,
      lvKernelMinor: active ? (pools.get(`${volume.mapperName}-tpool`) ?? minors.get(volume) ?? -1) : -1,
      lvSize: volume.sizeInBytes,
      segCount: text.segments.length,
      origin: originOf(volume),
      snapPercent: null,
      copyPercent: null,
      movePv: '',
      lvTags: sortedTags(text.tags),
      mirrorLog: '',
      modules: modulesOf(volume).join(','),
    };
  });
}

/** `pvs`. */
export function listPhysicalVolumes(state: LvmState): string[] {
  return state.physicalVolumes.map(({ device }) => device).sort();
}

/** `vgs`. */
export function listVolumeGroups(state: LvmState): string[] {
  return state.volumeGroups.map(({ name }) => name).sort();
}

/** Visible, and no pool, which is no usable block device. */
function isUsable(volume: LogicalVolume): boolean {
  return !volume.hidden && !isPool(volume);
}

/** `lvs`: the device names of the usable volumes, active or not. */
export function listLogicalVolumes(state: LvmState): string[] {
  return state.logicalVolumes
    .filter((volume) => isUsable(volume) && !volume.group.exported)
    .filter(({ text }) => !text.flags.includes('ACTIVATION_SKIP'))
    .map(({ device }) => device)
    .sort();
}

/** The group with that name or UUID. ENOENT if there is none, EINVAL if the name is not unique. */
export function getVolumeGroup(state: LvmState, name: string): VolumeGroup {
  const uuid = name.replaceAll('-', '');
  const found = state.volumeGroups.filter((group) => group.name === name);
  const [group = state.volumeGroups.find((other) => other.uuid === uuid)] = found;
  if (!group) throw new GuestfsError('ENOENT', `${name}: volume group not found`);
  if (found.length > 1)
    throw new GuestfsError(
      'EINVAL',
      `${name}: several volume groups have this name; use a UUID: ${found.map((one) => dashed(one.uuid)).join(', ')}`,
    );
  return group;
}

/**
 * The volume of a device name, `/dev/VG/LV` or `/dev/mapper/VG-LV`; if two have the name, the one with the device.
 */
export function findLogicalVolume(state: LvmState, device: string): LogicalVolume | undefined {
  const found = state.logicalVolumes.filter(
    (volume) => volume.device === device || volume.mapperName === device,
  );
  return found.find(({ active }) => active) ?? found[0];
}

function getLogicalVolume(state: LvmState, device: string): LogicalVolume {
  const volume = findLogicalVolume(state, device);
  if (!volume || !isUsable(volume)) throw new GuestfsError('EINVAL', `${device}: not a logical volume`);
  return volume;
}

/** `lvm_canonical_lv_name`: `/dev/VG/LV` for either name. EINVAL for other names. */
export function canonicalLogicalVolumeName(state: LvmState, device: string): string {
  return getLogicalVolume(state, device).device;
}

/** `is_lv`. */
export function isLogicalVolume(state: LvmState, device: string): boolean {
  const volume = findLogicalVolume(state, device);
  return volume !== undefined && isUsable(volume);
}

/** `pvuuid`, with dashes. */
export function physicalVolumeUuid(state: LvmState, device: string): string {
  const volume = state.physicalVolumes.find((one) => one.device === device);
  if (!volume) throw new GuestfsError('EINVAL', `${device}: not a physical volume`);
  return dashed(volume.label.uuid);
}

/** `vguuid`, with dashes. */
export function volumeGroupUuid(state: LvmState, name: string): string {
  return dashed(getVolumeGroup(state, name).uuid);
}

/** `lvuuid`, with dashes. */
export function logicalVolumeUuid(state: LvmState, device: string): string {
  return dashed(getLogicalVolume(state, device).uuid);
}

/** `vgpvuuids`, with dashes, also of missing physical volumes. */
export function physicalVolumeUuidsOf(state: LvmState, name: string): string[] {
  return [...getVolumeGroup(state, name).text.members.values()].map(({ uuid }) => dashed(uuid));
}

/** `vglvuuids`, with dashes. */
export function logicalVolumeUuidsOf(state: LvmState, name: string): string[] {
  return reportedVolumes(getVolumeGroup(state, name)).map(({ uuid }) => dashed(uuid));
}

/** `vgmeta`: the metadata text as stored, which `vgcfgrestore` accepts. */
export function volumeGroupMetadata(state: LvmState, name: string): Uint8Array {
  const text = getVolumeGroup(state, name).rawText;
  // lvm2 counts the NUL that ends its text.
  const end = text.indexOf(0);
  return end < 0 ? text : text.subarray(0, end);
}
