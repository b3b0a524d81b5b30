/**
 * From disks to volume groups. Every physical volume usually holds the text of its whole group; the one with the highest
 * sequence number counts, wherever it is, and tells which physical volumes belong to the group.
 */
import { CorruptError, UnsupportedError } from '../../base/index.js';
import type { Disk } from '../../disk/index.js';
import type { Member } from '../system.js';
import { dashed, type PvLabel, probeLabel, readLabel } from './label.js';
import { decodeVolumeGroup, type GroupMember, type VolumeGroupText } from './metadata.js';
import { type MetadataArea, readMetadataArea } from './metadata-area.js';
import type { LvmProblem, LvmState, PhysicalVolume, VolumeGroup } from './state.js';
import { logicalVolumesOf } from './volumes.js';

/** A physical volume before its group is known. */
interface Found {
  readonly device: string;
  readonly disk: Disk;
  readonly label: PvLabel;
  readonly metadataAreas: MetadataArea[];
}

/** A version of a group's metadata, and where it was read. */
interface Version {
  readonly device: string;
  readonly raw: Uint8Array;
  readonly text: VolumeGroupText;
}

/** lvm2 writes one area or two; a label has room for some twenty, which could all be large. */
const mostAreas = 4;

class Assembly {
  readonly problems: LvmProblem[] = [];
  readonly #found: Found[] = [];
  /** By the group's UUID, in the order of discovery. */
  readonly #versions = new Map<string, Version[]>();

  #problem(kind: LvmProblem['kind'], message: string): void {
    this.problems.push({ kind, message });
  }

  /** Runs `read`; bad bytes become a problem of this device, and what it would have told is left out. */
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
    this.#found.push({ device, disk, label, metadataAreas });
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
      const same = versions.find((version) => Buffer.compare(version.raw, raw) === 0);
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

  /** The newest version; the first seen of those equally new. */
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
    const volumeGroups: VolumeGroup[] = [];
    const owner = new Map<Found, { group: VolumeGroup; member: GroupMember }>();
    const physical = new Map<Found, PhysicalVolume>();
    const newest = [...this.#versions.values()].flatMap((versions) => this.#newest(versions) ?? []);
    const byName = new Map<string, Version[]>();
    for (const version of newest)
      byName.set(version.text.name, [...(byName.get(version.text.name) ?? []), version]);
    for (const [name, versions] of byName) {
      if (versions.length > 1)
        this.#problem(
          'duplicate-vg-name',
          `${versions.length} volume groups are called ${name}, so their volumes have no devices: ${versions.map(({ text }) => dashed(text.uuid)).join(', ')}`,
        );
    }
    for (const version of newest) {
      const ambiguous = (byName.get(version.text.name)?.length ?? 0) > 1;
      volumeGroups.push(this.#group(version, ambiguous, owner, physical));
    }
    for (const found of this.#found) this.#physical(found, owner, physical);
    return {
      physicalVolumes: this.#found.map((found) => this.#physical(found, owner, physical)),
      volumeGroups,
      logicalVolumes: volumeGroups.flatMap(({ logicalVolumes }) => logicalVolumes),
      problems: this.problems,
    };
  }

  #physical(
    found: Found,
    owner: ReadonlyMap<Found, { group: VolumeGroup; member: GroupMember }>,
    physical: Map<Found, PhysicalVolume>,
  ): PhysicalVolume {
    let volume = physical.get(found);
    if (!volume) {
      const owned = owner.get(found);
      volume = { ...found, group: owned?.group, member: owned?.member };
      physical.set(found, volume);
    }
    return volume;
  }

  #group(
    { raw, text }: Version,
    ambiguous: boolean,
    owner: Map<Found, { group: VolumeGroup; member: GroupMember }>,
    physical: Map<Found, PhysicalVolume>,
  ): VolumeGroup {
    const exported = text.status.includes('EXPORTED');
    if (exported)
      this.#problem('exported', `the volume group ${text.name} is exported: its volumes are not active`);
    const members = new Map<string, PhysicalVolume | undefined>();
    const missing: GroupMember[] = [];
    const logicalVolumes: VolumeGroup['logicalVolumes'][number][] = [];
    const group: VolumeGroup = {
      name: text.name,
      uuid: text.uuid,
      text,
      rawText: raw,
      members,
      missing,
      exported,
      ambiguous,
      logicalVolumes,
    };
    for (const member of text.members.values()) {
      const found = this.#found.find(({ label }) => label.uuid === member.uuid);
      // A volume that was away while the group changed stays "missing" after it is back, since its contents are old.
      const old = found && (member.status.includes('MISSING') || member.flags.includes('MISSING'));
      if (found && owner.has(found)) {
        this.#problem('corrupt', `${found.device} is claimed by ${text.name} and by another volume group`);
      } else if (found) owner.set(found, { group, member });
      const usable = found && !old && owner.get(found)?.group === group;
      members.set(member.name, usable ? this.#physical(found, owner, physical) : undefined);
      if (usable) continue;
      missing.push(member);
      this.#problem(
        'missing-pv',
        `the volume group ${text.name} misses the physical volume ${dashed(member.uuid)} (${member.name}${member.device && `, last seen as ${member.device}`})`,
      );
    }
    logicalVolumes.push(...logicalVolumesOf(group));
    return group;
  }
}

/** Whether a disk is a physical volume. Never throws on any bytes. */
export function probe(disk: Disk): boolean {
  return probeLabel(disk);
}

/**
 * Finds the physical volumes among the members and puts their groups together. Bad bytes never throw: they are problems
 * of the state, and what they concern is left out.
 */
export function assemble(members: readonly Member[]): LvmState {
  const assembly = new Assembly();
  for (const member of members) assembly.addMember(member);
  return assembly.finish();
}
