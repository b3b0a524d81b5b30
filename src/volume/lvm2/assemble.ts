/**
 * From disks to volume groups. Usually each physical volume holds the text of its whole group. The text with the
 * highest sequence number counts, whichever disk it is on, and lists the group's physical volumes.
 */
import { CorruptError, compareBytes, UnsupportedError } from '../../base/index.js';
import type { Member } from '../system.js';
import { readLabel } from './label.js';
import { decodeVolumeGroup, type GroupMember, type VolumeGroupText } from './metadata.js';
import { type MetadataArea, readMetadataArea } from './metadata-area.js';
import { dashed } from './probe.js';
import type { LogicalVolume, LvmProblem, LvmState, PhysicalVolume, VolumeGroup } from './state.js';
import { logicalVolumesOf } from './volumes.js';

/** A physical volume. Its group is set once it is known. */
interface Found extends PhysicalVolume {
  group: VolumeGroup | undefined;
  member: GroupMember | undefined;
  readonly metadataAreas: MetadataArea[];
}

/** A version of a group's metadata, and where it was read. */
interface Version {
  readonly device: string;
  readonly raw: Uint8Array;
  readonly text: VolumeGroupText;
}

/** lvm2 writes one area or two; a label has room for about twenty, which could all be large. */
const mostAreas = 4;

class Assembly {
  readonly problems: LvmProblem[] = [];
  readonly #found: Found[] = [];
  /** Those that a group counts as its own. */
  readonly #claimed = new Set<Found>();
  /** By the group's UUID, in the order of discovery. */
  readonly #versions = new Map<string, Version[]>();

