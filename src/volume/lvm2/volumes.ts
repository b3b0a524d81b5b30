/** The logical volumes of a group: their visibility, their dependencies, and which of them are usable. */

import { GuestfsError } from '../../base/index.js';
import { mapperName, volumeName } from '../../formats/index.js';
import { namesIn } from './config.js';
import type { LogicalVolumeText, VolumeGroupText } from './metadata.js';
import { mapperUuid } from './names.js';
import { dashed } from './probe.js';
import type { LogicalVolume, VolumeGroup } from './state.js';
import { openVolume } from './volume-disk.js';

/** The fields with which a segment names the volumes that it consists of, and those that only name a relation. */
const partFields = [
  'mirrors',
  'raids',
  'mirror_log',
  'data',
  'metadata',
  'pool',
  'thin_pool',
  'cache_pool',
  'origin',
  'cow_store',
  'merging_store',
  'writecache',
  'integrity_meta',
  'vdo_pool',
  'external_origin',
];

/** The volumes and physical volumes that a volume directly consists of, by name. */
export function partsOf(volume: LogicalVolumeText): string[] {
  return volume.segments.flatMap(({ stripes, fields }) => [
    ...stripes.map(({ name }) => name),
    ...partFields.flatMap((field) => namesIn(fields.get(field))),
  ]);
}

/** A relation of lvm2's own: a volume whose one segment says that `cow` is a snapshot of `origin`. */
interface SnapshotRelation {
  readonly origin: string;
  readonly cow: string;
  readonly merging: boolean;
}

function snapshotRelation(volume: LogicalVolumeText): SnapshotRelation | undefined {
  const segment = volume.segments[0];
  if (segment?.type !== 'snapshot') return undefined;
  const [origin] = namesIn(segment.fields.get('origin'));
  const [merging] = namesIn(segment.fields.get('merging_store'));
  const [cow = merging] = namesIn(segment.fields.get('cow_store'));
  // The metadata was checked: both are there.
  if (origin === undefined || cow === undefined) return undefined;
  return { origin, cow, merging: merging !== undefined };
}

/** The volumes that need a missing physical volume, directly or through others. */
function findPartial(text: VolumeGroupText, missing: ReadonlySet<string>): Set<string> {
  const usedBy = new Map<string, string[]>();
  for (const volume of text.volumes.values()) {
    for (const part of partsOf(volume)) {
      const users = usedBy.get(part);
      if (users) users.push(volume.name);
      else usedBy.set(part, [volume.name]);
    }
  }
  const partial = new Set<string>();
  const waiting = [...missing];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const user of usedBy.get(name) ?? []) {
      if (partial.has(user)) continue;
      partial.add(user);
      waiting.push(user);
    }
  }
  return partial;
}

/**
 * The places of a volume's bytes. Of one that consists of others, the version of the group: a change of it always has a
 * sequence number of its own.
 */
function layoutOf(text: VolumeGroupText, { segments, status }: LogicalVolumeText): string {
  const isPlain = segments.every(
    ({ type, stripes }) =>
      (type === 'striped' || type === 'linear') && stripes.every(({ name }) => text.members.has(name)),
  );
  if (!isPlain) return String(text.seqno);
  const places = segments.map(({ extentCount, stripes, stripeSizeInBytes }) => [
    extentCount,
    stripeSizeInBytes,
    ...stripes.flatMap(({ name, extent }) => {
      const { uuid = '', firstExtentInBytes = 0 } = text.members.get(name) ?? {};
      return [uuid, firstExtentInBytes, extent];
    }),
  ]);
  return JSON.stringify([text.extentSizeInBytes, text.status, status, places]);
}

/** The volumes of a group, in the order of the metadata. */
export function logicalVolumesOf(group: VolumeGroup): LogicalVolume[] {
  const { text } = group;
  const relations = [...text.volumes.values()].flatMap((volume) => snapshotRelation(volume) ?? []);
  const snapshots = new Map(relations.map((relation) => [relation.cow, relation]));
  const origins = new Set(relations.map(({ origin }) => origin));
  const merges = new Set(relations.flatMap(({ origin, merging }) => (merging ? [origin] : [])));
  const partial = findPartial(text, new Set(group.missing.map(({ name }) => name)));
  const members = [...group.members.values()].flatMap((member) => member?.device ?? []);
  const disks = {
    text,
    diskOf: ({ name }: { readonly name: string }) => group.members.get(name)?.disk,
  };

  const volumes: LogicalVolume[] = [];
  for (const volume of text.volumes.values()) {
    // The relation is no volume of its own.
    if (volume.segments[0]?.type === 'snapshot') continue;
    const { name } = volume;
    const snapshot = snapshots.get(name);
    const device = volumeName(text.name, name);
    const skipped = volume.flags.includes('ACTIVATION_SKIP');
    const activatable = !group.exported && !group.ambiguous && !skipped && !partial.has(name);
    const [segment] = volume.segments;
    const logical: LogicalVolume = {
      id: mapperUuid({ uuid: volume.uuid, group }),
      layout: layoutOf(text, volume),
      members,
      name,
      group,
      text: volume,
      device,
      mapperName: mapperName(text.name, name),
      uuid: volume.uuid,
      sizeInBytes: volume.extentCount * text.extentSizeInBytes,
      hidden: !volume.status.includes('VISIBLE') && snapshot === undefined,
      origin: snapshot?.origin,
      isOrigin: origins.has(name),
      merging: merges.has(name) || snapshot?.merging === true,
      partial: partial.has(name),
      // Automatically only if the group is complete.
      active: activatable && group.missing.length === 0,
      activatable,
      stripes:
        segment === undefined || segment.stripes.length < 2
          ? undefined
          : { count: segment.stripes.length, sizeInBytes: segment.stripeSizeInBytes },
      open() {
        if (group.exported)
          throw new GuestfsError('EPERM', `${device}: the volume group ${text.name} is exported`);
        return openVolume(disks, volume, logical);
      },
    };
    volumes.push(logical);
  }
  return volumes;
}

/** The missing physical volumes of a group, with the names that a person knows. */
export function missingVolumes(group: VolumeGroup): string[] {
  return group.missing.map(
    ({ name, uuid, device }) => `${name} (UUID ${dashed(uuid)}${device && `, last seen as ${device}`})`,
  );
}

/** Why a volume gets no device by itself, in a few words; undefined if it gets one. */
export function inactiveReason(volume: LogicalVolume): string | undefined {
  const { group } = volume;
  if (volume.active) return undefined;
  if (group.exported) return `the volume group ${group.name} is exported`;
  if (group.ambiguous) return `several volume groups are called ${group.name}`;
  if (volume.text.flags.includes('ACTIVATION_SKIP')) return 'it is marked to be skipped at activation';
  return `the volume group ${group.name} misses the physical volume ${missingVolumes(group).join(', ')}`;
}
