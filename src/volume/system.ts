/**
 * The interfaces of volume systems and locks. A volume system assembles several disks into volumes; a lock turns one
 * disk into another, for a caller with a key.
 */
import type { CorruptError, UnsupportedError } from '../base/index.js';
import type { Disk, Kind } from '../disk/index.js';

/** A disk that may be a member. */
export interface Member {
  /** The device name, `/dev/sda2`. */
  readonly device: string;
  readonly disk: Disk;
}

/** A volume that can be used as a block device. */
export interface Volume {
  /** Identifies the volume when its members are assembled again: its device-mapper UUID, if it has one. */
  readonly id: string;
  /**
   * Changes when its bytes have another place on its members: a volume of the same id and layout is the same disk.
   */
  readonly layout: string;
  /** The devices of the members that it may lie on. */
  readonly members: readonly string[];
  /** `/dev/VG/LV`. */
  readonly device: string;
  /** The other name of a device-mapper device: `/dev/mapper/VG-LV`. */
  readonly mapperName: string | undefined;
  readonly sizeInBytes: number;
  /** Whether Linux gives it a device by itself. */
  readonly active: boolean;
  /** Whether a command can activate it: its parts are present, and nothing forbids it. */
  readonly activatable: boolean;
  /** The number of disks over which it is striped, and the stripe size; undefined if it is not striped. */
  readonly stripes: { readonly count: number; readonly sizeInBytes: number } | undefined;
  /**
   * Opens it; closing it leaves the members open. UnsupportedError with the name of a segment type that is not
   * implemented, a GuestfsError with the name of a missing member, CorruptError for a member that is too small.
   */
  open(): Disk;
}

/** Problems of the members, or of what they form. */
export interface MemberProblem {
  readonly message: string;
  /** For bytes that cannot be read: their device, and why. */
  readonly device?: string;
  readonly error?: CorruptError | UnsupportedError;
}

/** What the members on hand amount to. */
export interface Assembly<State = unknown> {
  /** What the system's own actions answer from. */
  readonly state: State;
  /** The volumes for direct use, in the order in which Linux activates them. */
  readonly volumes: readonly Volume[];
  readonly problems: readonly MemberProblem[];
  /** The device of a member, by the member's own identifier. */
  findMember(id: string): string | undefined;
  /** Why a volume of this name has no device; undefined if no volume has the name. */
  absence(name: string): string | undefined;
  /** The minor numbers of volumes with device-mapper devices; `hasNumber` says which have one. */
  minors(hasNumber: (volume: Volume) => boolean): ReadonlyMap<number, Volume>;
}

/** A volume system. */
export interface MemberKind<State = unknown> extends Kind {
  readonly role: 'member';
  /** Whether the kernel looks for partitions on its volumes: it does on arrays, but not on device-mapper devices. */
  readonly hasPartitions?: boolean;
  /** Whether members may be on volumes of the same system. lvm2 does not search there (`scan_lvs` of lvm.conf). */
  readonly nests?: boolean;
  /**
   * Assembles the present members. Pure: called again whenever members come or go. Never throws for bad bytes: they
   * become problems of the assembly, and the affected parts are left out.
   */
  assemble?(members: readonly Member[]): Assembly<State>;
}

/** A secret, and what it opens. Only a session keeps secrets; no layer does. */
export interface LockKey {
  readonly kind: 'passphrase' | 'recovery' | 'raw' | 'file';
  readonly bytes: Uint8Array;
  /** The device or the UUID that it is for; without it, the key is tried on all. */
  readonly for?: string;
}

/** A lock. */
export interface LockedKind extends Kind {
  readonly role: 'locked';
  /** The kinds of keys that may fit. */
  readonly takes?: readonly LockKey['kind'][];
  /**
   * The disk inside; closing it leaves `disk` open. EPERM if no key fits. May take a second, in which it calls
   * `work.checkpoint` repeatedly.
   */
  unlock?(disk: Disk, keys: readonly LockKey[], options: { readonly readonly: boolean }): Disk;
}