  #problem(kind: LvmProblem['kind'], message: string): void {
    this.problems.push({ kind, message });
  }

  /** Runs `read`. Bad bytes become a problem of this device, and its facts are left out. */
  #attempt<T>(device: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (thrown) {
      if (!(thrown instanceof CorruptError || thrown instanceof UnsupportedError)) throw thrown;
      this.problems.push({ kind: 'corrupt', message: `${device}: ${thrown.message}`, device, error: thrown });
      return undefined;
    }
  }

  addMember({ device, disk }: Member): void {
    const label = this.#attempt(device, () => readLabel(disk));
    if (!label) return;
    const twin = this.#found.find((other) => other.label.uuid === label.uuid);
    if (twin) {
      this.#problem(
        'duplicate-pv',
        `${device} has the same UUID as ${twin.device} (${dashed(label.uuid)}) and is not used`,
      );
      return;
    }
    const metadataAreas: MetadataArea[] = [];
    this.#found.push({ device, disk, label, metadataAreas, group: undefined, member: undefined });
    for (const area of label.metadataAreas.slice(0, mostAreas)) {
      const read = this.#attempt(device, () => readMetadataArea(disk, area));
      if (!read) continue;
      metadataAreas.push(read);
      const raw = read.text;
      if (raw) this.#addVersion(device, raw);
    }
  }

  #addVersion(device: string, raw: Uint8Array): void {
    // Most members hold the same bytes: parse them once.
    for (const versions of this.#versions.values()) {
      const same = versions.find((version) => compareBytes(version.raw, raw) === 0);
      if (same) {
        versions.push({ ...same, device });
        return;
      }
    }
    const text = this.#attempt(device, () => decodeVolumeGroup(raw));
    if (!text) return;
    const versions = this.#versions.get(text.uuid) ?? [];
    versions.push({ device, raw, text });
    this.#versions.set(text.uuid, versions);
  }

  /** The newest version; among equally new ones the first one seen. */
  #newest(versions: readonly Version[]): Version | undefined {
    let newest: Version | undefined;
    for (const version of versions) if (!newest || version.text.seqno > newest.text.seqno) newest = version;
    for (const version of versions) {
      if (newest && version.text !== newest.text)
        this.#problem(
          'stale-metadata',
          version.text.seqno === newest.text.seqno
            ? `${version.device} and ${newest.device} hold different metadata of the volume group ${newest.text.name} under the same sequence number ${newest.text.seqno}; that of ${newest.device} is used`
            : `${version.device} holds version ${version.text.seqno} of the volume group ${newest.text.name}; version ${newest.text.seqno}, from ${newest.device}, is used`,
        );
    }
    return newest;
  }

  finish(): LvmState {
    const newest = [...this.#versions.values()].flatMap((versions) => this.#newest(versions) ?? []);
    const byName = new Map<string, VolumeGroupText[]>();
    for (const { text } of newest) byName.set(text.name, [...(byName.get(text.name) ?? []), text]);
    for (const [name, texts] of byName)
      if (texts.length > 1)
        this.#problem(
          'duplicate-vg-name',
          `${texts.length} volume groups are called ${name}, so their volumes have no devices: ${texts.map(({ uuid }) => dashed(uuid)).join(', ')}`,
        );
    const volumeGroups = newest.map((version) =>
      this.#group(version, (byName.get(version.text.name)?.length ?? 0) > 1),
    );
    return {
      physicalVolumes: this.#found,
      volumeGroups,
      logicalVolumes: volumeGroups.flatMap(({ logicalVolumes }) => logicalVolumes),
      problems: this.problems,
    };
  }

  #group({ raw, text }: Version, ambiguous: boolean): VolumeGroup {
    const exported = text.status.includes('EXPORTED');
    if (exported)
      this.#problem('exported', `the volume group ${text.name} is exported: its volumes are not active`);
    const claims = [...text.members.values()].map((member) => {
      const found = this.#claim(text, member);
      return { member, found, usable: isCurrent(member) ? found : undefined };
    });
    const missing = claims.filter(({ usable }) => usable === undefined).map(({ member }) => member);
    for (const { uuid, name, device } of missing)
      this.#problem(
        'missing-pv',
        `the volume group ${text.name} misses the physical volume ${dashed(uuid)} (${name}${device && `, last seen as ${device}`})`,
      );
    const group = new Group({
      name: text.name,
      uuid: text.uuid,
      text,
      rawText: raw,
      members: new Map(claims.map(({ member, usable }) => [member.name, usable])),
      missing,
      exported,
      ambiguous,
    });
    for (const { member, found } of claims) {
      if (found === undefined) continue;
      found.group = group;
      found.member = member;
    }
    return group;
  }

  /** The physical volume that is a member of a group, unless it is missing, or was claimed before. */
  #claim({ name }: VolumeGroupText, { uuid }: GroupMember): Found | undefined {
    const found = this.#found.find(({ label }) => label.uuid === uuid);
    if (found === undefined) return undefined;
    if (this.#claimed.has(found)) {
      this.#problem('corrupt', `${found.device} is claimed by ${name} and by another volume group`);
      return undefined;
    }
    this.#claimed.add(found);
    return found;
  }
}

/**
 * Whether a member is in the state in which the group left it. A member that was away while the group changed counts
 * as missing when it is back.
 */
function isCurrent({ status, flags }: GroupMember): boolean {
  return !status.includes('MISSING') && !flags.includes('MISSING');
}

/** A group, whose volumes are those of what it was made of. */
class Group implements VolumeGroup {
  readonly name: string;
  readonly uuid: string;
  readonly text: VolumeGroupText;
  readonly rawText: Uint8Array;
  readonly members: ReadonlyMap<string, PhysicalVolume | undefined>;
  readonly missing: readonly GroupMember[];
  readonly exported: boolean;
  readonly ambiguous: boolean;
  readonly logicalVolumes: readonly LogicalVolume[];

  constructor(parts: Omit<VolumeGroup, 'logicalVolumes'>) {
    this.name = parts.name;
    this.uuid = parts.uuid;
    this.text = parts.text;
    this.rawText = parts.rawText;
    this.members = parts.members;
    this.missing = parts.missing;
    this.exported = parts.exported;
    this.ambiguous = parts.ambiguous;
    this.logicalVolumes = logicalVolumesOf(this);
  }
}

/**
 * Finds the physical volumes among the members and assembles their groups. Never throws for bad bytes: they become
 * problems of the state, and the affected parts are left out.
 */
export function assemble(members: readonly Member[]): LvmState {
  const assembly = new Assembly();
  for (const member of members) assembly.addMember(member);
  return assembly.finish();
}
