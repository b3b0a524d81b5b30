/** What the present members form: physical volumes, volume groups, logical volumes. Plain facts, no I/O. */
import type { Disk } from '../../disk/index.js';
import type { MemberProblem, Volume } from '../system.js';
import type { PvLabel } from './label.js';
import type { GroupMember, LogicalVolumeText, VolumeGroupText } from './metadata.js';
import type { MetadataArea } from './metadata-area.js';

/** A physical volume on hand. */
export interface PhysicalVolume {
  readonly device: string;
  readonly disk: Disk;
  readonly label: PvLabel;
  /** The areas that could be read. */
  readonly metadataAreas: readonly MetadataArea[];
  /** The group that counts it as a member, and the group's facts about it; undefined for an orphan. */
  readonly group: VolumeGroup | undefined;
  readonly member: GroupMember | undefined;
}

/** A volume group with at least one present physical volume. */
export interface VolumeGroup {
  readonly name: string;
  /** 32 characters, without dashes. */
  readonly uuid: string;
  readonly text: VolumeGroupText;
  /** The metadata as it is on the disk. */
  readonly rawText: Uint8Array;
  /** By their names in the metadata; undefined for a missing one. */
  readonly members: ReadonlyMap<string, PhysicalVolume | undefined>;
  readonly missing: readonly GroupMember[];
  readonly exported: boolean;
  /** Another group has the same name: lvm2 accepts that name for neither, and activates no volume of either. */
  readonly ambiguous: boolean;
  readonly logicalVolumes: readonly LogicalVolume[];
}

/** A logical volume, also a hidden one (a mirror's image, a pool's metadata). */
export interface LogicalVolume extends Volume {
  readonly name: string;
  /** 32 characters, without dashes. */
  readonly uuid: string;
  readonly mapperName: string;
  readonly group: VolumeGroup;
  readonly text: LogicalVolumeText;
  /** Part of another volume: no name under /dev/VG. */
  readonly hidden: boolean;
  /** The volume this one is a snapshot of (thick ones only). */
  readonly origin: string | undefined;
  /** A thick snapshot is taken of it. */
  readonly isOrigin: boolean;
  /** A snapshot is being merged back into it. */
  readonly merging: boolean;
  /** Some of what it needs is missing. */
  readonly partial: boolean;
}

/** A problem, with its device, group or volume. */
export interface LvmProblem extends MemberProblem {
  readonly kind:
    | 'corrupt'
    | 'duplicate-pv'
    | 'duplicate-vg-name'
    | 'missing-pv'
    | 'stale-metadata'
    | 'exported';
}

export interface LvmState {
  /** In the order of the members; members without any readable fact are left out. */
  readonly physicalVolumes: readonly PhysicalVolume[];
  /** In the order in which their first physical volume was seen. */
  readonly volumeGroups: readonly VolumeGroup[];
  /** Of all groups, also the hidden ones. */
  readonly logicalVolumes: readonly LogicalVolume[];
  readonly problems: readonly LvmProblem[];
}
